package sqlwork

import (
	"context"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// Evidence returns every test's result for the rows found.
func (s *Source) Evidence(ctx context.Context, sel retention.Selection, h *retention.HoldSet, f retention.Find) ([]retention.Evidence, error) {
	g, err := s.Gen(sel, h)
	if err != nil {
		return nil, err
	}
	x, err := g.Evidence(f)
	if err != nil {
		return nil, err
	}
	var out []retention.Evidence
	err = s.e.Look(ctx, func(q Session) error {
		rows, err := q.QueryxContext(ctx, x.Text, x.Args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			vals, err := rows.SliceScan()
			if err != nil {
				return err
			}
			out = append(out, s.evidence(sel, vals))
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("look at table %s: %w", sel.Table.Name, err)
	}
	return out, nil
}

func (s *Source) evidence(sel retention.Selection, vals []any) retention.Evidence {
	n := len(sel.Table.Key)
	for i, name := range sel.Table.Key {
		vals[i] = s.e.Value(sel.Table.Column(name), vals[i])
	}
	e := retention.Evidence{Key: KeyText(vals[:n]), Class: retention.Class(text(vals[n]))}
	for i, m := range sel.Clock.Members {
		e.Members = append(e.Members, seen(sel.Clock, m, vals[n+1+3*i:]))
	}
	if e.Class != retention.Open {
		e.Clock = clockSeen(sel.Clock, e.Members)
	}
	return e
}

// text is a text that a driver returned in either form.
func text(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case []byte:
		return string(x)
	}
	return ""
}

// seen reads a member's three columns: greatest, least, unresolved.
func seen(c retention.ClockTest, m retention.MemberTest, vals []any) retention.MemberSeen {
	out := retention.MemberSeen{From: m.Column, Unresolved: number(vals[2]) == 1}
	if m.Related != nil {
		out.From = m.Related.Table.String() + "." + m.Related.Column
	}
	v := vals[0]
	if c.Earliest {
		v = vals[1]
	}
	if micros := number(v); v != nil && micros != sqlgen.Never && !out.Unresolved {
		t := time.UnixMicro(micros).UTC()
		out.At = &t
	}
	return out
}

// clockSeen is the latest, or earliest, of the members; nil where one is
// unresolved, none says anything, or one that must have happened has not.
func clockSeen(c retention.ClockTest, members []retention.MemberSeen) *time.Time {
	var out *time.Time
	for _, m := range members {
		switch {
		case m.Unresolved, m.At == nil && c.NullsOpen:
			return nil
		case m.At == nil:
		case out == nil, c.Earliest && m.At.Before(*out), !c.Earliest && m.At.After(*out):
			out = m.At
		}
	}
	return out
}

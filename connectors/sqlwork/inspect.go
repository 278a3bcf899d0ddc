package sqlwork

import (
	"context"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// Count counts each row in one class in one statement, and in the same snapshot
// the rows of declared children of due rows, whether they would go, move or be
// detached.
func (s *Source) Count(ctx context.Context, sel retention.Selection, h *retention.HoldSet, children []retention.Child) (retention.Counts, error) {
	var out retention.Counts
	g, err := s.Gen(sel, h)
	if err != nil {
		return out, err
	}
	query, err := g.Count()
	if err != nil { // no connection was asked: the rule cannot be said in SQL
		return out, refusal(retention.RefusePolicyError, "%v", err)
	}
	err = s.e.Look(ctx, func(q Session) error {
		if out, err = s.count(ctx, q, sel, query); err != nil {
			return err
		}
		out.Children, err = s.countChildren(ctx, q, sel, h, children, out.Classes.Due)
		return err
	})
	return out, err
}

func (s *Source) count(ctx context.Context, q Session, sel retention.Selection, query sqlgen.Query) (retention.Counts, error) {
	var out retention.Counts
	dest, oldest, newest := classDest(&out.Classes)
	if sel.Newest {
		dest = append(dest, newest)
	}
	err := q.QueryRowxContext(ctx, query.Text, query.Args...).Scan(dest...)
	switch {
	case s.e.Kind(err) == BadSQL, s.e.Kind(err) == NoTable:
		return out, refusal(retention.RefusePolicyError, "table %s: the database does not understand the rule's condition: %v", sel.Table.Name, err)
	case err != nil:
		return out, fmt.Errorf("count table %s: %w", sel.Table.Name, err)
	}
	out.OldestDue, out.NewestDue = clockOf(*oldest), clockOf(*newest)
	if out.Classes.Sum() != out.Classes.Total {
		return out, fmt.Errorf("count table %s: the classes add up to %d of %d rows", sel.Table.Name, out.Classes.Sum(), out.Classes.Total)
	}
	return out, nil
}

func clockOf(micros *int64) *time.Time {
	if micros == nil || *micros == sqlgen.Never {
		return nil
	}
	t := time.UnixMicro(*micros).UTC()
	return &t
}

func classDest(c *retention.Classes) (dest []any, oldest, newest **int64) {
	dest = []any{&c.Total}
	for _, k := range retention.ClassOrder() {
		dest = append(dest, c.Of(k))
	}
	oldest, newest = new(*int64), new(*int64)
	return append(dest, oldest), oldest, newest
}

func (s *Source) countChildren(ctx context.Context, q Session, sel retention.Selection, h *retention.HoldSet, children []retention.Child, due int64) (map[string]int64, error) {
	out := map[string]int64{}
	for _, c := range children {
		if due == 0 {
			out[c.Table.String()] += 0
			continue
		}
		g, err := s.Gen(sel, h)
		if err != nil {
			return nil, err
		}
		x, err := g.CountChildren(c)
		if err != nil {
			return nil, err
		}
		var n int64
		if err := q.GetContext(ctx, &n, x.Text, x.Args...); err != nil {
			return nil, fmt.Errorf("count children in %s: %w", c.Table, err)
		}
		out[c.Table.String()] += n
	}
	return out, nil
}

// SmallGroups counts over due and done rows together.
func (s *Source) SmallGroups(ctx context.Context, sel retention.Selection, h *retention.HoldSet, changes []retention.Change, k retention.KAnonymity) (small, all int64, err error) {
	g, err := s.Gen(sel, h)
	if err != nil {
		return 0, 0, err
	}
	x, err := g.SmallGroups(changes, k)
	if err != nil {
		return 0, 0, err
	}
	err = s.e.Look(ctx, func(q Session) error {
		if err := q.QueryRowxContext(ctx, x.Text, x.Args...).Scan(&small, &all); err != nil {
			return fmt.Errorf("groups of table %s: %w", sel.Table.Name, err)
		}
		return nil
	})
	return small, all, err
}

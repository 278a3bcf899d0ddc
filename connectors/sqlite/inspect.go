package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
	lib "modernc.org/sqlite/lib"
)

// gen prepares a selection. The holds' JSON lists are built once for a set.
func (s *Source) gen(sel retention.Selection, h *retention.HoldSet) (*sqlgen.Gen, error) {
	holds, err := s.holdLists(h)
	if err != nil {
		return nil, err
	}
	return sqlgen.New(dialect(), sel, holds)
}

func (s *Source) holdLists(h *retention.HoldSet) (*sqlgen.Holds, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holds != nil && s.holdsOf == h {
		return s.holds, nil
	}
	holds, err := sqlgen.NewHolds(h)
	if err != nil {
		return nil, err
	}
	s.holds, s.holdsOf = holds, h
	return holds, nil
}

// Count counts each row in one class in one statement, and in the same snapshot
// the rows of declared children of due rows, whether they would go, move or be
// detached.
func (s *Source) Count(ctx context.Context, sel retention.Selection, h *retention.HoldSet, children []retention.Child) (retention.Counts, error) {
	var out retention.Counts
	tx, err := s.read.BeginTxx(ctx, nil)
	if err != nil {
		return out, s.down(err)
	}
	defer tx.Rollback()
	g, err := s.gen(sel, h)
	if err != nil {
		return out, err
	}
	q, err := g.Count()
	if err != nil { // no connection was asked: the rule cannot be said in SQL
		return out, refusal(retention.RefusePolicyError, "%v", err)
	}
	dest, oldest := classDest(&out.Classes)
	switch err := tx.QueryRowxContext(ctx, q.Text, q.Args...).Scan(dest...); {
	case primary(err) == lib.SQLITE_ERROR:
		return out, refusal(retention.RefusePolicyError, "table %s: the database does not understand the rule's condition: %v", sel.Table.Name, err)
	case err != nil:
		return out, fmt.Errorf("count table %s: %w", sel.Table.Name, err)
	}
	if *oldest != nil && **oldest != sqlgen.Never {
		t := time.UnixMicro(**oldest).UTC()
		out.OldestDue = &t
	}
	if out.Classes.Sum() != out.Classes.Total {
		return out, fmt.Errorf("count table %s: the classes add up to %d of %d rows", sel.Table.Name, out.Classes.Sum(), out.Classes.Total)
	}
	out.Children, err = s.countChildren(ctx, tx, sel, h, children, out.Classes.Due)
	return out, err
}

func classDest(c *retention.Classes) ([]any, **int64) {
	dest := []any{&c.Total}
	for _, k := range retention.ClassOrder() {
		dest = append(dest, c.Of(k))
	}
	oldest := new(*int64)
	return append(dest, oldest), oldest
}

func (s *Source) countChildren(ctx context.Context, tx *sqlx.Tx, sel retention.Selection, h *retention.HoldSet, children []retention.Child, due int64) (map[string]int64, error) {
	out := map[string]int64{}
	for _, c := range children {
		if due == 0 {
			out[c.Table.String()] += 0
			continue
		}
		g, err := s.gen(sel, h)
		if err != nil {
			return nil, err
		}
		q, err := g.CountChildren(c)
		if err != nil {
			return nil, err
		}
		var n int64
		if err := tx.GetContext(ctx, &n, q.Text, q.Args...); err != nil {
			return nil, fmt.Errorf("count children in %s: %w", c.Table, err)
		}
		out[c.Table.String()] += n
	}
	return out, nil
}

// Page returns the next due rows, by the clock where an index leads with it,
// else by key.
func (s *Source) Page(ctx context.Context, sel retention.Selection, h *retention.HoldSet, after retention.Cursor, limit int) (retention.Page, error) {
	var out retention.Page
	g, err := s.gen(sel, h)
	if err != nil {
		return out, err
	}
	q, err := g.Page(after, limit)
	if err != nil {
		return out, err
	}
	rows, err := s.read.QueryxContext(ctx, q.Text, q.Args...)
	if err != nil {
		return out, fmt.Errorf("page of table %s: %w", sel.Table.Name, err)
	}
	defer rows.Close()
	out.Next = after
	for rows.Next() {
		vals, err := rows.SliceScan()
		if err != nil {
			return out, fmt.Errorf("page of table %s: %w", sel.Table.Name, err)
		}
		out.Next = cursorOf(vals, g.Order() != "")
		out.Keys = append(out.Keys, out.Next.Key)
	}
	return out, rows.Err()
}

func cursorOf(vals []any, ordered bool) retention.Cursor {
	for i, v := range vals {
		if b, blob := v.([]byte); blob && b == nil {
			vals[i] = []byte{} // an empty blob is not NULL
		}
	}
	c := retention.Cursor{Key: vals}
	if ordered {
		c = retention.Cursor{Order: vals[0], Key: vals[1:]}
	}
	return c
}

// Evidence returns every test's result for the rows found.
func (s *Source) Evidence(ctx context.Context, sel retention.Selection, h *retention.HoldSet, f retention.Find) ([]retention.Evidence, error) {
	g, err := s.gen(sel, h)
	if err != nil {
		return nil, err
	}
	q, err := g.Evidence(f)
	if err != nil {
		return nil, err
	}
	rows, err := s.read.QueryxContext(ctx, q.Text, q.Args...)
	if err != nil {
		return nil, fmt.Errorf("look at table %s: %w", sel.Table.Name, err)
	}
	defer rows.Close()
	var out []retention.Evidence
	for rows.Next() {
		vals, err := rows.SliceScan()
		if err != nil {
			return nil, fmt.Errorf("look at table %s: %w", sel.Table.Name, err)
		}
		out = append(out, evidenceOf(sel, vals))
	}
	return out, rows.Err()
}

func evidenceOf(sel retention.Selection, vals []any) retention.Evidence {
	n := len(sel.Table.Key)
	e := retention.Evidence{Key: keyText(vals[:n])}
	if c, ok := vals[n].(string); ok {
		e.Class = retention.Class(c)
	}
	for i, m := range sel.Clock.Members {
		e.Members = append(e.Members, seen(sel.Clock, m, vals[n+1+3*i:]))
	}
	if e.Class != retention.Open {
		e.Clock = clockSeen(sel.Clock, e.Members)
	}
	return e
}

// seen reads a member's three columns: greatest, least, unresolved.
func seen(c retention.ClockTest, m retention.MemberTest, vals []any) retention.MemberSeen {
	out := retention.MemberSeen{From: m.Column, Unresolved: vals[2] == int64(1)}
	if m.Related != nil {
		out.From = m.Related.Table.String() + "." + m.Related.Column
	}
	v := vals[0]
	if c.Earliest {
		v = vals[1]
	}
	if micros, ok := v.(int64); ok && micros != sqlgen.Never && !out.Unresolved {
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

// SmallGroups counts over due and done rows together.
func (s *Source) SmallGroups(ctx context.Context, sel retention.Selection, h *retention.HoldSet, changes []retention.Change, k retention.KAnonymity) (small, all int64, err error) {
	g, err := s.gen(sel, h)
	if err != nil {
		return 0, 0, err
	}
	q, err := g.SmallGroups(changes, k)
	if err != nil {
		return 0, 0, err
	}
	if err := s.read.QueryRowxContext(ctx, q.Text, q.Args...).Scan(&small, &all); err != nil {
		return 0, 0, fmt.Errorf("groups of table %s: %w", sel.Table.Name, err)
	}
	return small, all, nil
}

// Server is this machine's clock as SQLite reads it, and the gate row.
func (s *Source) Server(ctx context.Context) (out retention.Server, err error) {
	err = s.mended(ctx, func() error {
		out, err = s.server(ctx)
		return err
	})
	return out, err
}

func (s *Source) server(ctx context.Context) (retention.Server, error) {
	var out retention.Server
	tx, err := s.read.BeginTxx(ctx, nil)
	if err != nil {
		return out, s.down(err)
	}
	defer tx.Rollback()
	var version, now string
	if err := tx.QueryRowxContext(ctx, "SELECT sqlite_version(), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')").Scan(&version, &now); err != nil {
		return out, s.down(err)
	}
	if out.Now, err = time.Parse(time.RFC3339Nano, now); err != nil {
		return out, fmt.Errorf("sqlite %s: clock %q: %w", s.path, now, err)
	}
	out.Name = "SQLite " + version
	out.Gate, err = readGate(ctx, tx)
	out.Identity = s.identity(out.Gate)
	return out, err
}

// identity is the gate's uuid, or the file that every name of it leads to.
func (s *Source) identity(g retention.Gate) string {
	if g.Installed {
		return g.SourceUUID
	}
	path, err := filepath.Abs(s.path)
	if err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
	}
	return "file:" + path
}

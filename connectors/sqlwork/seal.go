package sqlwork

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// sealed lets give hand rows to the sealed vault and waits until their segments are
// durable and read back (L9).
func (w *work) sealed(ctx context.Context, give func(to retention.RowWriter) error) error {
	if w.b.Copy == nil {
		return fmt.Errorf("batch %s: its rows go to a sealed vault, and nothing takes them", w.b.Intent)
	}
	read := make(chan struct{})
	type end struct {
		refs []retention.SealedRef
		err  error
	}
	ended := make(chan end, 1)
	go func() {
		refs, err := w.b.Copy(ctx, func(to retention.RowWriter) error {
			defer close(read)
			return give(to)
		})
		ended <- end{refs, err}
	}()
	// A vault that is far away takes its time: the server ends transactions that
	// say nothing meanwhile.
	alive := time.NewTicker(3 * time.Second)
	defer alive.Stop()
	for {
		select {
		case e := <-ended:
			w.out.Segments = append(w.out.Segments, e.refs...)
			return e.err
		case <-alive.C:
			select {
			case <-read:
				if _, err := w.q.ExecContext(ctx, "SELECT 1"); err != nil {
					<-ended // its segments are of no use: whoever settles removes them
					return fmt.Errorf("the source ended the transaction while rows were being sealed: %w", err)
				}
			default:
			}
		}
	}
}

// read reads the due rows, their children and subjects, before anything is removed.
// With most > 0 only child rows go, at most that many.
func (w *work) read(ctx context.Context, to retention.RowWriter, most int64) error {
	if h, ok := w.e.(Holder); ok {
		return w.held(ctx, h, to)
	}
	sel, a := &w.b.Selection, &w.b.Action
	if most == 0 {
		x, err := w.render(func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Contents(w.list, w.keepers(0)) })
		if err != nil {
			return err
		}
		t := retention.SealTable{Table: sel.Table, Subjects: sel.Reach.Subjects, Minimums: w.keepers(0)}
		if a.Into != nil {
			t.Into = a.Into.Table
		}
		n, err := w.rows(ctx, to, t, x, nil)
		if err == nil {
			err = exactly(sel.Table.Name, "read", n, int64(len(w.due)))
		}
		if err != nil {
			return err
		}
	}
	left := most
	for j, c := range a.Children {
		if c.Then == retention.ChildDetach || most > 0 && left <= 0 {
			continue
		}
		n, err := w.childRows(ctx, to, j, left)
		if err != nil {
			return err
		}
		left -= n
	}
	if a.Into != nil { // in tables a hold finds its rows itself
		return nil
	}
	return w.persons(ctx, to, most > 0)
}

// childRows reads the j-th kind of children. A row that was read as another kind
// before is not read again.
func (w *work) childRows(ctx context.Context, to retention.RowWriter, j int, most int64) (int64, error) {
	c := w.b.Action.Children[j]
	t := w.table(c.Table)
	x, err := w.render(func(g *sqlgen.Gen) (sqlgen.Query, error) {
		return g.ChildContents(c, w.list, sqlgen.Some{Most: most}, w.keepers(j+1), !w.e.Alone())
	})
	if err != nil {
		return 0, fmt.Errorf("children in %s: %w", c.Table, err)
	}
	st := retention.SealTable{Table: t, Child: true, Minimums: w.keepers(j + 1)}
	if v := w.b.Action.Into; v != nil {
		if j >= len(v.Children) {
			return 0, fmt.Errorf("batch %s: child table %s has no vault table", w.b.Intent, c.Table)
		}
		st.Into = v.Children[j]
	}
	if len(c.Via) == 0 {
		st.On = c.On
	}
	for _, b := range w.b.Selection.Blocked {
		if w.e.Dialect().SameTable(b.Child.Table, c.Table) && b.Reach != nil {
			st.Subjects = append(st.Subjects, b.Reach.Subjects...)
		}
	}
	seen, err := w.seen(c.Table)
	if err != nil {
		return 0, err
	}
	var keys []retention.Key
	n, err := w.rows(ctx, to, st, x, func(key retention.Key) bool {
		if text := fmt.Sprintf("%q", key); seen[text] {
			return false
		} else if seen != nil {
			seen[text] = true
		}
		if most > 0 && (!w.e.Alone() || seen != nil) {
			keys = append(keys, key)
		}
		return true
	})
	if err != nil {
		return n, err
	}
	_, err = w.taken(j, most, n, keys)
	return n, err
}

// seen remembers the keys of a child table's rows, where rows of it may be read
// twice.
func (w *work) seen(t retention.TableName) (map[string]bool, error) {
	var same int
	for _, c := range w.b.Action.Children {
		if c.Then != retention.ChildDetach && w.e.Dialect().SameTable(c.Table, t) {
			same++
		}
	}
	if same < 2 {
		return nil, nil
	}
	if len(w.table(t).Key) == 0 {
		return nil, fmt.Errorf("child table %s is declared twice and has no primary key: its rows cannot be told apart; declare one", t)
	}
	if w.twice == nil {
		w.twice = map[string]map[string]bool{}
	}
	if w.twice[t.String()] == nil {
		w.twice[t.String()] = map[string]bool{}
	}
	return w.twice[t.String()], nil
}

func (w *work) keepers(i int) []retention.Minimum {
	if k := w.b.Action.Keepers; i < len(k) {
		return k[i]
	}
	return nil
}

// rows gives a table's rows to the vault, those that are wanted by their key (nil:
// all), and counts them.
func (w *work) rows(ctx context.Context, to retention.RowWriter, st retention.SealTable, x sqlgen.Query, wants func(retention.Key) bool) (n int64, err error) {
	if err := to.Table(st); err != nil {
		return 0, err
	}
	cols := st.Table.Columns
	err = stream(ctx, w.q, x, func(vals []any) error {
		if len(vals) != len(cols)+1+len(st.Minimums) {
			return fmt.Errorf("a row has %d values", len(vals))
		}
		for i := range cols {
			vals[i] = w.exact(&cols[i], vals[i])
		}
		if wants != nil && !wants(keyOf(st.Table, vals)) {
			return nil
		}
		n++
		return to.Row(vals[:len(cols)], number(vals[len(cols)]), minimums(vals[len(cols)+1:]))
	})
	if err != nil {
		return n, fmt.Errorf("read rows of table %s: %w", st.Table.Name, err)
	}
	return n, nil
}

// exact is a value as the driver returned it, with an empty one kept apart from
// NULL.
func (s *Source) exact(c *retention.Column, v any) any {
	if b, blob := v.([]byte); blob && b == nil {
		v = []byte{}
	}
	v = s.e.Value(c, v)
	if s, is := v.(string); is && c.Typed && c.Kind == retention.KindInteger { // beyond what a sign leaves
		if n, err := strconv.ParseUint(s, 10, 64); err == nil {
			return n
		}
	}
	return v
}

func minimums(vals []any) []*int64 {
	if len(vals) == 0 {
		return nil
	}
	out := make([]*int64, len(vals))
	for i, v := range vals {
		if v != nil {
			n := number(v)
			out[i] = &n
		}
	}
	return out
}

// keyOf is the row's key, as lists of keys have it.
func keyOf(t *retention.Table, vals []any) (key retention.Key) {
	for _, k := range t.Key {
		i := slices.IndexFunc(t.Columns, func(c retention.Column) bool { return c.Name == k })
		v := kept(vals[i])
		if n, beyond := v.(uint64); beyond {
			v = strconv.FormatUint(n, 10)
		}
		key = append(key, v)
	}
	return key
}

// kept is a value that lasts longer than its row: a driver reads the next one over the
// bytes of the last.
func kept(v any) any {
	if b, is := v.([]byte); is {
		return append([]byte{}, b...)
	}
	return v
}

// persons tells the vault whom the rows are about through other rows: a hold finds
// the segment by them.
func (w *work) persons(ctx context.Context, to retention.RowWriter, own bool) error {
	g, err := w.gen()
	if err != nil {
		return err
	}
	queries, err := g.Persons(w.list, own)
	if err != nil {
		return err
	}
	for _, x := range queries {
		if err := w.person(ctx, to, x); err != nil {
			return fmt.Errorf("subjects of table %s: %w", w.b.Selection.Table.Name, err)
		}
	}
	return nil
}

func (w *work) person(ctx context.Context, to retention.RowWriter, x sqlgen.Subject) error {
	rows, err := w.q.QueryxContext(ctx, x.Query.Text, x.Query.Args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		vals, err := rows.SliceScan()
		if err != nil {
			return err
		}
		if err := to.About(x.Type, w.exact(x.Column, vals[0])); err != nil {
			return err
		}
	}
	return rows.Err()
}

// outside does a batch that touches no row: its receipt is written first, so that
// whoever settles the intent waits until it has ended.
func (w *work) outside(ctx context.Context) error {
	o := w.b.Outside
	out, err := o.Test(ctx, w.holds)
	if err != nil {
		return err
	}
	w.b.Reach(retention.PointTested)
	if w.out = out; w.out.Children == nil {
		w.out.Children = map[string]int64{}
	}
	if err := w.receipt(ctx); err != nil || out.Done == 0 {
		return err
	}
	if err := o.Do(ctx); err != nil {
		return err
	}
	w.b.Reach(retention.PointActed)
	return nil
}

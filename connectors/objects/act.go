package objects

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// seen is a row of the listing.
type seen struct {
	Object
	said []any // what related rows said, beside the set's columns
}

// pathOf is the key of a listing.
func pathOf(k retention.Key) (string, error) {
	if len(k) == 1 {
		switch x := k[0].(type) {
		case string:
			return x, nil
		case []byte:
			return string(x), nil
		}
	}
	return "", errors.New("a key is no path")
}

// looked are the files that a batch has looked at, in order of their paths, and found
// as the listing has them.
type looked struct {
	intent string
	list   []seen
}

// recall is [engine.listed] for a batch that may have looked at the files already.
func (e *engine) recall(ctx context.Context, q sqlwork.Session, s *set, intent string, keys []retention.Key) ([]seen, error) {
	was := e.looked
	if e.looked = (looked{}); was.intent != intent {
		return e.listed(ctx, q, s, keys)
	}
	paths, err := pathsIn(keys)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(was.list, func(o seen) bool {
		_, among := slices.BinarySearch(paths, o.Path)
		return !among
	}), nil
}

// pathsIn are the keys' paths, in order.
func pathsIn(keys []retention.Key) ([]string, error) {
	paths := make([]string, len(keys))
	for i, k := range keys {
		var err error
		if paths[i], err = pathOf(k); err != nil {
			return nil, err
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// listed are the rows of those keys, in order of their paths, by one walk over the
// stretch of the listing that they lie in. Keys that are not listed are left out.
func (e *engine) listed(ctx context.Context, q sqlwork.Session, s *set, keys []retention.Key) ([]seen, error) {
	paths, err := pathsIn(keys)
	if err != nil || len(paths) == 0 {
		return nil, err
	}
	if r := e.line.rolls.of[s.name.Name]; r != nil {
		return r.pick(paths)
	}
	p := quote(retention.FilePath)
	text := "SELECT " + p + ", size, " + colWas
	for _, c := range s.columns {
		if c.outside() {
			text += ", +" + quote(c.Name)
		}
	}
	rows, err := q.QueryxContext(ctx, text+" FROM main."+quote(s.name.Name)+" WHERE "+p+" BETWEEN ? AND ? ORDER BY "+p, paths[0], paths[len(paths)-1])
	if err != nil {
		return nil, fmt.Errorf("listing of %s: %w", s.name, err)
	}
	defer rows.Close()
	return s.pick(rows, paths)
}

// pick are the rows of those paths; both are in order.
func (s *set) pick(rows *sqlx.Rows, paths []string) ([]seen, error) {
	out := make([]seen, 0, len(paths))
	var p, was sql.RawBytes
	var o seen
	said := make([]any, len(s.columns))
	into := []any{&p, &o.Size, &was}
	for i := range s.columns {
		if s.columns[i].outside() {
			into = append(into, &said[i])
		}
	}
	for len(paths) > 0 && rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		for len(paths) > 0 && paths[0] < string(p) {
			paths = paths[1:]
		}
		if len(paths) == 0 || paths[0] != string(p) {
			continue
		}
		if err := o.unpack(was); err != nil {
			return nil, err
		}
		o.Path, o.said = paths[0], nil
		if len(into) > 3 {
			o.said = slices.Clone(said)
		}
		out, paths = append(out, o), paths[1:]
	}
	return out, rows.Err()
}

// Refresh looks at the files, and at the rows that tell of them, again. The listing
// then says what is so now.
func (e *engine) Refresh(ctx context.Context, q sqlwork.Session, b *retention.Batch, keys []retention.Key) (bool, error) {
	s, rows := e.of(b.Selection.Table.Name)
	if s == nil {
		return false, fmt.Errorf("files %s are not declared", b.Selection.Table.Name)
	}
	was, err := e.listed(ctx, q, s, keys)
	if err != nil {
		return false, err
	}
	fresh := len(was) == len(keys)
	now := make([]Object, len(was))
	if err := e.tree.Look(ctx, pathsOf(was), func(i int, o Object) { now[i] = plainly(o) }); err != nil {
		return false, err
	}
	for i := range was {
		if now[i].Path != "" && now[i].Same(was[i].Object) {
			continue
		}
		fresh = false
		if err := s.renew(ctx, q, was[i].Path, now[i]); err != nil {
			return false, err
		}
	}
	same, err := s.retell(ctx, q, rows, was)
	if err != nil {
		return false, err
	}
	for i := range was { // labels are of the object as it is now
		if now[i].Path != "" {
			was[i].Object = now[i]
		}
	}
	alike, err := e.relabel(ctx, q, s, was)
	if fresh = fresh && same && alike && err == nil; fresh {
		e.looked = looked{b.Intent, was}
	}
	return fresh, err
}

// plainly is the object, or none where there is another thing.
func plainly(o Object) Object {
	if o.ID == "" {
		return Object{}
	}
	return o
}

func pathsOf(list []seen) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = list[i].Path
	}
	return out
}

// renew writes what a file is now, or takes it off the listing.
func (s *set) renew(ctx context.Context, q sqlwork.Session, p string, now Object) error {
	t, where := quote(s.name.Name), " WHERE "+quote(retention.FilePath)+" = ?"
	var err error
	if now.Path == "" {
		_, err = q.ExecContext(ctx, "DELETE FROM main."+t+where, p)
	} else {
		_, err = q.ExecContext(ctx, "UPDATE main."+t+" SET size = ?, modified = ?, "+colWas+" = ?"+where, now.Size, seconds(now), pack(nil, now), p)
	}
	return err
}

// retell asks the related rows again; same: they say what they said.
func (s *set) retell(ctx context.Context, q sqlwork.Session, rows rowsOf, list []seen) (same bool, err error) {
	same = true
	for i := range s.columns {
		c := &s.columns[i]
		if c.Row == nil {
			continue
		}
		var among []string
		for j := range list {
			among = append(among, ours(list[j].Path, c.Row.On.Ours))
		}
		slices.Sort(among)
		now, err := c.now(ctx, rows, slices.Compact(among))
		if err != nil {
			return false, err
		}
		for j := range list {
			v, err := now(ours(list[j].Path, c.Row.On.Ours))
			if err != nil {
				return false, err
			}
			if v == plain(list[j].said[i]) {
				continue
			}
			same = false
			if _, err := q.ExecContext(ctx, "UPDATE main."+quote(s.name.Name)+" SET "+quote(c.Name)+" = ? WHERE "+quote(retention.FilePath)+" = ?", v, list[j].Path); err != nil {
				return false, err
			}
		}
	}
	return same, nil
}

// plain is a value as it compares: drivers return texts in either form.
func plain(v any) any {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return v
}

// Do removes the files. What will go is in the journal, durable, before the first
// one goes.
func (e *engine) Do(ctx context.Context, q sqlwork.Session, b *retention.Batch, due []retention.Key, so retention.Outcome) ([]retention.Key, retention.Spared, error) {
	var left retention.Spared
	s, _ := e.of(b.Selection.Table.Name)
	if s != nil && b.Action.Kind == retention.Redact {
		return e.rewrite(ctx, q, s, b, due, so)
	}
	if s == nil || b.Action.Kind != retention.Delete && (b.Action.Kind != retention.Archive || !b.Action.Sealed) {
		return nil, left, fmt.Errorf("files %s: there is no action %q for files", b.Selection.Table.Name, b.Action.Kind)
	}
	list, err := e.recall(ctx, q, s, b.Intent, due)
	if err != nil {
		return nil, left, err
	}
	if len(list) != len(due) {
		return nil, left, fmt.Errorf("files %s: %d of %d files are in the listing", s.name, len(list), len(due))
	}
	of := make([]Object, len(list))
	for i := range list {
		of[i] = list[i].Object
	}
	end, err := e.compares(ctx, b, of)
	if err != nil {
		return nil, left, err
	}
	defer end()
	if err := e.noteDown(ctx, entry{Intent: b.Intent, Action: b.Action.Kind, Digest: b.Seal(int64(len(of)), due), Spared: so.Spared, Segments: so.Segments}, of); err != nil {
		return nil, left, err
	}
	b.Reach(retention.PointJournalled)
	ends, n := make([]error, len(of)), 0
	err = e.remove(context.WithoutCancel(ctx), b.Intent, of, func(i int, err error) {
		if ends[i] = err; n == len(of)/2 {
			b.Reach(retention.PointRemoving)
		}
		n++
	})
	if len(of) == 1 && errors.Is(ends[0], retention.ErrGaveWay) {
		return nil, left, ends[0]
	}
	done, left, failed := accounted(of, ends)
	failed.tell(b, "files could not be removed")
	return done, left, err
}

// accounted are the keys of what went, in order, and how the others ended.
func accounted(of []Object, ends []error) (done []retention.Key, left retention.Spared, failed causes) {
	done = make([]retention.Key, 0, len(of))
	for i, err := range ends {
		switch {
		case err == nil:
			done = append(done, retention.Key{of[i].Path})
		case errors.Is(err, ErrGone):
			left.Gone++
		case errors.Is(err, ErrChanged):
			left.Changed++
		default:
			left.Failed++
			failed.add(err)
		}
	}
	return done, left, failed
}

func (e *engine) of(n retention.TableName) (*set, rowsOf) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.declared.find(n), e.rows
}

// Forget takes off the listing what is gone: of a roll, whose keys are paths.
func (e *engine) Forget(table retention.TableName, keys []retention.Key) (n int64, ok bool, err error) {
	r := e.line.rolls.of[table.Name]
	if r == nil {
		return 0, false, nil
	}
	paths, err := pathsIn(keys)
	if err == nil {
		n, err = r.forget(paths)
	}
	return n, true, err
}

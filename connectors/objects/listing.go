package objects

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/retention"
)

// Columns of the listing that no rule sees.
const (
	colID    = "retentiond_id"
	colNanos = "retentiond_nanos"
	colFar   = "retentiond_far"
	colMore  = "retentiond_more"
	colLost  = "retentiond_lost" // it is not known whom it is about
)

// fixed is how many columns every listing begins with.
const fixed = 9

// create makes the set's table, empty.
func (s *set) create() []string {
	t := quote(s.name.Name)
	cols := []string{
		quote(retention.FilePath) + " TEXT NOT NULL PRIMARY KEY", quote(retention.FileName) + " TEXT NOT NULL", quote(retention.FileStem) + " TEXT NOT NULL",
		quote(retention.FileSize) + " INTEGER NOT NULL", quote(retention.FileModified) + " INTEGER NOT NULL",
		colID + " TEXT NOT NULL", colNanos + " INTEGER NOT NULL", colFar + " INTEGER NOT NULL", colMore + " INTEGER NOT NULL",
	}
	lost := "0"
	for _, c := range s.columns {
		if !c.Clock && (c.Row != nil || c.labelled()) {
			lost += " OR " + quote(c.Name) + " IS char(1)" // retention.Unsure
		}
		decl := " TEXT"
		if c.Clock && c.Row != nil {
			decl = " INTEGER"
		}
		cols = append(cols, quote(c.Name)+decl)
	}
	cols = append(cols, colLost+" INTEGER AS ("+lost+")")
	return []string{"DROP TABLE IF EXISTS main." + t, "CREATE TABLE main." + t + " (" + strings.Join(cols, ", ") + ") WITHOUT ROWID"}
}

// row appends the values of a file.
func (s *set) row(args []any, o Object, l Labels) []any {
	name := path.Base(o.Path)
	args = append(args, o.Path, name, stem(name), o.Size, seconds(o), o.ID, o.Nanos, o.Far, int64(o.More))
	for i := range s.columns {
		switch c := &s.columns[i]; {
		case c.Row != nil:
			args = append(args, nil)
		case c.labelled():
			args = append(args, c.from(l))
		default:
			args = append(args, c.of(o.Path))
		}
	}
	return args
}

// many is how many rows one statement inserts.
const many = 8

// filler inserts files into a set's table.
type filler struct {
	e      *engine
	wait   []Object // of a set that asks for labels: not labelled yet
	asks   bool
	set    *set
	conn   *sqlx.Conn
	full   *sqlx.Stmt
	args   []any
	n      int
	files  int64
	lost   int64
	unsafe string
}

func (e *engine) newFiller(ctx context.Context, conn *sqlx.Conn, s *set) (*filler, error) {
	for _, text := range s.create() {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return nil, fmt.Errorf("listing of %s: %w", s.name, err)
		}
	}
	f := &filler{e: e, set: s, conn: conn}
	var err error
	f.asks, _, _ = s.asks()
	f.full, err = conn.PreparexContext(ctx, f.insert(many))
	return f, err
}

// insert keeps one of two rows of a name: a file that was made anew while its folder
// was read may be met twice. It is looked at again before anything acts on it.
func (f *filler) insert(n int) string {
	one := "(?" + strings.Repeat(", ?", fixed-1+len(f.set.columns)) + ")"
	return "INSERT INTO main." + quote(f.set.name.Name) + " VALUES " + one + strings.Repeat(", "+one, n-1) + " ON CONFLICT DO NOTHING"
}

// atOnce is how many objects are asked for their labels at once.
const atOnce = 1000

func (f *filler) add(ctx context.Context, o Object) error {
	if !f.asks {
		return f.put(ctx, o, Labels{})
	}
	if f.wait = append(f.wait, o); len(f.wait) < atOnce {
		return nil
	}
	return f.label(ctx)
}

// label puts those that wait, with their labels.
func (f *filler) label(ctx context.Context) error {
	l, err := f.e.label(ctx, f.set, f.wait)
	for i := 0; err == nil && i < len(l); i++ {
		err = f.put(ctx, f.wait[i], l[i])
	}
	f.wait = f.wait[:0]
	return err
}

func (f *filler) put(ctx context.Context, o Object, l Labels) error {
	f.args = f.set.row(f.args, o, l)
	if f.n++; f.n < many {
		return nil
	}
	_, err := f.full.ExecContext(ctx, f.args...)
	f.args, f.n = f.args[:0], 0
	f.files += many
	return err
}

func (f *filler) end(ctx context.Context) error {
	if err := f.label(ctx); err != nil {
		return err
	}
	if f.n > 0 {
		if _, err := f.conn.ExecContext(ctx, f.insert(f.n), f.args...); err != nil {
			return err
		}
	}
	f.files += int64(f.n)
	return f.full.Close()
}

// lasting is how long a listing serves those who ask for the same again, in seconds:
// a run plans twice where it installs its gate. What was listed is looked at again
// before anything acts on it.
const lasting = 30

// listOnce lists the tree, unless that was done a moment ago.
func (e *engine) listOnce(ctx context.Context, all sets, rows rowsOf) error {
	e.listing.Lock()
	defer e.listing.Unlock()
	what, err := json.Marshal(prints(all))
	if err != nil {
		return err
	}
	now, err := e.line.clock(ctx)
	if err != nil {
		return err
	}
	if e.made.what == string(what) && now >= e.made.at && now < e.made.at+lasting {
		return nil
	}
	e.made.what = ""
	if err := e.list(ctx, all, rows); err != nil {
		return err
	}
	e.made.what, e.made.at = string(what), now
	return nil
}

// made is which listing there is, and since when, in seconds since 1970.
type made struct {
	what string
	at   int64
}

func prints(all sets) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = s.table().Fingerprint
	}
	return out
}

// list walks the tree and fills the tables of all sets anew.
func (e *engine) list(ctx context.Context, all sets, rows rowsOf) error {
	if err := e.line.take(ctx, 0); err != nil {
		return err
	}
	defer e.line.give()
	conn := e.line.conn
	last := context.WithoutCancel(ctx)
	if _, err := conn.ExecContext(last, "BEGIN"); err != nil {
		return err
	}
	err := e.fill(ctx, conn, all, rows)
	end := "COMMIT"
	if err != nil {
		end = "ROLLBACK"
	}
	if _, e := conn.ExecContext(last, end); err == nil {
		err = e
	}
	return err
}

func (e *engine) fill(ctx context.Context, conn *sqlx.Conn, all sets, rows rowsOf) error {
	fill := make([]*filler, len(all))
	for i, s := range all {
		var err error
		if fill[i], err = e.newFiller(ctx, conn, s); err != nil {
			return err
		}
	}
	odd, err := e.tree.Walk(ctx, all.patterns(), func(o Object, matches []int) error {
		if len(matches) > 1 {
			shared(fill, matches)
		}
		for _, i := range matches {
			if err := fill[i].add(ctx, o); err != nil {
				return fmt.Errorf("listing of %s: %w", all[i].name, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range fill {
		if err := f.end(ctx); err != nil {
			return fmt.Errorf("listing of %s: %w", f.set.name, err)
		}
		if err := f.relate(ctx, rows); err != nil {
			return err
		}
		if _, ok := e.tree.(Labeller); f.asks && !ok {
			f.unsafe = "a rule or a subject asks for metadata or tags, which files do not carry: objects of driver s3 do"
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range fill {
		f.set.files, f.set.lost, f.set.unsafe, f.set.odd = f.files, f.lost, f.unsafe, odd
	}
	return nil
}

// shared: a hold or a minimum on the one pattern would not protect the file under
// the other (L3, L4).
func shared(fill []*filler, matches []int) {
	for _, i := range matches {
		other := matches[0]
		if other == i {
			other = matches[1]
		}
		fill[i].unsafe = fmt.Sprintf("some of its files are also of the pattern %q, under which holds and minimums of this one would not protect them; write patterns that share no file", fill[other].set.name.Name)
	}
}

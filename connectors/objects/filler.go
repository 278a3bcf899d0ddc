package objects

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
)

// many is how many rows one statement inserts. The driver looks for each value's place
// among all of them: more rows a statement take longer.
const many = 8

// filler inserts files into a set's table.
type filler struct {
	roll   *roll // in the place of a table, where nothing but names and files tells
	e      *engine
	wait   []Object // of a set that asks for labels: not labelled yet
	asks   bool
	set    *set
	conn   *sqlx.Conn
	full   driver.Stmt
	args   []driver.NamedValue
	n      int
	files  int64
	lost   int64
	unsafe string
}

func (e *engine) newFiller(ctx context.Context, conn *sqlx.Conn, s *set) (*filler, error) {
	f := &filler{e: e, set: s, conn: conn}
	f.asks, _, _ = s.asks()
	if _, err := conn.ExecContext(ctx, "DROP TABLE IF EXISTS main."+quote(s.name.Name)); err != nil {
		return nil, fmt.Errorf("listing of %s: %w", s.name, err)
	}
	if !s.outside() {
		var err error
		if f.roll, err = newRoll(s); err == nil {
			e.line.rolls.newer[s.name.Name] = f.roll
			return f, nil
		} // there is no place for it: the database may have one
	}
	return f, f.table(ctx)
}

// table makes the set's table.
func (f *filler) table(ctx context.Context) (err error) {
	f.roll = nil
	if _, err := f.conn.ExecContext(ctx, f.set.create()); err != nil {
		return fmt.Errorf("listing of %s: %w", f.set.name, err)
	}
	f.full, err = f.prepare(ctx, many)
	return err
}

// unroll puts a roll's files into a table: they came in no order, since their folder has
// more of them than are read at once.
func (f *filler) unroll(ctx context.Context) error {
	r := f.roll
	delete(f.e.line.rolls.newer, f.set.name.Name)
	if err := r.ready(); err != nil {
		return errors.Join(err, r.close())
	}
	if err := f.table(ctx); err != nil {
		return errors.Join(err, r.close())
	}
	x := reader{roll: r}
	err := x.seek("")
	for err == nil && x.n < r.n {
		var o Object
		if o, err = x.object(); err == nil {
			err = f.row(ctx, o, Labels{})
		}
		if err == nil {
			err = x.next()
		}
	}
	return errors.Join(err, r.close())
}

// prepare takes the statement from the driver itself: a million rows are not to be
// checked value by value for what they might be.
func (f *filler) prepare(ctx context.Context, rows int) (stmt driver.Stmt, err error) {
	err = f.conn.Raw(func(c any) error {
		p, ok := c.(driver.ConnPrepareContext)
		if !ok {
			return errors.New("the private database prepares no statements")
		}
		stmt, err = p.PrepareContext(ctx, f.insert(rows))
		return err
	})
	return stmt, err
}

// insert keeps one of two rows of a name: a file that was made anew while its folder
// was read may be met twice. It is looked at again before anything acts on it.
func (f *filler) insert(n int) string {
	names := []string{quote("path"), quote("size"), quote("modified"), colWas}
	for _, c := range f.set.columns {
		names = append(names, quote(c.Name))
	}
	one := "(?" + strings.Repeat(", ?", len(names)-1) + ")"
	return "INSERT INTO main." + quote(f.set.name.Name) + " (" + strings.Join(names, ", ") + ") VALUES " + one + strings.Repeat(", "+one, n-1) + " ON CONFLICT DO NOTHING"
}

// atOnce is how many objects are asked for their labels at once.
const atOnce = 1000

func (f *filler) add(ctx context.Context, o Object) error {
	if !f.asks {
		return f.row(ctx, o, Labels{})
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
		err = f.row(ctx, f.wait[i], l[i])
	}
	f.wait = f.wait[:0]
	return err
}

// row puts the values of a file.
func (f *filler) row(ctx context.Context, o Object, l Labels) error {
	if f.roll != nil {
		err := f.roll.add(o)
		if !errors.Is(err, errDisorder) {
			return err
		}
		if err := f.unroll(ctx); err != nil {
			return err
		}
	}
	f.value(o.Path)
	f.value(o.Size)
	f.value(seconds(o))
	f.value(pack(nil, o))
	for i := range f.set.columns {
		switch c := &f.set.columns[i]; {
		case c.Row != nil:
			f.value(nil)
		case c.Content != "":
			f.value(c.formed(o))
		case c.labelled():
			f.value(c.from(l))
		default:
			f.value(c.of(o.Path))
		}
	}
	if f.n++; f.n < many {
		return nil
	}
	return f.put(ctx, f.full)
}

func (f *filler) value(v any) {
	f.args = append(f.args, driver.NamedValue{Ordinal: len(f.args) + 1, Value: v})
}

func (f *filler) put(ctx context.Context, stmt driver.Stmt) error {
	x, ok := stmt.(driver.StmtExecContext)
	if !ok {
		return errors.New("the private database runs no statements")
	}
	_, err := x.ExecContext(context.WithoutCancel(ctx), f.args)
	f.files += int64(f.n)
	f.args, f.n = f.args[:0], 0
	return err
}

// rolled ends a roll, which a table of its own then shows.
func (f *filler) rolled(ctx context.Context) error {
	f.files = f.roll.n
	err := f.roll.ready()
	if err == nil {
		_, err = f.conn.ExecContext(ctx, f.e.line.rolls.put(f.roll))
	}
	return err
}

func (f *filler) end(ctx context.Context) error {
	if err := f.label(ctx); err != nil {
		return err
	}
	if f.roll != nil {
		return f.rolled(ctx)
	}
	err := f.full.Close()
	if err != nil || f.n == 0 {
		return err
	}
	last, err := f.prepare(ctx, f.n)
	if err != nil {
		return err
	}
	return errors.Join(f.put(ctx, last), last.Close())
}

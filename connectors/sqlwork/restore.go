package sqlwork

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// Inserter is an engine whose sessions change what they are told to insert, unless
// they are asked not to.
type Inserter interface {
	// Exact makes the session insert values as they are, and again makes it what it
	// was.
	Exact(ctx context.Context, s Session) (again func(context.Context) error, err error)
	// Odd does it again where the error says that the session does not take a value
	// which a table may have all the same; any other error is returned. The caller reads
	// back what it gave.
	Odd(ctx context.Context, s Session, err error, do func() error) error
}

// insertExactly runs an INSERT of rows that are read back afterwards.
func (s *Source) insertExactly(ctx context.Context, q Session, text string, args []any) (n int64, err error) {
	do := func() error {
		done, err := q.ExecContext(ctx, text, args...)
		if err == nil {
			n, err = done.RowsAffected()
		}
		return err
	}
	if err = do(); err == nil {
		return n, nil
	}
	if e, ok := s.e.(Inserter); ok {
		err = e.Odd(ctx, q, err, do)
	}
	return n, err
}

// Restore inserts rows as they once were, all or none, and compares them before it
// commits.
func (s *Source) Restore(ctx context.Context, t retention.TableName, columns []retention.SegmentColumn, rows func(insert func(row []any) error) error) (n int64, err error) {
	err = s.e.Change(ctx, Loose, s.wait, func(q Session) error {
		n, err = s.restore(ctx, q, t, columns, rows)
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func (s *Source) restore(ctx context.Context, q Session, t retention.TableName, columns []retention.SegmentColumn, rows func(insert func(row []any) error) error) (n int64, err error) {
	into, err := s.insertion(ctx, q, t, columns)
	if err != nil {
		return 0, err
	}
	if e, ok := s.e.(Inserter); ok {
		again, err := e.Exact(ctx, q)
		if err != nil {
			return 0, fmt.Errorf("restore into table %s: %w", t, err)
		}
		defer func() {
			if e := again(ctx); err == nil {
				err = e
			}
		}()
	}
	back, err := s.restoring(ctx, q, into.live, into.names)
	if err != nil {
		return 0, fmt.Errorf("restore into table %s: %w", t, err)
	}
	args := make([]any, len(into.use))
	err = rows(func(row []any) error {
		for i, at := range into.use {
			args[i] = row[at]
		}
		err := s.put(ctx, q, t, into.text, args)
		if err == nil {
			err = back.add(ctx, args)
		}
		if err != nil {
			return fmt.Errorf("restore into table %s: row %d: %w", t, n+1, err)
		}
		n++
		return nil
	})
	if err != nil {
		return n, err
	}
	if err := back.finish(ctx); err != nil {
		return n, fmt.Errorf("restore into table %s: %w", t, err)
	}
	return n, nil
}

// put inserts one row: what the database did not take, or gave to another table, was
// not restored.
func (s *Source) put(ctx context.Context, q Session, t retention.TableName, text string, args []any) error {
	n, err := s.insertExactly(ctx, q, text, args)
	switch {
	case err != nil && s.e.Kind(err) == Duplicate:
		return fmt.Errorf("its key, or another unique value, is taken: restore into an empty table")
	case err != nil:
		return s.e.Explain(&retention.Table{Name: t}, err)
	}
	return exactly(t, "restored", n, 1)
}

// insertion is the statement, and which of the columns it takes, by place and by the
// table's own name: what the table computes itself is left to it.
type insertion struct {
	live  *retention.Table
	text  string
	use   []int
	names []string
}

func (s *Source) insertion(ctx context.Context, q Session, t retention.TableName, columns []retention.SegmentColumn) (out insertion, err error) {
	schema, err := s.e.Describe(ctx, q, []retention.TableName{t})
	if err != nil {
		return out, err
	}
	live := schema.Table(t)
	if live == nil {
		return out, fmt.Errorf("there is no table %s: make it first, with the columns that `retentiond archive show` lists", t)
	}
	for _, tr := range live.Triggers {
		if tr.Event == "INSERT" {
			return out, refusal(retention.RefuseUnsafeTable, "table %s has the trigger %s on INSERT, which may change or drop rows on their way: restore into a table without triggers", t, tr.Name)
		}
	}
	out.live = live
	d := s.e.Dialect()
	var names, values []sqlgen.SQL
	for i, c := range columns {
		have := live.Column(c.Name)
		switch {
		case have == nil:
			return out, fmt.Errorf("table %s has no column %q (%s): add it", t, c.Name, c.Decl)
		case have.Generated && !have.Numbered:
			continue
		}
		out.use, out.names = append(out.use, i), append(out.names, have.Name)
		names, values = append(names, sqlgen.Raw(d.Quote(c.Name))), append(values, sqlgen.Arg(nil))
	}
	// Arguments that are equal would share one placeholder: each is another here.
	for i := range values {
		values[i] = sqlgen.Arg(place(i))
	}
	overriding := ""
	if d.Overriding {
		overriding = " OVERRIDING SYSTEM VALUE"
	}
	x := d.Query(sqlgen.Format("INSERT INTO %s (%s)"+overriding+" VALUES (%s)", d.Table(live.Name), sqlgen.Join(", ", names...), sqlgen.Join(", ", values...)))
	out.text = x.Text
	return out, nil
}

// place keeps the placeholders of a statement apart.
type place int

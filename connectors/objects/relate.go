package objects

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// relate fills the columns that rows of databases say. Where those cannot be read,
// nothing acts on this set, and others go on.
func (f *filler) relate(ctx context.Context, rows rowsOf) error {
	s := f.set
	if !s.outside() {
		return nil
	}
	for i := range s.columns {
		if s.columns[i].Row == nil || f.files == 0 {
			continue
		}
		if err := f.relateColumn(ctx, rows, &s.columns[i]); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			f.unsafe = fmt.Sprintf("what rows say of its files is not known: source %q: %v", s.columns[i].Row.Source, err)
		}
	}
	return f.conn.GetContext(ctx, &f.lost, "SELECT count(*) FROM main."+quote(s.name.Name)+" WHERE "+colLost)
}

func (f *filler) relateColumn(ctx context.Context, rows rowsOf, c *column) error {
	s, conn := f.set, f.conn
	reader, err := rows(ctx, c.Row.Source)
	if err != nil {
		return err
	}
	for _, text := range []string{"DROP TABLE IF EXISTS temp.told", `CREATE TEMP TABLE told ("by" TEXT NOT NULL PRIMARY KEY, value, differ INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID`} {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	put, err := conn.PreparexContext(ctx, `INSERT INTO temp.told ("by", value) VALUES (?, ?) ON CONFLICT DO UPDATE SET differ = differ OR value IS NOT excluded.value`)
	if err != nil {
		return err
	}
	defer func() { _ = put.Close() }() // what it put is in the table
	if err := reader.Related(ctx, c.exact(), c.Clock, nil, func(by string, value any) error {
		_, err := put.ExecContext(ctx, by, told(value, c.Clock))
		return err
	}); err != nil {
		return err
	}
	// Rows that say different times, or none, leave the time unknown (L1); where none
	// says whom a file is about, that is unknown too, and not nobody (L3).
	from := " FROM temp.told WHERE \"by\" = o." + quote(c.Row.On.Ours) + ")"
	value := "CASE WHEN EXISTS (SELECT 1" + from + " THEN (SELECT iif(differ, char(1), value)" + from + " ELSE char(1) END"
	if c.Clock {
		value = "coalesce((SELECT iif(differ, 0, coalesce(value, -1))" + from + ", 0)"
		value = "nullif(" + value + ", -1)"
	}
	t := quote(s.name.Name)
	if _, err := conn.ExecContext(ctx, "UPDATE main."+t+" AS o SET "+quote(c.Name)+" = "+value); err != nil {
		return err
	}
	return f.several(ctx, c)
}

// several refuses files about whom rows name several persons: a hold on one of them
// would not be seen (L3).
func (f *filler) several(ctx context.Context, c *column) error {
	if c.Clock {
		return nil
	}
	var n int64
	err := f.conn.GetContext(ctx, &n, "SELECT count(*) FROM temp.told AS t WHERE differ AND EXISTS (SELECT 1 FROM main."+quote(f.set.name.Name)+" AS o WHERE o."+quote(c.Row.On.Ours)+" = t.\"by\")")
	if n > 0 {
		f.unsafe = fmt.Sprintf("several rows of %s name different persons for one file (%d files): a hold on one of them would not be seen", c.Row.Table, n)
	}
	return err
}

// exact asks for values that compare byte by byte, as the listing does.
func (c *column) exact() retention.FileRow {
	r := *c.Row
	r.Exact = true
	return r
}

// now is what related rows say of some files, by the files' own side: the same
// value that relate would write.
func (c *column) now(ctx context.Context, rows rowsOf, among []string) (func(by string) (any, error), error) {
	reader, err := rows(ctx, c.Row.Source)
	if err != nil {
		return nil, fmt.Errorf("source %q: %w", c.Row.Source, err)
	}
	said, differ := map[string]any{}, map[string]bool{}
	if len(among) > 0 {
		err = reader.Related(ctx, c.exact(), c.Clock, among, func(by string, value any) error {
			v := told(value, c.Clock)
			if had, twice := said[by]; twice && had != v {
				differ[by] = true
			}
			said[by] = v
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("source %q: %w", c.Row.Source, err)
	}
	return func(by string) (any, error) {
		v, there := said[by]
		switch {
		case differ[by] && !c.Clock:
			return nil, &retention.Refusal{Code: retention.RefuseUnsafeTable, Message: fmt.Sprintf("several rows of %s name different persons for one file", c.Row.Table)}
		case c.Clock && (differ[by] || !there):
			return int64(0), nil
		case !there:
			return retention.Unsure, nil
		}
		return v, nil
	}, nil
}

package objects

import (
	"context"
	"fmt"
	"hash/maphash"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Which files have which form is written beside the gate, in the batch's own
// transaction: by what tells one file, as it is, from every other, and by no name. The
// time at which anything about a file last changed is part of it: nobody can set that
// back, and a file that was renamed, or restored, is read again.

const (
	formTable = "gate.retentiond_form"
	formSQL   = "CREATE TABLE IF NOT EXISTS " + formTable + " (form TEXT NOT NULL, id TEXT NOT NULL, size INTEGER NOT NULL, nanos INTEGER NOT NULL, far INTEGER NOT NULL, turned INTEGER NOT NULL, PRIMARY KEY (form, id, size, nanos, far, turned)) WITHOUT ROWID"
)

// forms are files that have a form, by what tells them from every other.
type forms struct {
	seed maphash.Seed
	of   map[uint64]struct{}
}

// state is a file as it is.
type state struct {
	id                       string
	size, nanos, far, turned int64
}

func (f *forms) print(o Object) uint64 {
	return maphash.Comparable(f.seed, state{o.ID, o.Size, o.Nanos, o.Far, o.Turned})
}

// formed is what the listing says of a file's form: 1, or nothing.
func (c *column) formed(o Object) any {
	if c.known == nil || o.Turned == 0 {
		return nil
	}
	if _, ok := c.known.of[c.known.print(o)]; ok {
		return "1"
	}
	return nil
}

// knownForms reads which files have their form, where rules ask.
func (e *engine) knownForms(ctx context.Context, all sets) error {
	for _, s := range all {
		for i := range s.columns {
			if c := &s.columns[i]; c.Content != "" {
				if err := e.knownForm(ctx, c); err != nil {
					return fmt.Errorf("which files are redacted: %w", err)
				}
			}
		}
	}
	return nil
}

func (e *engine) knownForm(ctx context.Context, c *column) error {
	c.known = &forms{maphash.MakeSeed(), map[uint64]struct{}{}}
	l := e.line
	if err := l.attach(ctx, false); err != nil || !l.attached {
		return err
	}
	var n int
	if err := l.conn.GetContext(ctx, &n, "SELECT count(*) FROM gate.sqlite_schema WHERE type = 'table' AND name = 'retentiond_form'"); err != nil || n == 0 {
		return err
	}
	rows, err := l.conn.QueryxContext(ctx, "SELECT id, size, nanos, far, turned FROM "+formTable+" WHERE form = ?", c.Content)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var o Object
		if err := rows.Scan(&o.ID, &o.Size, &o.Nanos, &o.Far, &o.Turned); err != nil {
			return err
		}
		c.known.of[c.known.print(o)] = struct{}{}
	}
	return rows.Err()
}

// remember writes down that files have the form, and makes the listing say so.
func (e *engine) remember(ctx context.Context, q sqlwork.Session, s *set, form string, now []Object) error {
	if _, err := q.ExecContext(ctx, formSQL); err != nil {
		return fmt.Errorf("which files are redacted: %w", err)
	}
	if err := e.pruneForms(ctx, q, form); err != nil {
		return err
	}
	for _, o := range now {
		if err := s.renew(ctx, q, o.Path, o); err != nil {
			return err
		}
		if _, err := q.ExecContext(ctx, "UPDATE main."+quote(s.name.Name)+" SET "+quote(form)+" = '1' WHERE "+quote(retention.FilePath)+" = ?", o.Path); err != nil {
			return err
		}
		if _, err := q.ExecContext(ctx, "INSERT INTO "+formTable+" VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", form, o.ID, o.Size, o.Nanos, o.Far, o.Turned); err != nil {
			return fmt.Errorf("which files are redacted: %w", err)
		}
	}
	return nil
}

// spareForms is how many files that are gone are remembered at least.
const spareForms = 10_000

// pruneForms forgets all files, once a listing, where most of those that it knows are
// gone: those that are there are read again, and found done.
func (e *engine) pruneForms(ctx context.Context, q sqlwork.Session, form string) error {
	if e.pruned == e.made.at {
		return nil
	}
	e.pruned = e.made.at
	var there, known int64
	e.mu.Lock()
	for _, s := range e.declared {
		if s.column(form) != nil {
			there += s.files
		}
	}
	e.mu.Unlock()
	if err := q.GetContext(ctx, &known, "SELECT count(*) FROM "+formTable+" WHERE form = ?", form); err != nil || known <= spareForms+2*there {
		return err
	}
	_, err := q.ExecContext(ctx, "DELETE FROM "+formTable+" WHERE form = ?", form)
	return err
}

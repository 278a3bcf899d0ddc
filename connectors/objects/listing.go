package objects

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/retention"
)

// Columns of the listing that no rule sees.
const (
	colWas  = "retentiond_was"  // what tells the file from another; see [pack]
	colLost = "retentiond_lost" // it is not known whom it is about
)

// create makes the set's table, empty.
func (s *set) create() string {
	t, p := quote(s.name.Name), quote(retention.FilePath)
	cols := []string{
		p + " TEXT NOT NULL PRIMARY KEY", quote(retention.FileSize) + " INTEGER NOT NULL", quote(retention.FileModified) + " INTEGER NOT NULL", colWas + " BLOB NOT NULL",
		quote(retention.FileName) + " TEXT AS (retentiond_name(" + p + "))", quote(retention.FileStem) + " TEXT AS (retentiond_stem(" + p + "))",
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
	return "CREATE TABLE main." + t + " (" + strings.Join(cols, ", ") + ") WITHOUT ROWID"
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
	if err := e.knownForms(ctx, all); err != nil {
		return err
	}
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
	if e := e.line.rolls.settle(all, err == nil); err == nil {
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
	odd, err := e.walked(ctx, all.patterns(), func(o found) error {
		if len(o.matches) > 1 {
			shared(fill, o.matches)
		}
		for _, i := range o.matches {
			if err := fill[i].add(ctx, o.Object); err != nil {
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

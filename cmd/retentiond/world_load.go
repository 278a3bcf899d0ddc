package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the demo's databases

	"github.com/retentiond/retentiond/testdata"
)

// filler fills one database. Its first error makes every later call do nothing.
type filler struct {
	*dice
	policy  string
	rows    int
	dir     string // of the world
	kept    int    // files written
	stories []Story

	ctx     context.Context
	conn    *sql.Conn
	count   *counter
	pending int // rows since the last commit
	err     error
}

// commitEvery is how many rows go in one transaction.
const commitEvery = 50_000

// run makes the file, its tables, its rows, then its indexes.
func (f *filler) run(ctx context.Context, path string, fill func(*filler)) error {
	ddl, err := testdata.Schema(f.policy, "sqlite")
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return fmt.Errorf("demo database %s: %w", path, err)
	}
	defer db.Close()
	if f.conn, err = db.Conn(ctx); err != nil {
		return fmt.Errorf("demo database %s: %w", path, err)
	}
	defer f.conn.Close()
	f.ctx = ctx
	tables, indexes := splitDDL(ddl)
	// Nothing is worth a journal before the file is whole.
	f.exec("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -8192")
	f.exec(tables, "BEGIN")
	fill(f)
	f.exec("COMMIT", indexes, "PRAGMA journal_mode = WAL")
	if f.err != nil {
		return fmt.Errorf("demo database %s: %w", path, f.err)
	}
	return nil
}

// splitDDL parts a schema into its tables and its indexes: loading is faster
// without the latter.
func splitDDL(ddl string) (tables, indexes string) {
	var t, i strings.Builder
	for line := range strings.Lines(ddl) {
		if strings.HasPrefix(line, "CREATE INDEX") {
			i.WriteString(line)
		} else {
			t.WriteString(line)
		}
	}
	return t.String(), i.String()
}

func (f *filler) exec(statements ...string) {
	for _, s := range statements {
		if f.err == nil {
			_, f.err = f.conn.ExecContext(f.ctx, s)
		}
	}
}

// some returns that part of the size asked for, but a few rows at least.
func (f *filler) some(part int) int64 { return int64(max(f.rows/part, 6)) }

// story remembers a row worth a look.
func (f *filler) story(dataset string, key any, why string) {
	f.stories = append(f.stories, Story{f.policy + "/" + dataset, fmt.Sprint(key), why})
}

// writer inserts rows of one table, many in one statement.
type writer struct {
	f       *filler
	insert  string
	columns int
	args    []any
	full    *sql.Stmt
}

// rowsPerInsert keeps a statement well under SQLite's limit of variables.
const rowsPerInsert = 40

func (f *filler) table(name string, columns ...string) *writer {
	w := &writer{f: f, columns: len(columns)}
	w.insert = "INSERT INTO " + name + " (" + strings.Join(columns, ", ") + ") VALUES "
	if f.err == nil {
		w.full, f.err = f.conn.PrepareContext(f.ctx, w.text(rowsPerInsert))
	}
	return w
}

func (w *writer) text(rows int) string {
	row := "(" + strings.Repeat("?, ", w.columns-1) + "?)"
	return w.insert + strings.Repeat(row+", ", rows-1) + row
}

// add inserts one row, now or with the next ones.
func (w *writer) add(values ...any) {
	if w.f.err != nil {
		return
	}
	if len(values) != w.columns {
		w.f.err = fmt.Errorf("%s takes %d values, not %d", w.insert, w.columns, len(values))
		return
	}
	w.args = append(w.args, values...)
	if len(w.args) == rowsPerInsert*w.columns {
		_, w.f.err = w.full.ExecContext(w.f.ctx, w.args...)
		w.written()
	}
}

// close inserts what is left.
func (w *writer) close() {
	if w.full != nil {
		defer func() { _ = w.full.Close() }() // a prepared statement holds nothing
	}
	if w.f.err == nil && len(w.args) > 0 {
		_, w.f.err = w.f.conn.ExecContext(w.f.ctx, w.text(len(w.args)/w.columns), w.args...)
		w.written()
	}
}

func (w *writer) written() {
	n := len(w.args) / w.columns
	w.args = w.args[:0]
	w.f.count.add(n)
	if w.f.pending += n; w.f.pending >= commitEvery {
		w.f.pending = 0
		w.f.exec("COMMIT", "BEGIN")
	}
}

// counter adds up the rows of all systems for the progress bar.
type counter struct {
	mu          sync.Mutex
	done, total int
	told        int
	report      func(done, total int)
}

func (c *counter) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done += n
	if c.report != nil && c.done-c.told >= c.total/200+1 {
		c.told = c.done
		c.report(min(c.done, c.total), c.total)
	}
}

// finish tells the end and returns the rows written.
func (c *counter) finish(ok bool) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ok && c.report != nil {
		c.report(c.total, c.total)
	}
	return int64(c.done)
}

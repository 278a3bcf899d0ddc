package objects

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite/vtab"

	"github.com/retentiond/retentiond/connectors/sqlite"
	"github.com/retentiond/retentiond/retention"
)

// line is one connection to a private database, with the gate file beside it once
// that exists. One uses it at a time.
type line struct {
	gate     string        // path of the gate file
	free     chan struct{} // holds a token while nobody uses the line
	db       *sqlx.DB
	conn     *sqlx.Conn
	attached bool
	rolls    *rolls
}

func newLine(ctx context.Context, gate string) (*line, error) {
	l := &line{gate: gate, free: make(chan struct{}, 1), rolls: newRolls()}
	var err error
	more := sqlite.More{
		Functions: map[string]func(string) string{"retentiond_name": path.Base, "retentiond_stem": func(p string) string { return stem(path.Base(p)) }},
		Modules:   map[string]vtab.Module{rollModule: l.rolls},
	}
	if l.db, l.conn, err = sqlite.Private(ctx, more); err != nil {
		return nil, err
	}
	for _, text := range []string{"PRAGMA main.journal_mode = MEMORY", "PRAGMA main.synchronous = OFF", "PRAGMA main.cache_size = -16000", "PRAGMA temp_store = FILE"} {
		if _, err := l.conn.ExecContext(ctx, text); err != nil {
			return nil, errors.Join(fmt.Errorf("private database: %w", err), l.db.Close())
		}
	}
	l.free <- struct{}{}
	return l, nil
}

// take waits for the line, at most wait (0: as long as ctx lasts).
func (l *line) take(ctx context.Context, wait time.Duration) error {
	if wait > 0 {
		limited, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		ctx = limited
	}
	select {
	case <-l.free:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: another batch of this process is at work: %w", retention.ErrLocked, ctx.Err())
	}
}

// clock is the machine's, in seconds since 1970.
func (l *line) clock(ctx context.Context) (now int64, err error) {
	if err := l.take(ctx, 0); err != nil {
		return 0, err
	}
	defer l.give()
	err = l.conn.GetContext(ctx, &now, "SELECT unixepoch()")
	return now, err
}

func (l *line) give() { l.free <- struct{}{} }

// attach opens the gate file beside the private database, and makes it where that
// is asked for. Whoever may only read it reads it.
func (l *line) attach(ctx context.Context, make bool) error {
	if l.attached {
		return nil
	}
	_, err := os.Stat(l.gate) // neither opens nor closes the file, so that no lock is dropped
	switch {
	case errors.Is(err, fs.ErrNotExist) && !make:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		if err := makeGate(l.gate); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("gate file %s: %w", l.gate, err)
	}
	u := url.URL{Scheme: "file", Path: l.gate, RawQuery: "mode=rw"}
	// Whoever commits to it locks it for a moment: that is waited for from the first look.
	if _, err := l.conn.ExecContext(ctx, "PRAGMA busy_timeout = 5000"); err != nil {
		return fmt.Errorf("gate file %s: %w", l.gate, err)
	}
	if _, err := l.conn.ExecContext(ctx, "ATTACH DATABASE ? AS gate", u.String()); err != nil {
		return fmt.Errorf("gate file %s: %w", l.gate, err)
	}
	l.attached = true
	if _, err := l.conn.ExecContext(ctx, "PRAGMA gate.synchronous = FULL"); err != nil {
		return fmt.Errorf("gate file %s: %w", l.gate, err)
	}
	return nil
}

// makeGate makes an empty file that only its owner reads. One that exists is left.
func makeGate(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("gate file %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return fmt.Errorf("gate file %s: %w", path, err)
	}
	return nil
}

// read runs do in a transaction that SQLite itself holds read-only.
func (l *line) read(ctx context.Context, do func(*sqlx.Conn) error) error {
	if err := l.attach(ctx, false); err != nil {
		return err
	}
	return l.within(ctx, "PRAGMA query_only = 1", "BEGIN", func() error { return do(l.conn) })
}

// within runs do in a transaction that is rolled back.
func (l *line) within(ctx context.Context, mode, begin string, do func() error) error {
	last := context.WithoutCancel(ctx)
	for _, text := range []string{mode, begin} {
		if _, err := l.conn.ExecContext(last, text); err != nil {
			return err
		}
	}
	err := do()
	_, _ = l.conn.ExecContext(last, "ROLLBACK") // an interrupted statement may have ended it
	if _, e := l.conn.ExecContext(last, "PRAGMA query_only = 0"); err == nil {
		err = e
	}
	return err
}

// write runs do in a transaction that has the gate's write lock, and commits.
func (l *line) write(ctx context.Context, wait time.Duration, do func(*sqlx.Conn) error) error {
	if err := sqlite.Begin(ctx, l.conn, wait); err != nil {
		return err
	}
	last := context.WithoutCancel(ctx)
	err := do(l.conn)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		if _, err = l.conn.ExecContext(last, "COMMIT"); err == nil {
			return nil
		}
		err = fmt.Errorf("commit: %w", err)
	}
	_, _ = l.conn.ExecContext(last, "ROLLBACK")
	return err
}

func (l *line) close() error {
	return errors.Join(l.conn.Close(), l.db.Close(), l.rolls.close())
}

package engine_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/state"
)

// yard is where worlds of one engine are built: a directory, and what is alike
// in every one of them, made once.
type yard struct {
	*ground
	dir   string
	roomy bool   // a server may live there, too
	key   []byte // the key file of the audit log
	state []byte // an empty state store that knows the key
	last  atomic.Int64
	// Worlds in which rows went to a vault, and out of it, by kind of vault.
	archived, ended, barred tallies
	// plot makes an empty database for one world.
	plot func(ctx context.Context, dir string) (*plot, error)
}

// tallies count by name.
type tallies struct {
	mu sync.Mutex
	of map[string]int
}

func (t *tallies) add(name string, is bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[string]int{}
	}
	if is {
		t.of[name]++
	}
}

// plot is one world's database: the application's session, the DSN for the
// connector, and what drops it.
type plot struct {
	app   *sql.DB // one session
	dsn   string
	ready string // sets the session for reading, once the world stands; may be empty
	drop  func()
}

func newYard(t *testing.T, on string) *yard {
	t.Helper()
	y := &yard{ground: groundOf(on), plot: sqlitePlot}
	y.dir, y.roomy = roomyDir(t)
	if y.ground == nil {
		t.Fatalf("no worlds on %q", on)
	}
	if y.name != "sqlite" {
		y.plot = serverPlot(t, y)
	}
	if err := y.found(t.Context()); err != nil {
		t.Fatal(err)
	}
	return y
}

// found makes the files that every state begins with.
func (y *yard) found(ctx context.Context) error {
	store, err := y.openState(ctx, y.dir, startOfWorlds)
	if err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return err
	}
	if y.key, err = os.ReadFile(filepath.Join(y.dir, keyFile)); err == nil {
		y.state, err = os.ReadFile(filepath.Join(y.dir, stateFile))
	}
	return err
}

// Names of a state's files.
const (
	keyFile   = "audit.key"
	stateFile = "state.db"

	auditOrigin = "example.org/world"
)

func (y *yard) openState(ctx context.Context, dir string, clock func() time.Time) (*state.Store, error) {
	key, err := audit.LoadOrCreateKey(filepath.Join(dir, keyFile), auditOrigin)
	if err != nil {
		return nil, err
	}
	return state.Open(ctx, state.Options{DSN: "sqlite:" + filepath.Join(dir, stateFile), Key: key, Clock: clock})
}

// newState opens a state that nothing was done in.
func (y *yard) newState(ctx context.Context, dir string, clock func() time.Time) (*state.Store, error) {
	for name, b := range map[string][]byte{keyFile: y.key, stateFile: y.state} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return nil, err
		}
	}
	return y.openState(ctx, dir, clock)
}

// checkWorld checks the world on a plot of its own.
func (y *yard) checkWorld(ctx context.Context, w *world, policies []string, schema string) error {
	dir := filepath.Join(y.dir, fmt.Sprint("world", y.last.Add(1)))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return check(ctx, y, dir, w, policies, schema)
}

// open opens the plot as the command does, with the connector of this build.
func (y *yard) open(p *plot) func(context.Context) (retention.Source, error) {
	return func(ctx context.Context) (retention.Source, error) {
		return connectors.Default().Open(ctx, y.name, connectors.Options{DSN: p.dsn})
	}
}

// sqlitePlot opens the file beside the connector, with the same library: SQLite
// keeps its locks apart by itself.
func sqlitePlot(ctx context.Context, dir string) (*plot, error) {
	path := filepath.Join(dir, "db.sqlite")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF"); err != nil {
		return nil, err
	}
	return &plot{app: db, dsn: path, drop: func() { _ = db.Close() }}, nil
}

package state

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// ground is where a store stands.
type ground string

const (
	onFile   ground = "sqlite"
	onServer ground = "postgres"
)

// onEach runs a test on each kind of store: same code, same tests.
func onEach(t *testing.T, test func(t *testing.T, on ground)) {
	for _, on := range []ground{onFile, onServer} {
		t.Run(string(on), func(t *testing.T) {
			t.Parallel()
			test(t, on)
		})
	}
}

// bench is a store on a real file or server, with a clock that tests move.
type bench struct {
	*Store
	t   testing.TB
	on  ground
	dsn string // of the server
	dir string
	mu  sync.Mutex
	at  time.Time
}

func setup(t testing.TB, on ground) *bench {
	t.Helper()
	b := &bench{t: t, on: on, dir: t.TempDir(), at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	b.Store = b.open()
	return b
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = b.at.Add(d)
}

func (b *bench) options() Options {
	b.t.Helper()
	key, err := audit.LoadOrCreateKey(filepath.Join(b.dir, "audit.key"), "example.org/retention")
	must(b.t, err)
	return Options{DSN: b.where(), Key: key, Clock: b.now, ForceClock: true}
}

// where is the store's DSN: a file, or a schema of its own.
func (b *bench) where() string {
	b.t.Helper()
	if b.on == onFile {
		return "sqlite:" + filepath.Join(b.dir, "state.db")
	}
	if b.dsn == "" {
		b.dsn = schemaOf(b.t)
	}
	return b.dsn
}

// schemaOf names a schema that nobody else has, and drops it at the end.
func schemaOf(t testing.TB) string {
	t.Helper()
	admin := servers.Postgres(t).Admin()
	schema := "s_" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		db, err := sqlx.Open("postgres", admin)
		must(t, err)
		_, err = db.Exec("DROP SCHEMA IF EXISTS " + schema + " CASCADE")
		must(t, errors.Join(err, db.Close()))
	})
	return admin + map[bool]string{true: "&", false: "?"}[strings.Contains(admin, "?")] + "schema=" + schema
}

// sql changes the store behind its back; texts are SQLite's.
func (b *bench) sql(query string, args ...any) {
	b.t.Helper()
	b.change(b.Store, query, args...)
}

func (b *bench) change(s *Store, query string, args ...any) {
	b.t.Helper()
	if b.on == onServer {
		query = strings.NewReplacer("zeroblob(32)", "decode(repeat('00', 32), 'hex')", "x'7b7d'", "'{}'",
			" replace(", " replaced(", "CAST(replace(", "(replaced(", " AS BLOB)", ")").Replace(query)
	}
	must(b.t, s.base.within(b.t.Context(), true, func(t *sqlx.Tx, _ time.Time) error {
		if strings.Contains(query, "replaced(") {
			if _, err := t.Exec(`CREATE OR REPLACE FUNCTION replaced(bytea, text, text) RETURNS bytea LANGUAGE sql
				AS 'SELECT convert_to(replace(convert_from($1, ''UTF8''), $2, $3), ''UTF8'')'`); err != nil {
				return err
			}
		}
		_, err := t.Exec(t.Rebind(query), args...)
		return err
	}))
}

// elsewhere is sql in another process' connection.
func (b *bench) elsewhere(query string) {
	b.t.Helper()
	b.change(b.open(), query)
}

// one reads one value.
func (b *bench) one(dest any, query string, args ...any) error {
	return b.base.within(b.t.Context(), false, func(t *sqlx.Tx, _ time.Time) error {
		return t.Get(dest, t.Rebind(query), args...)
	})
}

// file is the database of a store in a file.
func (b *bench) file() *sqlx.DB {
	f, ok := b.base.(*sqliteFile)
	if !ok {
		b.t.Fatal("the store is in no file")
	}
	return f.db
}

// open opens another handle on the same store.
func (b *bench) open() *Store {
	b.t.Helper()
	s, err := Open(b.t.Context(), b.options())
	must(b.t, err)
	b.t.Cleanup(func() { must(b.t, s.Close()) })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lease takes the lease and begins a run under it.
func (b *bench) begin(id string) retention.Lease {
	b.t.Helper()
	l, err := b.Lease(b.t.Context(), "test "+id, []string{"rule:shop/carts"})
	must(b.t, err)
	must(b.t, b.BeginRun(b.t.Context(), retention.Run{ID: id, Plan: "p1", AsOf: b.now(), Started: b.now(), Attempt: l.Attempt, By: "alice"}))
	return l
}

func intent(id string, l retention.Lease) retention.Intent {
	return retention.Intent{ID: id, Run: "r1", Attempt: l.Attempt, Source: "crm", SourceUUID: "u1", Policy: "shop", Rule: "carts",
		Stage: 1, Action: retention.Delete, Table: "carts", Planned: 10}
}

func TestRunOfABatch(t *testing.T) { onEach(t, testRunOfABatch) }

func testRunOfABatch(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	l := b.begin("r1")
	must(t, b.Intend(ctx, intent("r1-0-0", l)))
	open, err := b.OpenIntents(ctx)
	must(t, err)
	if len(open) != 1 || open[0].ID != "r1-0-0" || open[0].Planned != 10 {
		t.Fatalf("open intents: %+v", open)
	}
	must(t, b.Conclude(ctx, "r1-0-0", retention.Outcome{Done: 9, Spared: retention.Spared{Held: 1}, Digest: "d"}, false))
	must(t, b.EndRun(ctx, retention.RunReport{Run: "r1", Plan: "p1", Verdict: retention.VerdictOK}))
	c, err := b.Checkpoint(ctx)
	must(t, err)
	if c.Size != 4 || c.Total != 4 || c.Log != "2026" {
		t.Fatalf("checkpoint: %+v", c)
	}
	h, err := b.PlaceHold(ctx, retention.Hold{Matter: "m", Subjects: []retention.SubjectID{{Type: "person", ID: "42"}}, PlacedBy: "bob", Reason: "why"})
	must(t, err)
	set, err := b.Admit(ctx, retention.SourceRecord{Name: "crm", UUID: "u1"}, l.Attempt, retention.Gate{Installed: true, StoreUUID: b.UUID(), LogSize: c.Total, LogRoot: c.Root})
	must(t, err)
	if set.Version != h.Version || len(set.Subjects["person"]) != 1 {
		t.Fatalf("holds: %+v", set)
	}
}

// refused fails unless err is a refusal of that code that says so.
func refused(t *testing.T, err error, code retention.RefusalCode, says string) {
	t.Helper()
	r, ok := errors.AsType[*retention.Refusal](err)
	if !ok || r.Code != code || !strings.Contains(r.Message, says) {
		t.Errorf("got %v, want refusal %s that says %q", err, code, says)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	must(t, err)
	return string(text)
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	must(t, os.WriteFile(name, []byte(text), 0o600))
}

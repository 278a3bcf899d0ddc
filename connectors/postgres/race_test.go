package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

const prospects = `CREATE TABLE prospects (id bigint PRIMARY KEY, person_id text, email text, created_at timestamptz);
CREATE TABLE interactions (id bigserial PRIMARY KEY, prospect_id bigint, direction text, occurred_at timestamptz);
CREATE INDEX prospects_created ON prospects (created_at); CREATE INDEX interactions_prospect ON interactions (prospect_id); CREATE INDEX prospects_person ON prospects (person_id);
INSERT INTO prospects SELECT i, 'p' || i, i || '@x.fr', CASE WHEN i % 5 < 2 THEN TIMESTAMPTZ '2020-01-01 00:00+00' ELSE '2025-01-01 00:00+00' END + i * interval '1 minute' FROM generate_series(1, 20) AS i;
INSERT INTO interactions (prospect_id, direction, occurred_at) VALUES (1, 'in', '2020-02-01'), (1, 'out', '2020-02-02'), (3, 'in', '2020-02-01');
`

func contacts() retention.MemberTest {
	m := member("")
	m.Related = &retention.Relation{Table: tn("interactions"), On: []retention.Pair{{Theirs: "prospect_id", Ours: "id"}}, Column: "occurred_at"}
	return m
}

// A contact that commits while the batch waits for the row's lock spares the row:
// it is tested in a statement that begins once the lock is held (L6).
func TestContactWhileWaiting(t *testing.T) {
	for name, keys := range map[string][]any{"by key": {1, 5}, "by range": nil} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, prospects, "prospects", "interactions")
			sel := b.selection("prospects", "created_at")
			sel.Clock = latest(member("created_at"), contacts())
			sel.Clock.Members[0].Cutoff = time.Date(2020, 1, 1, 0, 6, 0, 0, time.UTC)
			x := b.batch(sel, retention.Act{Kind: retention.Delete}, keys...)
			if keys == nil {
				x.Range = &retention.Range{Most: 100}
			}
			app, err := b.app.BeginTxx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"UPDATE prospects SET email = 'again' WHERE id = 5", "INSERT INTO interactions (prospect_id, direction, occurred_at) VALUES (5, 'in', '2025-05-05')"} {
				if _, err := app.ExecContext(t.Context(), text); err != nil {
					t.Fatal(err)
				}
			}
			done := make(chan error, 1)
			var out retention.Outcome
			go func() {
				var err error
				out, err = b.s.Apply(t.Context(), x)
				done <- err
			}()
			time.Sleep(300 * time.Millisecond)
			if err := app.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if out.Done != 1 || out.Spared.Changed+out.Spared.Gone > 1 {
				t.Errorf("%+v", out)
			}
			b.wantRows("SELECT id FROM prospects WHERE id IN (1, 5)", "5")
		})
	}
}

// What an application changes while a sweep waits is tested again by the database.
func TestClockMovesWhileWaiting(t *testing.T) {
	b := setup(t, prospects, "prospects")
	app, err := b.app.BeginTxx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.ExecContext(t.Context(), "UPDATE prospects SET created_at = '2025-01-01' WHERE id = 6"); err != nil {
		t.Fatal(err)
	}
	x := b.batch(b.selection("prospects", "created_at"), retention.Act{Kind: retention.Delete})
	x.Range = &retention.Range{Most: 100}
	done := make(chan error, 1)
	go func() { _, err := b.s.Apply(t.Context(), x); done <- err }()
	time.Sleep(300 * time.Millisecond)
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b.wantRows("SELECT count(*) FROM prospects", "13")
	b.wantRows("SELECT id FROM prospects WHERE id = 6", "6")
}

// The schema is looked at again at the batch's end: what changed between the
// first look and the first touch is found.
func TestSchemaMovesInsideABatch(t *testing.T) {
	b := setup(t, prospects, "prospects")
	x := b.batch(b.selection("prospects", "created_at"), retention.Act{Kind: retention.Delete}, 5, 6)
	seal := x.Seal
	var other error
	x.Seal = func(n int64, keys []retention.Key) string { // rows are locked now: DDL must wait for us
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, other = b.app.ExecContext(ctx, "ALTER TABLE prospects ADD COLUMN late int")
		return seal(n, keys)
	}
	b.apply(x)
	if other == nil {
		t.Error("the table was altered inside the batch")
	}
	b.wantPrints("prospects", map[string]bool{
		"CREATE INDEX ON prospects (email)": false, "ANALYZE prospects": false, "VACUUM prospects": false, "INSERT INTO prospects VALUES (99)": false,
		"ALTER TABLE prospects ADD COLUMN extra int": true, "CREATE TABLE x (id int PRIMARY KEY, p bigint REFERENCES prospects)": true, "ALTER TABLE prospects ENABLE ROW LEVEL SECURITY": true,
		"CREATE RULE r AS ON DELETE TO prospects DO INSTEAD NOTHING": true, "ALTER TABLE prospects ADD CHECK (id > 0)": true, "ALTER TABLE prospects ALTER COLUMN email SET DEFAULT 'x'": true,
		"CREATE TABLE heir () INHERITS (prospects)": true,
	})
	y := b.batch(b.selection("prospects", "created_at"), retention.Act{Kind: retention.Delete}, 10)
	var r *retention.Refusal
	if _, err := b.s.Apply(t.Context(), y); !errors.As(err, &r) || r.Code != retention.RefuseSchemaDrift {
		t.Errorf("got %v", err)
	}
}

// Of a partitioned table, its partitions count too; and a table that has another's
// name is not that table.
func TestPrintsOfPartitions(t *testing.T) {
	b := setup(t, `CREATE TABLE ev (id bigint, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE ev_1 PARTITION OF ev FOR VALUES FROM ('2020-01-01') TO ('2021-01-01'); CREATE TABLE ev_2 PARTITION OF ev FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE ev_3 (LIKE ev); CREATE TABLE other (LIKE ev); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`, "ev")
	b.wantPrints("ev", map[string]bool{
		"INSERT INTO ev VALUES (1, '2020-02-01')":                                               false,
		"ALTER TABLE ev ATTACH PARTITION ev_3 FOR VALUES FROM ('2022-01-01') TO ('2023-01-01')": true, "DROP TABLE ev_2": true,
		"CREATE TRIGGER t AFTER DELETE ON ev_1 FOR EACH ROW EXECUTE FUNCTION f()": true, "ALTER TABLE ev_1 ADD CHECK (id > 0)": true,
	})
	b.exec("ALTER TABLE ev RENAME TO gone; ALTER TABLE other RENAME TO ev")
	x := b.batch(b.selection("ev", "at"), retention.Act{Kind: retention.Delete})
	x.Range = &retention.Range{Most: 100}
	var r *retention.Refusal
	if _, err := b.s.Apply(t.Context(), x); !errors.As(err, &r) || r.Code != retention.RefuseSchemaDrift {
		t.Errorf("got %v", err)
	}
}

// wantPrints tells which statements a batch notices without a look at everything.
func (b *bundle) wantPrints(table string, statements map[string]bool) {
	b.t.Helper()
	q := mustSession(b.t, b)
	found, err := b.s.find(b.t.Context(), q, b.schema)
	if err != nil {
		b.t.Fatal(err)
	}
	print := ""
	for text, changes := range statements {
		before, err := b.s.print(b.t.Context(), q, b.schema, found)
		if err != nil || before == "" || len(found.tables) != len(b.schema.Tables) {
			b.t.Fatalf("%v, print %q of %v", err, before, found)
		}
		b.exec(text)
		if print, err = b.s.print(b.t.Context(), q, b.schema, found); err != nil {
			b.t.Fatal(err)
		}
		if changes && print == before {
			b.t.Errorf("%s changed nothing", text)
		}
		if !changes && print != before {
			b.t.Logf("%s is looked at in full", text)
		}
	}
	b.exec("ALTER TABLE " + table + " RENAME TO renamed")
	if print, err = b.s.print(b.t.Context(), q, b.schema, found); err != nil || print != "" {
		b.t.Errorf("a table of another name has the print %q, %v", print, err)
	}
	b.exec("ALTER TABLE renamed RENAME TO " + table)
}

// A process that is stopped in the middle of a batch loses its transaction, and
// the next one is not kept out.
func TestIdleTransactionEnds(t *testing.T) {
	t.Parallel()
	b := setup(t, prospects, "prospects")
	x := b.batch(b.selection("prospects", "created_at"), retention.Act{Kind: retention.Delete}, 5)
	x.Seal = func(int64, []retention.Key) string {
		time.Sleep(idleFor + time.Second)
		return "late"
	}
	if _, err := b.s.Apply(t.Context(), x); err == nil || !strings.Contains(err.Error(), "connection was lost") {
		t.Errorf("got %v", err)
	}
	b.wantRows("SELECT id FROM prospects WHERE id = 5", "5")
	if _, err := b.s.Pass(t.Context(), store, 1, retention.Witness{}, func(context.Context, retention.Gate) error { return nil }); err != nil {
		t.Error(err)
	}
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

// quarters are two rows a month of 2023, a quarter's worth of partitions, one of now, and
// a default one with a row that is over.
const quarters = `CREATE TABLE events (id bigint, person_id text, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at); CREATE INDEX ON events (at);
CREATE TABLE events_q1 PARTITION OF events FOR VALUES FROM ('2023-01-01 00:00+00') TO ('2023-04-01 00:00+00');
CREATE TABLE events_q2 PARTITION OF events FOR VALUES FROM ('2023-04-01 00:00+00') TO ('2023-07-01 00:00+00');
CREATE TABLE "Events Q3" PARTITION OF events FOR VALUES FROM ('2023-07-01 00:00+00') TO ('2023-10-01 00:00+00');
CREATE TABLE events_q4 PARTITION OF events FOR VALUES FROM ('2023-10-01 00:00+00') TO ('2024-01-01 00:00+00');
CREATE TABLE events_now PARTITION OF events FOR VALUES FROM ('2024-01-01 00:00+00') TO ('2025-01-01 00:00+00');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
INSERT INTO events SELECT i, 'p' || i, '2022-12-15 12:00+00'::timestamptz + i * interval '1 month' FROM generate_series(1, 13) AS i;
INSERT INTO events VALUES (100, 'p100', '2020-02-01 00:00+00');
`

func (b *bundle) drop(sel retention.Selection, name string, rows int64, holds *retention.HoldSet) (retention.Outcome, error) {
	b.t.Helper()
	x := b.batch(sel, retention.Act{Kind: retention.Delete, Whole: true})
	x.Partition = &retention.Partition{Name: retention.TableName{Schema: "public", Name: name}, Rows: rows}
	if holds != nil {
		x.Admit = func(context.Context, retention.Gate) (*retention.HoldSet, error) { return holds, nil }
	}
	return b.s.Apply(b.t.Context(), x)
}

// people is the selection under the hold of a person, in the column.
func (b *bundle) people(table string) retention.Selection {
	sel := b.selection(table, "at")
	sel.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{"person_id"}}}
	return sel
}

func (b *bundle) wantWhole(sel retention.Selection, h *retention.HoldSet, want ...string) {
	b.t.Helper()
	all, err := b.s.Partitions(b.t.Context(), sel, h)
	if err != nil {
		b.t.Fatal(err)
	}
	var got []string
	for _, p := range all {
		if p.Kept == 0 {
			got = append(got, p.Name.Name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("partitions that may go (-want +got):\n%s", diff)
	}
}

// wantKept is a drop that leaves everything: the partition and its rows, and no receipt.
func (b *bundle) wantKept(sel retention.Selection, name string, rows int64, holds *retention.HoldSet, want error) {
	b.t.Helper()
	count := func() (n int) {
		if err := b.app.GetContext(b.t.Context(), &n, "SELECT count(*) FROM "+sel.Table.Name.Name); err != nil {
			b.t.Fatal(err)
		}
		return n
	}
	before := count()
	if out, err := b.drop(sel, name, rows, holds); !errors.Is(err, want) {
		b.t.Errorf("%s: %+v %v, want %v", name, out, err, want)
	}
	if after := count(); after != before {
		b.t.Errorf("%s: %d rows before, %d after", name, before, after)
	}
	b.wantRows("SELECT intent FROM retentiond_receipt WHERE intent = '" + fmt.Sprintf("run/1/%d", b.n) + "'")
}

func TestDropPartition(t *testing.T) {
	b := setup(t, quarters, "events")
	sel := b.people("events")
	print := b.table("events").Fingerprint
	b.wantWhole(sel, noHolds(), "events_q1", "events_q2", "Events Q3", "events_q4")
	for name, rows := range map[string]int64{"events_q1": 3, "Events Q3": 3} {
		out, err := b.drop(sel, name, rows, nil)
		if err != nil || out.Done != rows || out.Spared.Sum() != 0 {
			t.Fatalf("%s: %+v %v", name, out, err)
		}
	}
	b.wantRows(`SELECT relname FROM pg_class WHERE relkind = 'r' AND relispartition ORDER BY relname COLLATE "C"`, "events_now", "events_q2", "events_q4", "events_rest")
	b.wantRows("SELECT id FROM events ORDER BY id", "4", "5", "6", "10", "11", "12", "13", "100")
	b.wantRows("SELECT state || rows FROM retentiond_receipt ORDER BY intent", "done3", "done3")
	b.describe("events")
	if b.table("events").Fingerprint != print {
		t.Error("a partition less is no other schema: the next run would be refused")
	}
	if out := b.apply(b.batch(sel, retention.Act{Kind: retention.Delete}, retention.Key{int64(4), "2023-04-15 12:00:00+00"})); out.Done != 1 {
		t.Errorf("a batch of the same plan goes on: %+v", out)
	}
}

// Rows that were there when it was looked at, and are not now, are told as gone.
func TestDropPartitionOfFewerRows(t *testing.T) {
	b := setup(t, quarters, "events")
	b.exec("DELETE FROM events WHERE id = 2")
	if out, err := b.drop(b.people("events"), "events_q1", 3, nil); err != nil || out.Done != 2 || out.Spared.Gone != 1 {
		t.Errorf("%+v %v", out, err)
	}
}

// L3: one held row keeps its partition, whatever was looked at before.
func TestPartitionWithHeldRowStays(t *testing.T) {
	b := setup(t, quarters, "events")
	sel := b.people("events")
	b.wantWhole(sel, person("p5"), "events_q1", "Events Q3", "events_q4")
	b.wantKept(sel, "events_q2", 3, person("p5"), retention.ErrNotWhole)
	table := &retention.HoldSet{Version: 1, Scoped: []retention.ScopedHold{{Table: tn("events"), Where: &retention.Predicate{Test: &retention.Comparison{Column: "id", Op: retention.Eq, Values: []retention.Scalar{{Text: "8"}}}}}}}
	b.wantWhole(sel, table, "events_q1", "events_q2", "events_q4")
	b.wantKept(sel, "Events Q3", 3, table, retention.ErrNotWhole)
}

// L6: a row that came since it was looked at keeps its partition, although it is due.
func TestPartitionWithUnplannedRowStays(t *testing.T) {
	b := setup(t, quarters, "events")
	b.exec("INSERT INTO events VALUES (50, 'p50', '2023-02-02')")
	b.wantKept(b.people("events"), "events_q1", 3, nil, retention.ErrUnplanned)
}

// L1, L4: rows that nobody may act on keep their partition.
func TestPartitionWithProtectedRowStays(t *testing.T) {
	b := setup(t, quarters+"CREATE TABLE old PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2019-01-01'); INSERT INTO events VALUES (200, 'x', '-infinity'), (201, 'x', '2018-01-01');", "events")
	sel := b.people("events")
	m := member("at")
	m.Cutoff = time.Date(2023, 6, 1, 0, 0, 0, 0, time.UTC)
	sel.Minimums = []retention.Minimum{{Policy: "p", Rule: "m", Clock: latest(m)}}
	b.wantWhole(sel, noHolds(), "events_q1")
	b.wantKept(sel, "events_q2", 3, nil, retention.ErrNotWhole)
	b.wantKept(sel, "old", 2, nil, retention.ErrNotWhole)
}

// The last partition stays, and the default one, even where all of their rows are due.
func TestLastAndDefaultPartitionStay(t *testing.T) {
	b := setup(t, quarters, "events")
	sel := b.people("events")
	b.exec("DROP TABLE events_now, events_q2, \"Events Q3\", events_q4")
	b.wantWhole(sel, noHolds())
	b.wantKept(sel, "events_q1", 3, nil, retention.ErrNotWhole)
	b.wantKept(sel, "events_rest", 1, nil, retention.ErrNotWhole)
}

// A partition that is more than rows goes by rows: its own trigger, partitions of its
// own, a view on it, another's foreign key, or a row-level policy.
func TestStrangePartitionsStay(t *testing.T) {
	for name, ddl := range map[string]string{
		"trigger":   "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER own BEFORE INSERT ON events_q1 FOR EACH ROW EXECUTE FUNCTION f();",
		"view":      "CREATE VIEW v AS SELECT * FROM events_q1;",
		"policy":    "ALTER TABLE events_q1 ENABLE ROW LEVEL SECURITY;",
		"published": "CREATE PUBLICATION p FOR TABLE events_q1;",
		"leaves":    "DROP TABLE events_q1; CREATE TABLE events_q1 PARTITION OF events FOR VALUES FROM ('2023-01-01 00:00+00') TO ('2023-04-01 00:00+00') PARTITION BY HASH (id); CREATE TABLE leaf PARTITION OF events_q1 FOR VALUES WITH (MODULUS 1, REMAINDER 0); INSERT INTO events VALUES (1, 'p1', '2023-01-15');",
		"detached":  "ALTER TABLE events DETACH PARTITION events_q1;",
		"gone":      "DROP TABLE events_q1;",
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, quarters+ddl, "events")
			b.wantKept(b.people("events"), "events_q1", 3, nil, retention.ErrNotWhole)
		})
	}
}

// The upper bound says which partitions are worth a look; equal to the cutoff is over.
func TestBoundsOfPartitions(t *testing.T) {
	b := setup(t, quarters, "events")
	sel := b.people("events")
	sel.Clock.Members[0].Cutoff = time.Date(2023, 7, 1, 0, 0, 0, 0, time.UTC)
	b.wantWhole(sel, noHolds(), "events_q1", "events_q2")
	sel.Clock.Members[0].Cutoff = sel.Clock.Members[0].Cutoff.Add(-time.Microsecond)
	b.wantWhole(sel, noHolds(), "events_q1")
	for bounds, want := range map[string]string{
		"FOR VALUES FROM (MINVALUE) TO (10)":                                "10",
		"FOR VALUES FROM ('2023-01-01 00:00:00+00') TO ('2023-02-01', 'x')": "2023-02-01",
		"FOR VALUES FROM ('a') TO ('it''s')":                                "it's",
		"FOR VALUES FROM ('a') TO (MAXVALUE)":                               "",
		"FOR VALUES IN ('a')":                                               "",
		"DEFAULT":                                                           "",
	} {
		if got, ok := upperBound(bounds); got != want || ok != (want != "") {
			t.Errorf("%s: %q %v", bounds, got, ok)
		}
	}
}

// Keys of other types have bounds that their clocks are compared with.
func TestPartitionsByOtherTypes(t *testing.T) {
	for typ, bounds := range map[string]string{
		"date":      "FROM ('2023-01-01') TO ('2024-01-01')",
		"timestamp": "FROM ('2023-01-01') TO ('2024-01-01')",
		"bigint":    "FROM (1672531200) TO (1704067200)",
	} {
		t.Run(typ, func(t *testing.T) {
			row := "'2023-12-31'"
			if typ == "bigint" {
				row = "1703980800"
			}
			b := setup(t, "CREATE TABLE e (id int, at "+typ+" NOT NULL, person_id text) PARTITION BY RANGE (at); ALTER TABLE e ADD PRIMARY KEY (id, at);"+
				"CREATE TABLE e_old PARTITION OF e FOR VALUES "+bounds+"; CREATE TABLE e_rest PARTITION OF e FOR VALUES "+strings.Replace(bounds[strings.Index(bounds, "TO"):], "TO", "FROM", 1)+" TO (MAXVALUE); INSERT INTO e VALUES (1, "+row+", 'p')", "e")
			b.wantWhole(b.people("e"), noHolds(), "e_old")
			if out, err := b.drop(b.people("e"), "e_old", 1, nil); err != nil || out.Done != 1 {
				t.Errorf("%+v %v", out, err)
			}
		})
	}
}

// A writer that has its row in the partition, and one that reads the table, are waited
// for and not broken: the drop gives up, and nothing of it remains.
func TestDropGivesWay(t *testing.T) {
	for name, text := range map[string]string{"reader": "SELECT count(*) FROM events", "writer": "UPDATE events SET person_id = 'y' WHERE id = 2"} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, quarters, "events")
			b.s.Patient(300 * time.Millisecond)
			app, err := b.app.BeginTxx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := app.ExecContext(t.Context(), text); err != nil {
				t.Fatal(err)
			}
			b.wantKept(b.people("events"), "events_q1", 3, nil, retention.ErrLocked)
			if err := app.Commit(); err != nil {
				t.Fatal(err)
			}
			if out, err := b.drop(b.people("events"), "events_q1", 3, nil); err != nil || out.Done != 3 {
				t.Errorf("%+v %v", out, err)
			}
		})
	}
}

// L3, L4: what the application says elsewhere of a row that it has locked, before it
// lets the row go, is seen by the test: the partition's rows are looked at once
// nobody has them locked any more.
func TestLockedRowIsTestedAfterwards(t *testing.T) {
	for _, how := range []string{"UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"} {
		t.Run(how, func(t *testing.T) {
			b := setup(t, quarters+"CREATE TABLE orders (event bigint PRIMARY KEY, person text NOT NULL);", "events", "orders")
			sel := b.selection("events", "at")
			sel.Reach.Subjects = []retention.Subject{{Type: "person",
				Related: &retention.Relation{Table: tn("orders"), On: []retention.Pair{{Theirs: "event", Ours: "id"}}, Column: "person"}}}
			app, err := b.app.BeginTxx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := app.ExecContext(t.Context(), "SELECT id FROM events WHERE id = 2 FOR "+how); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				time.Sleep(300 * time.Millisecond)
				_, err := app.ExecContext(context.WithoutCancel(t.Context()), "INSERT INTO orders VALUES (2, 'p5')")
				done <- errors.Join(err, app.Commit())
			}()
			b.wantKept(sel, "events_q1", 3, person("p5"), retention.ErrNotWhole)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A row that is on its way into the partition while its rows are counted waits, and
// the drop gives up for it: what waits holds the table.
func TestRowOnItsWayKeepsPartition(t *testing.T) {
	b := setup(t, quarters, "events")
	x := b.batch(b.people("events"), retention.Act{Kind: retention.Delete, Whole: true})
	x.Partition = &retention.Partition{Name: retention.TableName{Schema: "public", Name: "events_q1"}, Rows: 10}
	done := make(chan error, 1)
	x.Reached = func(p retention.Point) {
		if p != retention.PointTested {
			return
		}
		go func() {
			_, err := b.app.ExecContext(context.WithoutCancel(t.Context()), "INSERT INTO events VALUES (60, 'p60', '2023-03-03')")
			done <- err
		}()
		time.Sleep(300 * time.Millisecond)
	}
	if out, err := b.s.Apply(t.Context(), x); !errors.Is(err, retention.ErrLocked) {
		t.Errorf("%+v %v", out, err)
	}
	if err := <-done; err != nil {
		t.Errorf("the application was broken: %v", err)
	}
	b.wantRows("SELECT id FROM events_q1 ORDER BY id", "1", "2", "3", "60")
}

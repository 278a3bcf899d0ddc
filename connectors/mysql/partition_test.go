package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention"
)

// yard is a database with a table of partitions.
type yard struct {
	*testing.T
	d   *database
	s   *Source
	sel retention.Selection
	n   int
}

// quarters are two rows a month of 2023 in a quarter's partitions, one of later, and
// the last one.
const quarters = `CREATE TABLE events (id BIGINT, person_id VARCHAR(20), at DATETIME NOT NULL, PRIMARY KEY (id, at), KEY (at)) COMMENT 'theirs' PARTITION BY RANGE COLUMNS (at) (
PARTITION q1 VALUES LESS THAN ('2023-04-01'), PARTITION q2 VALUES LESS THAN ('2023-07-01'), PARTITION ` + "`Q 3`" + ` VALUES LESS THAN ('2023-10-01'),
PARTITION q4 VALUES LESS THAN ('2024-01-01'), PARTITION now VALUES LESS THAN ('2030-01-01'), PARTITION rest VALUES LESS THAN (MAXVALUE))`

const quartersRows = `INSERT INTO events SELECT seq, CONCAT('p', seq), '2022-12-15 12:00:00' + INTERVAL seq MONTH FROM seq_1_to_13`

func newYard(t *testing.T, more ...string) *yard {
	t.Helper()
	d, s := shop(t, append([]string{quarters, quartersRows}, more...)...)
	y := &yard{T: t, d: d, s: s}
	y.sel = selection(describe(t, s, "events", "orders"), "events", "at")
	y.sel.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{"person_id"}}}
	return y
}

func (y *yard) batch(name string, rows int64, holds *retention.HoldSet) retention.Batch {
	y.n++
	b := batch(y.sel, retention.Act{Kind: retention.Delete, Whole: true})
	b.Intent = fmt.Sprintf("run/1/%d", y.n)
	b.Partition = &retention.Partition{Name: retention.TableName{Schema: "events", Name: name}, Rows: rows}
	if holds != nil {
		b.Admit = func(context.Context, retention.Gate) (*retention.HoldSet, error) { return holds, nil }
	}
	return b
}

func (y *yard) drop(name string, rows int64, holds *retention.HoldSet) (retention.Outcome, error) {
	y.Helper()
	return y.s.Apply(y.Context(), y.batch(name, rows, holds))
}

func (y *yard) exec(texts ...string) {
	y.Helper()
	for _, text := range texts {
		if _, err := y.d.app.Exec(text); err != nil {
			y.Fatalf("%s: %v", text, err)
		}
	}
}

// rows are the one column that a query gives, joined by spaces.
func (y *yard) rows(query string) string {
	y.Helper()
	var out []string
	if err := y.d.app.SelectContext(context.WithoutCancel(y.Context()), &out, query); err != nil {
		y.Fatalf("%s: %v", query, err)
	}
	return strings.Join(out, " ")
}

func (y *yard) want(query, want string) {
	y.Helper()
	if got := y.rows(query); got != want {
		y.Errorf("%s:\n got %s\nwant %s", query, got, want)
	}
}

const (
	partsLeft = "SELECT partition_name FROM information_schema.partitions WHERE partition_name IS NOT NULL AND table_schema = DATABASE() AND table_name = 'events' ORDER BY partition_ordinal_position"
	setAside  = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'retentiond_aside'"
	eventIDs  = "SELECT id FROM events ORDER BY id"
)

func held(person string) *retention.HoldSet {
	return &retention.HoldSet{Version: 1, Subjects: map[string][]string{"person": {person}}}
}

func (y *yard) wantWhole(h *retention.HoldSet, want ...string) {
	y.Helper()
	all, err := y.s.Partitions(y.Context(), y.sel, h)
	if err != nil {
		y.Fatal(err)
	}
	var got []string
	for _, p := range all {
		if p.Kept == 0 {
			got = append(got, p.Name.Name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		y.Errorf("partitions that may go (-want +got):\n%s", diff)
	}
}

// wantKept is a drop that leaves everything: the partition and its rows, nothing set
// aside, and no receipt that says that it was done.
func (y *yard) wantKept(b retention.Batch, want error) {
	y.Helper()
	before, parts := y.rows("SELECT CONCAT(id, person_id, at) FROM events ORDER BY 1"), y.rows(partsLeft)
	if out, err := y.s.Apply(y.Context(), b); !errors.Is(err, want) {
		y.Errorf("%s: %+v %v, want %v", b.Partition.Name, out, err, want)
	}
	y.want("SELECT CONCAT(id, person_id, at) FROM events ORDER BY 1", before)
	y.want(partsLeft, parts)
	y.want(setAside, "")
	y.want("SELECT state FROM retentiond_receipt WHERE state = 'done' AND intent = '"+b.Intent+"'", "")
}

func TestDropPartition(t *testing.T) {
	y := newYard(t)
	print := y.sel.Table.Fingerprint
	y.wantWhole(&retention.HoldSet{}, "q1", "q2", "Q 3", "q4")
	for _, name := range []string{"q1", "Q 3"} {
		if out, err := y.drop(name, 3, nil); err != nil || out.Done != 3 || out.Spared.Sum() != 0 || out.Digest == "" {
			t.Fatalf("%s: %+v %v", name, out, err)
		}
	}
	y.want(partsLeft, "q2 q4 now rest")
	y.want(eventIDs, "4 5 6 10 11 12 13")
	y.want(setAside, "")
	y.want("SELECT CONCAT(state, `rows`) FROM retentiond_receipt ORDER BY intent", "done3 done3")
	if describe(t, y.s, "events").Table(retention.TableName{Name: "events"}).Fingerprint != print {
		t.Error("a partition less is no other schema: the next run would be refused")
	}
	b := batch(y.sel, retention.Act{Kind: retention.Delete})
	b.Keys = []retention.Key{{int64(4), "2023-04-15 12:00:00"}}
	if out, err := y.s.Apply(t.Context(), b); err != nil || out.Done != 1 {
		t.Errorf("a batch of the same plan goes on: %+v %v", out, err)
	}
}

// Rows that were there when it was looked at, and are not now, are told as gone.
func TestDropPartitionOfFewerRows(t *testing.T) {
	y := newYard(t, "DELETE FROM events WHERE id = 2")
	if out, err := y.drop("q1", 3, nil); err != nil || out.Done != 2 || out.Spared.Gone != 1 {
		t.Errorf("%+v %v", out, err)
	}
}

// L3: one held row keeps its partition, whatever was looked at before.
func TestPartitionWithHeldRowStays(t *testing.T) {
	y := newYard(t)
	y.wantWhole(held("p5"), "q1", "Q 3", "q4")
	y.wantKept(y.batch("q2", 3, held("p5")), retention.ErrNotWhole)
	table := &retention.HoldSet{Version: 1, Scoped: []retention.ScopedHold{{Table: y.sel.Table.Name, Where: &retention.Predicate{Test: &retention.Comparison{Column: "id", Op: retention.Eq, Values: []retention.Scalar{{Text: "8"}}}}}}}
	y.wantWhole(table, "q1", "q2", "q4")
	y.wantKept(y.batch("Q 3", 3, table), retention.ErrNotWhole)
}

// L3: a hold that is seen only once the rows are set aside puts them back.
func TestHoldSeenLatePutsPartitionBack(t *testing.T) {
	y := newYard(t)
	b, asked := y.batch("q2", 3, nil), 0
	b.Admit = func(context.Context, retention.Gate) (*retention.HoldSet, error) {
		if asked++; asked > 1 {
			return held("p5"), nil
		}
		return &retention.HoldSet{}, nil
	}
	y.wantKept(b, retention.ErrNotWhole)
	if asked != 2 {
		t.Errorf("holds were asked for %d times", asked)
	}
}

// L6: a row that came since it was looked at keeps its partition, although it is due.
func TestPartitionWithUnplannedRowStays(t *testing.T) {
	y := newYard(t, "INSERT INTO events VALUES (50, 'p50', '2023-02-02')")
	y.wantKept(y.batch("q1", 3, nil), retention.ErrUnplanned)
}

// L1, L4: rows that nobody may act on keep their partition.
func TestPartitionWithProtectedRowStays(t *testing.T) {
	y := newYard(t)
	m := y.sel.Clock.Members[0]
	m.Cutoff = time.Date(2023, 6, 1, 0, 0, 0, 0, time.UTC)
	y.sel.Minimums = []retention.Minimum{{Policy: "p", Rule: "m", Clock: retention.ClockTest{Members: []retention.MemberTest{m}}}}
	y.wantWhole(&retention.HoldSet{}, "q1")
	y.wantKept(y.batch("q2", 3, nil), retention.ErrNotWhole)
	y.exec("SET STATEMENT sql_mode = '' FOR INSERT INTO events VALUES (60, 'x', '0000-00-00')")
	y.wantWhole(&retention.HoldSet{})
	y.wantKept(y.batch("q1", 4, nil), retention.ErrNotWhole)
}

// The last partition stays, and one without an upper bound, even where all of their
// rows are due.
func TestLastPartitionStays(t *testing.T) {
	y := newYard(t, "ALTER TABLE events DROP PARTITION rest, now, q4, `Q 3`")
	y.wantWhole(&retention.HoldSet{}, "q1")
	y.wantKept(y.batch("q2", 3, nil), retention.ErrNotWhole)
	y.exec("ALTER TABLE events DROP PARTITION q1")
	y.wantWhole(&retention.HoldSet{})
	y.wantKept(y.batch("q2", 3, nil), retention.ErrNotWhole)
	y.exec("ALTER TABLE events REORGANIZE PARTITION q2 INTO (PARTITION q1 VALUES LESS THAN ('2023-04-01'), PARTITION q2 VALUES LESS THAN (MAXVALUE))")
	y.wantKept(y.batch("q2", 3, nil), retention.ErrNotWhole)
}

// The upper bound says which partitions are worth a look; equal to the cutoff is over.
func TestBoundsOfPartitions(t *testing.T) {
	y := newYard(t)
	m := &y.sel.Clock.Members[0]
	m.Cutoff = time.Date(2023, 7, 1, 0, 0, 0, 0, time.UTC)
	y.wantWhole(&retention.HoldSet{}, "q1", "q2")
	m.Cutoff = m.Cutoff.Add(-time.Microsecond)
	y.wantWhole(&retention.HoldSet{}, "q1")
	for text, want := range map[string]string{"10": "10", "-3,'x'": "-3", "'2023-02-01','x'": "2023-02-01", "'it''s'": "it's", "MAXVALUE": "", "MAXVALUE,1": "", "NULL": "", `'a\'b'`: ""} {
		if got, ok := upperBound(text); got != want || ok != (want != "") {
			t.Errorf("%s: %q %v", text, got, ok)
		}
	}
}

// Keys of other types, and the functions that people put around them, have bounds that
// their clocks are compared with; what is not understood goes by rows.
func TestPartitionsByOtherTypes(t *testing.T) {
	for name, c := range map[string]struct{ typ, by, old, later, row string }{
		"date":           {"DATE", "COLUMNS (at)", "'2023-04-01'", "'2031-01-01'", "'2023-03-31'"},
		"two":            {"DATE", "COLUMNS (at, id)", "'2023-04-01', 7", "'2031-01-01', 7", "'2023-03-31'"},
		"datetime":       {"DATETIME(6)", "COLUMNS (at)", "'2023-04-01'", "'2031-01-01'", "'2023-03-31 23:59:59.999999'"},
		"bigint":         {"BIGINT", "(at)", "1672531200", "2700000000", "1672531199"},
		"to_days":        {"DATETIME", "(TO_DAYS(at))", "TO_DAYS('2024-01-01')", "TO_DAYS('2031-01-01')", "'2023-12-31 23:59:59'"},
		"year":           {"DATETIME", "(YEAR(at))", "2024", "2031", "'2023-12-31 23:59:59'"},
		"unix_timestamp": {"TIMESTAMP NOT NULL", "(UNIX_TIMESTAMP(at))", "1704067200", "1900000000", "'2023-12-31 23:59:59'"},
		"quarter":        {"DATE", "(QUARTER(at))", "2", "9", "'2023-01-01'"},
	} {
		t.Run(name, func(t *testing.T) {
			y := newYard(t, "DROP TABLE events", "CREATE TABLE events (id INT, person_id VARCHAR(20), at "+c.typ+", PRIMARY KEY (id, at)) PARTITION BY RANGE "+c.by+
				" (PARTITION old VALUES LESS THAN ("+c.old+"), PARTITION later VALUES LESS THAN ("+c.later+"))", "INSERT INTO events VALUES (1, 'p', "+c.row+")")
			if name == "quarter" {
				if y.sel.Table.RangeKey[0] != "" {
					t.Errorf("range key %q", y.sel.Table.RangeKey)
				}
				y.wantWhole(&retention.HoldSet{})
				return
			}
			y.wantWhole(&retention.HoldSet{}, "old")
			if out, err := y.drop("old", 1, nil); err != nil || out.Done != 1 {
				t.Errorf("%+v %v", out, err)
			}
			y.want(partsLeft, "later")
		})
	}
}

// Partitions with subpartitions, lists and hashes go by rows.
func TestStrangePartitionsStay(t *testing.T) {
	for name, by := range map[string]string{
		"subpartitions": "PARTITION BY RANGE (TO_DAYS(at)) SUBPARTITION BY HASH (id) SUBPARTITIONS 2 (PARTITION q1 VALUES LESS THAN (TO_DAYS('2023-04-01')), PARTITION rest VALUES LESS THAN (MAXVALUE))",
		"hash":          "PARTITION BY HASH (id) PARTITIONS 3",
		"key":           "PARTITION BY KEY (id) PARTITIONS 3",
		"none":          "REMOVE PARTITIONING",
	} {
		t.Run(name, func(t *testing.T) {
			y := newYard(t, "ALTER TABLE events "+by)
			y.wantWhole(&retention.HoldSet{})
			y.wantKept(y.batch("q1", 3, nil), retention.ErrNotWhole)
		})
	}
	t.Run("gone", func(t *testing.T) {
		y := newYard(t)
		y.exec("ALTER TABLE events DROP PARTITION q1")
		if out, err := y.drop("q1", 3, nil); err == nil {
			t.Errorf("%+v", out)
		}
		y.want(setAside, "")
	})
}

// A writer that has touched the table, and one that reads it, are waited for and not
// broken: the drop gives up, and nothing of it remains.
func TestDropGivesWay(t *testing.T) {
	for name, text := range map[string]string{"reader": "SELECT count(*) FROM events", "writer": "UPDATE events SET person_id = 'y' WHERE id = 2"} {
		t.Run(name, func(t *testing.T) {
			y := newYard(t)
			app, err := y.d.app.BeginTxx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := app.ExecContext(t.Context(), text); err != nil {
				t.Fatal(err)
			}
			y.wantKept(y.batch("q1", 3, nil), retention.ErrLocked)
			if err := app.Commit(); err != nil {
				t.Fatal(err)
			}
			if out, err := y.drop("q1", 3, nil); err != nil || out.Done != 3 {
				t.Errorf("%+v %v", out, err)
			}
		})
	}
}

// L3, L4: what the application says elsewhere of a row that it has locked, before it
// lets the row go, is seen by the test that decides.
func TestLockedRowIsTestedAfterwards(t *testing.T) {
	for _, how := range []string{"FOR UPDATE", "LOCK IN SHARE MODE"} {
		t.Run(how, func(t *testing.T) {
			y := newYard(t, "CREATE TABLE orders (event BIGINT PRIMARY KEY, person VARCHAR(20) NOT NULL)")
			y.sel.Reach.Subjects = []retention.Subject{{Type: "person", Related: &retention.Relation{Table: retention.TableName{Name: "orders"}, On: []retention.Pair{{Theirs: "event", Ours: "id"}}, Column: "person"}}}
			app, err := y.d.app.BeginTxx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			var ids []int
			if err := app.SelectContext(t.Context(), &ids, "SELECT id FROM events WHERE id = 2 "+how); err != nil || len(ids) != 1 {
				t.Fatal(ids, err)
			}
			b, done := y.batch("q1", 3, held("p5")), make(chan error, 1)
			b.Reached = func(p retention.Point) {
				if p != retention.PointTested { // it found the row to be nobody's
					return
				}
				go func() {
					time.Sleep(200 * time.Millisecond)
					_, err := app.ExecContext(context.WithoutCancel(t.Context()), "INSERT INTO orders VALUES (2, 'p5')")
					done <- errors.Join(err, app.Commit())
				}()
			}
			y.wantKept(b, retention.ErrNotWhole)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A test that reads other rows of the table itself would miss those that are set aside.
func TestTableThatIsReadBesideGoesByRows(t *testing.T) {
	y := newYard(t)
	y.sel.Reach.Subjects = []retention.Subject{{Type: "person", Related: &retention.Relation{Table: y.sel.Table.Name, On: []retention.Pair{{Theirs: "id", Ours: "id"}}, Column: "person_id"}}}
	y.wantWhole(held("p50"))
	y.wantKept(y.batch("q1", 3, held("p50")), retention.ErrNotWhole)
}

// No row that a writer was told to be there is ever lost, while partitions under it go
// and come back.
func TestWriterBesideDrops(t *testing.T) {
	y := newYard(t)
	ctx, stop := context.WithCancel(t.Context())
	wrote := make(chan int, 1)
	go func() {
		n := 0
		for ctx.Err() == nil {
			_, err := y.d.app.Exec("INSERT INTO events VALUES (?, 'w', ?)", 1000+n, []string{"2023-02-02", "2023-05-05", "2023-08-08", "2023-11-11", "2026-01-01"}[n%5])
			if err == nil {
				n++
			}
		}
		wrote <- n
	}()
	dropped := int64(0)
	for i := range 24 {
		name := []string{"q1", "q2", "Q 3", "q4"}[i%4]
		b := y.batch(name, 1_000_000, nil)
		asked := 0
		b.Admit = func(context.Context, retention.Gate) (*retention.HoldSet, error) {
			if asked++; asked > 1 && i%8 < 4 { // taken out, and put back
				return held("w"), nil
			}
			return &retention.HoldSet{}, nil
		}
		out, err := y.s.Apply(t.Context(), b)
		if err != nil && !errors.Is(err, retention.ErrNotWhole) && !errors.Is(err, retention.ErrLocked) && code(err) != 1735 { // it is gone since, for nobody wrote to it
			t.Fatalf("%s: %v", name, err)
		}
		if r, err := y.s.Settle(t.Context(), b.Intent, nil); err != nil || r.Rows != out.Done {
			t.Fatalf("%+v, but the receipt says %+v %v", out, r, err)
		}
		dropped += out.Done
	}
	stop()
	n := <-wrote
	y.want(setAside, "")
	y.want("SELECT count(*) FROM events", fmt.Sprint(13+int64(n)-dropped))
	if dropped < 12 {
		t.Errorf("%d rows were dropped, beside %d written", dropped, n)
	}
}

// Who lets a hold pass waits for a partition that is on its way (L3), and so does who
// settles.
func TestHoldWaitsForPartition(t *testing.T) {
	y := newYard(t)
	other := y.d.open(t)
	for _, at := range []retention.Point{retention.PointTested, retention.PointActed, retention.PointCommitted} {
		y.exec("DELETE FROM events", "DELETE FROM retentiond_receipt", quartersRows)
		b, passed, settled := y.batch("q4", 3, nil), make(chan error, 1), make(chan error, 1)
		early := false
		b.Reached = func(p retention.Point) {
			if p != at {
				return
			}
			go func() {
				_, err := other.Pass(context.WithoutCancel(t.Context()), store, 2, retention.Witness{}, func(context.Context, retention.Gate) error { return nil })
				passed <- err
			}()
			go func() {
				_, err := other.Settle(context.WithoutCancel(t.Context()), "some/1/1", nil)
				settled <- err
			}()
			select {
			case err := <-passed:
				early = true
				passed <- err
			case err := <-settled:
				early = true
				settled <- err
			case <-time.After(500 * time.Millisecond):
			}
		}
		_, err := y.s.Apply(t.Context(), b)
		if err := errors.Join(err, <-passed, <-settled); err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		if early {
			t.Errorf("%s: a hold passed, or an intent was settled, beside a partition on its way", at)
		}
		y.exec("ALTER TABLE events REORGANIZE PARTITION now INTO (PARTITION q4 VALUES LESS THAN ('2024-01-01'), PARTITION now VALUES LESS THAN ('2030-01-01'))")
	}
}

// lost is a process that ends at a point, as far as its session shows.
func (y *yard) lost(name string, at retention.Point) retention.Batch {
	y.Helper()
	b := y.batch(name, 3, nil)
	b.Reached = func(p retention.Point) {
		if p != at {
			return
		}
		y.killAltering()
	}
	if out, err := y.s.Apply(y.Context(), b); err == nil && at != retention.PointCommitted {
		y.Fatalf("%s: %+v: the session was not lost", at, out)
	}
	return b
}

func (y *yard) killAltering() {
	y.Helper()
	var id int64
	if err := y.d.app.Get(&id, "SELECT IS_USED_LOCK(CONCAT('retentiond.ddl:', source_uuid)) FROM retentiond_gate"); err != nil {
		y.Fatal(err)
	}
	y.exec(fmt.Sprintf("KILL %d", id))
}

// altered waits until the server has ended the session that was killed: until then it
// counts as one at work, of which check does not tell.
func (y *yard) altered() {
	y.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		var busy bool
		if err := y.d.app.Get(&busy, "SELECT coalesce(IS_USED_LOCK(CONCAT('retentiond.ddl:', source_uuid)), 0) <> 0 FROM retentiond_gate"); err != nil {
			y.Fatal(err)
		}
		if !busy {
			return
		}
		if time.Now().After(end) {
			y.Fatal("the killed session keeps its lock for a minute")
		}
	}
}

// L7: a session that is lost at any point leaves rows that are there or that a receipt
// gave up, and settling, or the next drop, brings everything in order.
func TestSessionLostAtEveryPoint(t *testing.T) {
	for _, at := range []retention.Point{retention.PointBegun, retention.PointTested, retention.PointActed, retention.PointReceipted, retention.PointCommitting, retention.PointCommitted} {
		for _, by := range []string{"settle", "next"} {
			t.Run(fmt.Sprint(at, "/", by), func(t *testing.T) {
				y := newYard(t)
				b := y.lost("q1", at)
				if by == "settle" {
					r, err := y.s.Settle(t.Context(), b.Intent, nil)
					if want := at == retention.PointCommitted; err != nil || (r.State == retention.ReceiptDone) != want {
						t.Fatalf("%+v %v", r, err)
					}
				} else if out, err := y.drop("q4", 3, nil); err != nil || out.Done != 3 {
					t.Fatalf("%+v %v", out, err)
				}
				y.want(setAside, "")
				want := map[bool]string{false: "1 2 3", true: ""}[at == retention.PointCommitted]
				y.want("SELECT id FROM events WHERE id <= 3 ORDER BY id", want)
				r, err := y.s.Settle(t.Context(), b.Intent, nil)
				if err != nil || r.State == retention.ReceiptDone && r.Rows != 3 {
					t.Errorf("%+v %v", r, err)
				}
			})
		}
	}
}

// Rows that were set aside come back whatever became of their table meanwhile.
func TestPutBack(t *testing.T) {
	for name, text := range map[string]string{
		"as it was":      "DO 1",
		"written to":     "INSERT INTO events VALUES (70, 'x', '2023-02-02')",
		"partition gone": "ALTER TABLE events DROP PARTITION q1",
		"more columns":   "ALTER TABLE events ADD COLUMN more INT DEFAULT 7",
		"no partitions":  "ALTER TABLE events REMOVE PARTITIONING",
		"renamed":        "ALTER TABLE events RENAME TO happenings",
		"renamed column": "ALTER TABLE events RENAME COLUMN person_id TO person, ADD COLUMN more INT",
		"name reused":    "ALTER TABLE events RENAME COLUMN person_id TO old, ADD COLUMN person_id VARCHAR(20) AFTER id",
		"other type":     "ALTER TABLE events MODIFY person_id VARCHAR(30) CHARACTER SET latin1",
		"dropped column": "ALTER TABLE events DROP COLUMN person_id",
		"trigger":        "CREATE TRIGGER stamp BEFORE INSERT ON events FOR EACH ROW SET NEW.person_id = 'changed'",
	} {
		t.Run(name, func(t *testing.T) {
			y := newYard(t)
			b := y.lost("q1", retention.PointActed)
			y.want("SELECT id FROM retentiond_aside ORDER BY id", "1 2 3")
			if name == "trigger" { // else they are exchanged, which no trigger sees
				y.exec("INSERT INTO events VALUES (70, 'x', '2023-02-02')")
			}
			y.exec(text)
			_, err := y.s.Settle(t.Context(), b.Intent, nil)
			undo := map[string]string{
				"renamed":        "ALTER TABLE happenings RENAME TO events",
				"renamed column": "ALTER TABLE events RENAME COLUMN person TO person_id",
				"name reused":    "ALTER TABLE events DROP COLUMN person_id, RENAME COLUMN old TO person_id",
				"other type":     "ALTER TABLE events MODIFY person_id VARCHAR(20) CHARACTER SET utf8mb4",
				"dropped column": "ALTER TABLE events ADD COLUMN person_id VARCHAR(20) AFTER id",
				"trigger":        "DROP TRIGGER stamp",
			}[name]
			if (err != nil) != (undo != "") || err != nil && !errors.Is(err, retention.ErrUnsettled) {
				t.Fatalf("settled: %v", err)
			}
			if undo != "" {
				y.want("SELECT id FROM retentiond_aside ORDER BY id", "1 2 3")
				if !strings.Contains(err.Error(), "rows of partition q1") || strings.Contains(err.Error(), "'p2'") {
					t.Errorf("it says: %v", err)
				}
				y.exec(undo)
				if _, err := y.s.Settle(t.Context(), b.Intent, nil); err != nil {
					t.Fatal(err)
				}
			}
			y.want(setAside, "")
			y.want("SELECT CONCAT(id, person_id, at) FROM events WHERE id <= 3 ORDER BY id", "1p12023-01-15 12:00:00 2p22023-02-15 12:00:00 3p32023-03-15 12:00:00")
			if name == "written to" {
				y.want("SELECT id FROM events WHERE id = 70", "70")
			}
		})
	}
}

// A store that never heard of it, adopted after another was lost, brings the rows back
// too; until then check says where they are.
func TestAdoptPutsBack(t *testing.T) {
	y := newYard(t)
	y.lost("q1", retention.PointActed)
	y.altered()
	if got := strings.Join(advice(t, y.s, retention.Wants{}), "\n"); !strings.Contains(got, "rows of partition q1 of table ") || !strings.Contains(got, "are in table retentiond_aside") {
		t.Errorf("check says\n%s", got)
	}
	y.want("SELECT id FROM retentiond_aside ORDER BY id", "1 2 3")
	if err := y.s.Adopt(t.Context(), "22222222-2222-4222-8222-222222222222", 1, 0, ""); err != nil {
		t.Fatal(err)
	}
	y.want(setAside, "")
	y.want("SELECT id FROM events WHERE id <= 3 ORDER BY id", "1 2 3")
}

// A row that comes into the emptied partition keeps it, and is kept.
func TestRowInEmptiedPartitionStays(t *testing.T) {
	y := newYard(t)
	b := y.batch("q1", 3, nil)
	b.Reached = func(p retention.Point) {
		if p == retention.PointActed {
			y.exec("INSERT INTO events VALUES (70, 'x', '2023-02-02')")
		}
	}
	if out, err := y.s.Apply(t.Context(), b); err != nil || out.Done != 3 {
		t.Fatalf("%+v %v", out, err)
	}
	y.want("SELECT id FROM events PARTITION (q1)", "70")
	y.want(setAside, "")
}

// Rows whose key was written meanwhile wait for a person, all others are back. Rules go
// on by rows, and no partition is set aside, until the person decided.
func TestSameKeyWaitsForPerson(t *testing.T) {
	y := newYard(t)
	b := y.lost("q1", retention.PointActed)
	y.exec("INSERT INTO events VALUES (2, 'x', '2023-02-15 12:00:00')")
	if r, err := y.s.Settle(t.Context(), b.Intent, nil); err != nil || r.State != retention.ReceiptAbandoned {
		t.Fatalf("%+v %v", r, err)
	}
	y.want("SELECT CONCAT(id, person_id) FROM retentiond_aside", "2p2")
	y.want("SELECT CONCAT(id, person_id) FROM events WHERE id <= 3 ORDER BY id", "1p1 2x 3p3")
	_, err := y.drop("q4", 3, nil)
	if !errors.Is(err, retention.ErrNotWhole) || !errors.Is(err, retention.ErrRowsAside) || !strings.Contains(err.Error(), "1 rows of partition q1") {
		t.Errorf("it says: %v", err)
	}
	if got := strings.Join(advice(t, y.s, retention.Wants{}), "\n"); !strings.Contains(got, "1 rows of partition q1 of table ") || !strings.Contains(got, "delete the wrong one") {
		t.Errorf("check says\n%s", got)
	}
	one := batch(y.sel, retention.Act{Kind: retention.Delete})
	one.Intent, one.Keys = "run/1/99", []retention.Key{{int64(4), "2023-04-15 12:00:00"}}
	if out, err := y.s.Apply(t.Context(), one); err != nil || out.Done != 1 {
		t.Errorf("by rows: %+v %v", out, err)
	}
	y.exec("DELETE FROM events WHERE person_id = 'x'")
	if out, err := y.drop("q4", 3, nil); err != nil || out.Done != 3 {
		t.Fatalf("%+v %v", out, err)
	}
	y.want(setAside, "")
	y.want("SELECT CONCAT(id, person_id) FROM events WHERE id <= 3 ORDER BY id", "1p1 2p2 3p3")
}

// A row that somebody put back by hand, as it was, is no longer waited for.
func TestSameRowWaitsForNobody(t *testing.T) {
	y := newYard(t)
	b := y.lost("q1", retention.PointActed)
	y.exec("INSERT INTO events SELECT * FROM retentiond_aside WHERE id = 2")
	if _, err := y.s.Settle(t.Context(), b.Intent, nil); err != nil {
		t.Fatal(err)
	}
	y.want(setAside, "")
	y.want("SELECT CONCAT(id, person_id) FROM events WHERE id <= 3 ORDER BY id", "1p1 2p2 3p3")
}

// Partitions of a table of which a trigger acts on what is inserted go by rows: rows
// that it would change could not be put back.
func TestPartitionBesideInsertTriggerStays(t *testing.T) {
	y := newYard(t, "CREATE TRIGGER stamp AFTER INSERT ON events FOR EACH ROW SET @stamped = 1")
	y.wantWhole(&retention.HoldSet{})
	y.wantKept(y.batch("q1", 3, nil), retention.ErrNotWhole)
}

// A table of that name that is not ours is never touched, an empty one neither.
func TestForeignAsideTable(t *testing.T) {
	t.Run("empty", func(t *testing.T) {
		y := newYard(t, "CREATE TABLE retentiond_aside (id INT)")
		b := y.batch("q1", 3, nil)
		if out, err := y.s.Apply(t.Context(), b); !errors.Is(err, retention.ErrNotWhole) {
			t.Errorf("%+v %v", out, err)
		}
		if r, err := y.s.Settle(t.Context(), b.Intent, nil); err != nil || r.State != retention.ReceiptAbandoned {
			t.Errorf("%+v %v", r, err)
		}
		y.want(setAside, "retentiond_aside")
		y.want(eventIDs, "1 2 3 4 5 6 7 8 9 10 11 12 13")
	})
	y := newYard(t, "CREATE TABLE retentiond_aside (id INT) COMMENT 'mine'", "INSERT INTO retentiond_aside VALUES (1)")
	if out, err := y.drop("q1", 3, nil); !errors.Is(err, retention.ErrNotWhole) {
		t.Errorf("%+v %v", out, err)
	}
	y.want("SELECT id FROM retentiond_aside", "1")
	y.want("SELECT id FROM events WHERE id <= 3 ORDER BY id", "1 2 3")
}

// An intent that was settled never takes a row, though its process wakes up late.
func TestSettledIntentSetsNothingAside(t *testing.T) {
	y := newYard(t)
	b := y.batch("q1", 3, nil)
	if r, err := y.s.Settle(t.Context(), b.Intent, nil); err != nil || r.State != retention.ReceiptAbandoned {
		t.Fatalf("%+v %v", r, err)
	}
	b.Reached = func(p retention.Point) {
		if p == retention.PointActed {
			t.Error("rows were set aside")
		}
	}
	if out, err := y.s.Apply(t.Context(), b); err == nil {
		t.Errorf("%+v", out)
	}
	y.want("SELECT id FROM events WHERE id <= 3 ORDER BY id", "1 2 3")
}

// The lock is the session's: where it is lost, nothing is dropped.
func TestAlteringIsAlone(t *testing.T) {
	y := newYard(t)
	err := y.s.Altering(t.Context(), func(ctx context.Context) error {
		conn := pinned(ctx)
		if err := y.s.kept(ctx, conn); err != nil {
			return err
		}
		if err := y.d.open(t).Altering(t.Context(), func(context.Context) error { return errors.New("two at a time") }); !errors.Is(err, retention.ErrLocked) {
			return fmt.Errorf("another session: %w", err)
		}
		if _, err := conn.ExecContext(ctx, "DO RELEASE_ALL_LOCKS()"); err != nil {
			return err
		}
		if err := y.s.kept(ctx, conn); !errors.Is(err, retention.ErrLocked) {
			return fmt.Errorf("the lock is lost, and it said %w", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// The GRANT statements that Advise names are enough to drop a partition, and without
// them its rows go by rows.
func TestGrantsForPartitionsAreEnough(t *testing.T) {
	y := newYard(t)
	name := retention.TableName{Name: "events"}
	dsn := servers.MariaDB(t).Role(t, y.d.dsn, "SELECT ON *", "DELETE, TRIGGER ON events", "INSERT, DELETE ON retentiond_receipt", "UPDATE ON retentiond_gate", "UPDATE (id) ON events")
	admin, user := y.s, openAs(t, dsn, Options{})
	w := retention.Wants{Needs: []retention.Need{{Table: name, Delete: true, Lock: "id", Whole: true}}}
	got := advice(t, user, w)
	want := []string{"warning privilege_missing: partitions: drop: the user USER may not drop partitions of table events: their rows go one by one, or they stay, empty | " +
		"GRANT ALTER, CREATE, DROP, INSERT ON DB.`events` TO USER; GRANT INSERT, DELETE, CREATE, ALTER, DROP ON DB.`retentiond_aside` TO USER; GRANT LOCK TABLES ON DB.* TO USER;"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	y.s = user
	y.wantKept(y.batch("q1", 3, nil), retention.ErrNotWhole)
	list, err := user.Advise(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range strings.SplitAfter(list[0].Hint, ";") {
		if text = strings.TrimSpace(text); text != "" {
			y.exec(text)
		}
	}
	y.s = openAs(t, dsn, Options{})
	if got := advice(t, y.s, w); got != nil {
		t.Errorf("after its own GRANT statements: %q", got)
	}
	onAside, _, _ := strings.Cut(list[0].Hint[strings.Index(list[0].Hint, "GRANT INSERT, DELETE"):], ";")
	y.exec(strings.NewReplacer("GRANT INSERT, DELETE, CREATE, ALTER, DROP", "REVOKE DROP", " TO ", " FROM ").Replace(onAside))
	y.wantKept(y.batch("q1", 3, nil), retention.ErrNotWhole) // and nothing was begun that it may not end
	y.exec(onAside)
	y.s = openAs(t, dsn, Options{})
	if out, err := y.drop("q1", 3, nil); err != nil || out.Done != 3 {
		t.Errorf("%+v %v", out, err)
	}
	y.want(partsLeft, "q2 Q 3 q4 now rest")
	y.lost("q2", retention.PointActed)
	y.s = admin
	if out, err := y.drop("q4", 3, nil); err != nil || out.Done != 3 {
		t.Errorf("%+v %v", out, err)
	}
	y.want("SELECT id FROM events PARTITION (q2) ORDER BY id", "4 5 6")
}

package conntest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// moveCases are archives of ranges: rows that no key names.
func moveCases() []testCase {
	return []testCase{
		{name: "RangeMoves", run: moveRange},
		{name: "RangeMovesByOthers", run: moveRelated},
		{name: "RangeBeyondThePlan", run: moveUnplanned},
		{name: "NoEqualCopyNoMove", run: moveAltered, needs: Triggers},
	}
}

// papers is a table under an index of its clock: rows 1 to 6 are over, of which 2 is
// about ada; 5 and 6 share a moment. An o is a related event.
const papers = `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, who {text}, note {text}, at {timestamp});
CREATE INDEX p_at ON p (at);
CREATE TABLE o (id {int} NOT NULL PRIMARY KEY, p_id {int}, at {timestamp});
CREATE INDEX o_p ON o (p_id);
INSERT INTO p VALUES (1, 'bob', 'a ', '2020-01-01 00:00:00'), (2, 'ada', 'B', '2020-01-02 00:00:00'), (3, 'bob', NULL, '2020-01-03 00:00:00'), (4, NULL, '', '2020-01-04 00:00:00'),
 (5, 'eve', 'e', '2020-01-05 00:00:00'), (6, 'eve', 'f', '2020-01-05 00:00:00'), (7, 'eve', 'g', '2025-01-01 00:00:00'), (8, 'eve', 'h', NULL);
INSERT INTO o VALUES (1, 1, '2020-06-01 00:00:00'), (2, 3, '2025-06-01 00:00:00')`

// shelf makes the vault of papers and says how to archive a range into it.
func (f *fixture) shelf(c *choice, r retention.Range) retention.Batch {
	f.t.Helper()
	if err := f.s.MakeVault(f.t.Context(), f.schema, retention.VaultSpec{From: []retention.TableName{tn("p")}, Into: []retention.TableName{tn("v_p")}}); err != nil {
		f.t.Fatal(err)
	}
	b := f.batch(c, retention.Act{Kind: retention.Archive, Into: &retention.VaultTables{
		Table: tn("v_p"), Rule: "crm/papers", Why: "a claim may follow", At: time.Date(2026, 7, 1, 10, 20, 30, 0, time.UTC),
	}})
	b.Range = &r
	return b
}

func (f *fixture) papers() *choice {
	return f.from("p").about("person", "who").by(latest(typed("at", retention.AsTimestamp)))
}

// wantArchives: tables of archived rows are found by what they have.
func (f *fixture) wantArchives(names ...string) {
	f.t.Helper()
	a, ok := f.s.(retention.Archived)
	if !ok {
		f.t.Fatal("the source cannot tell its tables of archived rows")
	}
	tables, err := a.ArchiveTables(f.t.Context(), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	var got []string
	for _, t := range tables {
		got = append(got, t.Name)
	}
	if !slices.Equal(got, names) {
		f.t.Errorf("tables of archived rows: %v, want %v", got, names)
	}
}

func moveRange(t *testing.T, h Harness) {
	f := setup(t, h, papers)
	b := f.shelf(f.papers(), retention.Range{Most: 100})
	f.wantOutcome(withHolds(b, person("ada")), 5, retention.Spared{})
	f.wantIDs("p", "2 7 8")
	f.wantArchives("v_p")
	f.wantRows("SELECT id, who, note, at, "+retention.VaultClock+", "+retention.VaultRule+", "+retention.VaultArchivedAt+", "+retention.VaultLife+" FROM v_p WHERE id IN (1, 3, 4) ORDER BY id",
		"1|bob|a |2020-01-01 00:00:00|2020-01-01T00:00:00Z|crm/papers|2026-07-01T10:20:30Z|0", "3|bob|NULL|2020-01-03 00:00:00|2020-01-03T00:00:00Z|crm/papers|2026-07-01T10:20:30Z|0",
		"4|NULL||2020-01-04 00:00:00|2020-01-04T00:00:00Z|crm/papers|2026-07-01T10:20:30Z|0")

	// The same identifier with the same values is another row: its copy of long ago
	// is not its copy.
	f.run("INSERT INTO p VALUES (1, 'bob', 'a ', '2020-01-01 00:00:00')")
	f.wantOutcome(withHolds(f.shelf(f.papers(), retention.Range{Most: 100}), person("ada")), 1, retention.Spared{})
	f.wantIDs("p", "2 7 8")
	f.wantRows("SELECT "+retention.VaultLife+" FROM v_p WHERE id = 1 ORDER BY 1", "0", "1")
	f.wantOutcome(f.shelf(f.papers(), retention.Range{Most: 100}), 1, retention.Spared{}) // ada's hold has ended
	f.wantOutcome(f.shelf(f.papers(), retention.Range{Most: 100}), 0, retention.Spared{})
	f.wantIDs("p", "7 8")
	f.wantIDs("v_p", "1 1 2 3 4 5 6")
}

// moveRelated: the clock reads other rows too, so the rows are locked before they
// are tested.
func moveRelated(t *testing.T, h Harness) {
	f := setup(t, h, papers)
	c := f.papers()
	m := typed("", retention.AsTimestamp)
	o := rel("o", "p_id", "id", "at")
	m.Related = &o
	c.by(latest(typed("at", retention.AsTimestamp), m))
	b := f.shelf(c, retention.Range{Most: 100})
	f.wantOutcome(withHolds(b, person("ada")), 4, retention.Spared{})
	f.wantIDs("p", "2 3 7 8")
	f.wantRows("SELECT id, "+retention.VaultClock+" FROM v_p WHERE id IN (1, 4) ORDER BY id", "1|2020-06-01T00:00:00Z", "4|2020-01-04T00:00:00Z")
}

// moveUnplanned: a range with more rows than were planned stays as it is.
func moveUnplanned(t *testing.T, h Harness) {
	f := setup(t, h, papers)
	b := f.shelf(f.papers(), retention.Range{Most: 5})
	if err := f.refused(b, "p", "v_p"); !errors.Is(err, retention.ErrUnplanned) {
		t.Errorf("got the error %v, want one that says that more rows are due than were planned", err)
	}
}

// moveAltered: where the vault keeps something else than it was given, nothing
// goes (L9). The trigger is one that nobody described.
func moveAltered(t *testing.T, h Harness) {
	f := setup(t, h, papers)
	b := f.shelf(f.papers(), retention.Range{Most: 100})
	f.trigger("alters", "INSERT", "v_p", "UPDATE v_p SET note = 'other' WHERE id = 5")
	_ = f.refused(b, "p", "v_p")
}

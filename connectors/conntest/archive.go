package conntest

import (
	"slices"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

func archiveCases() []testCase {
	return []testCase{
		{name: "MovesRowsAndChildren", run: archiveMoves},
		{name: "ArchiveEnds", run: archiveEnds},
		{name: "MakeVault", run: archiveVault},
		{name: "NoCopyNoMove", run: archiveRefused},
		{name: "InSlices", run: archiveSlices},
	}
}

// vault makes the vault of family and says how to archive into it.
func (f *fixture) vault() retention.Act {
	f.t.Helper()
	spec := retention.VaultSpec{From: []retention.TableName{tn("p"), tn("g"), tn("c")}, Into: []retention.TableName{tn("v_p"), tn("v_g"), tn("v_c")}}
	if err := f.s.MakeVault(f.t.Context(), f.schema, spec); err != nil {
		f.t.Fatal(err)
	}
	for _, n := range spec.Into {
		if !slices.Contains(f.names, n) {
			f.names = append(f.names, n)
		}
	}
	f.describe()
	return retention.Act{Kind: retention.Archive, Children: kids(), Into: &retention.VaultTables{
		Table: tn("v_p"), Children: []retention.TableName{tn("v_g"), tn("v_c")},
		Rule: "crm/people", Why: "a claim may follow", At: time.Date(2026, 7, 1, 10, 20, 30, 0, time.UTC),
	}}
}

const added = retention.VaultClock + ", " + retention.VaultRule + ", " + retention.VaultArchivedAt

func archiveMoves(t *testing.T, h Harness) {
	f := setup(t, h, family)
	act := f.vault()
	out := f.wantOutcome(f.batch(f.from("p"), act, 1, 2, 3), 2, retention.Spared{Changed: 1})
	if out.Children["c"] != 3 || out.Children["g"] != 2 {
		t.Errorf("children %v", out.Children)
	}
	f.wantIDs("p", "3")
	f.wantIDs("c", "4")
	f.wantIDs("g", "3")
	f.wantRows("SELECT id, at, "+added+" FROM v_p ORDER BY id",
		"1|2020-01-01|2020-01-01T00:00:00Z|crm/people|2026-07-01T10:20:30Z", "2|2020-02-01|2020-02-01T00:00:00Z|crm/people|2026-07-01T10:20:30Z")
	f.wantRows("SELECT id, p_id, note, "+retention.VaultClock+" FROM v_c ORDER BY id", "1|1|a|2020-01-01T00:00:00Z", "2|1|b|2020-01-01T00:00:00Z", "3|2|a|2020-02-01T00:00:00Z")
	f.wantRows("SELECT id, c_id, "+retention.VaultClock+" FROM v_g ORDER BY id", "1|1|2020-01-01T00:00:00Z", "2|3|2020-02-01T00:00:00Z")

	// An identifier that is given again is another row, and goes too.
	f.exec("INSERT INTO p VALUES (1, '2021-01-01')")
	f.wantOutcome(f.batch(f.from("p"), act, 1), 1, retention.Spared{})
	f.wantRows("SELECT at FROM v_p WHERE id = 1 ORDER BY at", "2020-01-01", "2021-01-01")
}

// archiveEnds: the copies go by the clock that they carry, holds as before (L9).
func archiveEnds(t *testing.T, h Harness) {
	f := setup(t, h, family)
	f.wantOutcome(f.batch(f.from("p"), f.vault(), 1, 2), 2, retention.Spared{})
	c := f.from("v_p").about("person", "id").by(latest(cut(own(retention.VaultClock), 2023)))
	b := f.batch(c, retention.Act{Kind: retention.Delete, Drop: true})
	b.Keys = f.keys(c, noHolds(), 10)
	f.wantOutcome(withHolds(b, person("1")), 1, retention.Spared{Held: 1})
	f.wantIDs("v_p", "1")
}

func archiveVault(t *testing.T, h Harness) {
	f := setup(t, h, family)
	act := f.vault()
	f.vault() // again: nothing to do
	f.wantOutcome(f.batch(f.from("p"), act, 1), 1, retention.Spared{})
	f.exec("ALTER TABLE p ADD COLUMN extra {text}")
	f.describe()
	spec := retention.VaultSpec{From: []retention.TableName{tn("p")}, Into: []retention.TableName{tn("v_p")}}
	f.wantRefusal(f.s.MakeVault(t.Context(), f.schema, spec), retention.RefuseSchemaDrift)
	_ = f.refused(f.batch(f.from("p"), act, 2), "p", "v_p")
	spec.Into = []retention.TableName{tn("c")}
	f.wantRefusal(f.s.MakeVault(t.Context(), f.schema, spec), retention.RefuseSchemaDrift)
	f.wantIDs("v_p", "1")
}

func archiveRefused(t *testing.T, h Harness) {
	f := setup(t, h, family)
	act := f.vault()
	none := act
	none.Into = nil
	_ = f.refused(f.batch(f.from("p"), none, 1), "p", "c", "v_p")
	few := act
	few.Into = &retention.VaultTables{Table: tn("v_p"), Children: act.Into.Children[:1], Rule: act.Into.Rule, At: act.Into.At}
	_ = f.refused(f.batch(f.from("p"), few, 1), "p", "c", "v_p")
	f.exec("DROP TABLE v_c")
	_ = f.refused(f.batch(f.from("p"), act, 1), "p", "c", "v_p")
}

func archiveSlices(t *testing.T, h Harness) {
	f := setup(t, h, family)
	b := f.batch(f.from("p"), f.vault(), 1)
	b.ChildrenOf = 2
	if out := f.apply(b); out.Children["g"] != 1 || out.Children["c"] != 1 {
		t.Errorf("children %v, want the deepest first and two in all", out.Children)
	}
	f.wantIDs("p", "1 2 3")
	f.wantIDs("v_g", "1")
	f.wantRows("SELECT count(*) FROM v_c", "1")
	f.wantOutcome(f.batch(f.from("p"), f.vault(), 1), 1, retention.Spared{})
	f.wantIDs("v_c", "1 2")
	f.wantIDs("v_p", "1")
}

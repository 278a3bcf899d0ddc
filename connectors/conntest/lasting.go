package conntest

import (
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

func lastingCases() []testCase {
	return []testCase{
		{name: "VaultWithATrigger", run: lastingTrigger, needs: Triggers},
		{name: "VaultOfAChildWithATrigger", run: lastingChild, needs: Triggers},
		{name: "VaultUnderAForeignKey", run: lastingForeign},
		{name: "VaultElsewhereWithATrigger", run: lastingElsewhere, needs: Triggers},
		{name: "ReceiptsWithATrigger", run: lastingReceipts, needs: Triggers},
	}
}

// harmless is a statement that changes nothing: what a trigger does now says nothing
// of what it will do.
const harmless = "DELETE FROM o WHERE id = -1"

// lastingTrigger: nothing moves to a table whose copies a trigger could take away,
// by range or by key, whenever it came (L9).
func lastingTrigger(t *testing.T, h Harness) {
	for _, event := range []string{"INSERT", "UPDATE", "DELETE"} {
		t.Run(event, func(t *testing.T) {
			f := setup(t, h, papers)
			b := f.shelf(f.papers(), retention.Range{Most: 100})
			k := f.shelf(f.papers(), retention.Range{})
			k.Range, k.Keys = nil, []retention.Key{{int64(1)}}
			f.trigger("late", event, "v_p", harmless)
			f.wantRefusal(f.refused(b, "p", "v_p"), retention.RefuseUnsafeTable)
			f.wantRefusal(f.refused(k, "p", "v_p"), retention.RefuseUnsafeTable)
			f.wantRefusal(f.s.MakeVault(t.Context(), f.schema, retention.VaultSpec{From: []retention.TableName{tn("p")}, Into: []retention.TableName{tn("v_p")}}), retention.RefuseUnsafeTable)
		})
	}
}

// lastingChild: the same of the tables that children go to, whole or in slices.
func lastingChild(t *testing.T, h Harness) {
	f := setup(t, h, family)
	act := f.vault()
	f.trigger("late", "INSERT", "v_c", "DELETE FROM g WHERE id = -1")
	f.describe()
	f.wantRefusal(f.refused(f.batch(f.from("p"), act, 1), "p", "c", "g", "v_p", "v_c", "v_g"), retention.RefuseUnsafeTable)
	b := f.batch(f.from("p"), act, 1)
	b.ChildrenOf = 2
	f.wantRefusal(f.refused(b, "p", "c", "g", "v_p", "v_c", "v_g"), retention.RefuseUnsafeTable)
}

// lastingForeign: copies that would go with rows of another table are none.
func lastingForeign(t *testing.T, h Harness) {
	f := setup(t, h, papers)
	f.shelf(f.papers(), retention.Range{Most: 100})
	f.exec("DROP TABLE v_p;\nCREATE TABLE v_p (" + shelfKey(h) + ", id {int}, who {text}, note {text}, at {timestamp}, " +
		retention.VaultClock + " {text}, " + retention.VaultRule + " {text}, " + retention.VaultArchivedAt + " {text}, " + retention.VaultLife + " {bigint}, FOREIGN KEY (id) REFERENCES o (id) ON DELETE CASCADE)")
	f.describe()
	b := f.batch(f.papers(), retention.Act{Kind: retention.Archive, Into: &retention.VaultTables{Table: tn("v_p"), Rule: "crm/papers", Why: "a claim may follow", At: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)}})
	b.Range = &retention.Range{Most: 100}
	f.wantRefusal(f.refused(b, "p", "v_p"), retention.RefuseUnsafeTable)
}

// shelfKey is a vault's key, as a table of the application would have it.
func shelfKey(h Harness) string { return "retentiond_id " + h.Type("bigint") + " NOT NULL PRIMARY KEY" }

// lastingReceipts: a receipt that a trigger could take away proves nothing (L7).
func lastingReceipts(t *testing.T, h Harness) {
	for _, own := range []string{"retentiond_receipt", "retentiond_gate"} {
		t.Run(own, func(t *testing.T) {
			f := setup(t, h, papers)
			b := f.deletion(f.papers(), 1)
			f.trigger("late", "DELETE", own, harmless)
			before := f.rows("SELECT id FROM p ORDER BY id")
			_, err := f.s.Apply(t.Context(), b)
			f.wantRefusal(err, retention.RefuseUnsafeTable)
			if after := f.rows("SELECT id FROM p ORDER BY id"); len(after) != len(before) {
				t.Errorf("%d rows are left of %d", len(after), len(before))
			}
		})
	}
}

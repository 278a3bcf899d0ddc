package postgres

import (
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// deferred is a constraint trigger that does its work as the transaction commits.
func deferred(event, table, does string) string {
	return "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN " + does + "; RETURN NULL; END$$;" +
		"CREATE CONSTRAINT TRIGGER late AFTER " + event + " ON " + table + " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()"
}

// What was read back must still be there after the commit, and after a crash (L9).
func TestVaultThatDoesNotLast(t *testing.T) {
	for name, text := range map[string]string{
		"deferred trigger": deferred("INSERT", "old_prospects", "DELETE FROM old_prospects WHERE retentiond_id = NEW.retentiond_id"),
		"unlogged":         "ALTER TABLE old_prospects SET UNLOGGED",
		"rule":             "CREATE RULE gone AS ON INSERT TO old_prospects DO ALSO DELETE FROM old_prospects",
		"heirs":            "CREATE TABLE heir () INHERITS (old_prospects)",
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, prospects, "prospects")
			sel := b.selection("prospects", "created_at")
			ranged, keyed := b.archived(sel), b.archived(sel)
			keyed.Range, keyed.Keys = nil, []retention.Key{{int64(1)}}
			b.exec(text)
			var before []string
			if err := b.app.SelectContext(t.Context(), &before, "SELECT id::text FROM prospects ORDER BY prospects.id"); err != nil {
				t.Fatal(err)
			}
			for _, x := range []retention.Batch{ranged, keyed} {
				if _, err := b.s.Apply(t.Context(), x); refusalOf(err) != retention.RefuseUnsafeTable {
					t.Errorf("got %v", err)
				}
			}
			b.wantRows("SELECT id::text FROM prospects ORDER BY prospects.id", before...)
			err := b.s.MakeVault(t.Context(), b.schema, retention.VaultSpec{From: []retention.TableName{tn("prospects")}, Into: []retention.TableName{tn("old_prospects")}})
			if refusalOf(err) != retention.RefuseUnsafeTable {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A trigger that works at the commit is a trigger: whoever binds a rule sees it, and
// what it would change counts (L1).
func TestDeferredTriggerIsSeen(t *testing.T) {
	b := setup(t, prospects, "prospects")
	b.exec(deferred("DELETE", "prospects", "INSERT INTO prospects SELECT (OLD).*"))
	x := b.batch(b.selection("prospects", "created_at"), retention.Act{Kind: retention.Delete, Drop: true}, 1)
	if _, err := b.s.Apply(t.Context(), x); refusalOf(err) != retention.RefuseSchemaDrift {
		t.Errorf("the trigger was not planned: got %v", err)
	}
	b.describe("prospects")
	if got := b.table("prospects").Triggers; len(got) != 1 || got[0].Event != "DELETE" {
		t.Errorf("got the triggers %v", got)
	}
	x = b.batch(b.selection("prospects", "created_at"), retention.Act{Kind: retention.Delete, Drop: true}, 1)
	if _, err := b.s.Apply(t.Context(), x); refusalOf(err) != retention.RefuseUnsafeTable {
		t.Errorf("the trigger put a row back: got %v", err)
	}
}

// A receipt that a crash takes away proves nothing (L7).
func TestReceiptsThatDoNotLast(t *testing.T) {
	for _, own := range []string{"retentiond_receipt", "retentiond_gate"} {
		b := setup(t, prospects, "prospects")
		b.exec("ALTER TABLE " + own + " SET UNLOGGED")
		x := b.batch(b.selection("prospects", "created_at"), retention.Act{Kind: retention.Delete, Drop: true}, 1)
		if _, err := b.s.Apply(t.Context(), x); refusalOf(err) != retention.RefuseUnsafeTable {
			t.Errorf("%s: got %v", own, err)
		}
		b.wantRows("SELECT id::text FROM prospects WHERE id = 1", "1")
	}
}

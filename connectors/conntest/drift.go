package conntest

import (
	"testing"

	"github.com/retentiond/retentiond/retention"
)

func driftCases() []testCase {
	return []testCase{
		{name: "SchemaMoved", run: driftMoved},
		{name: "OtherProcessMovesIt", run: driftBetween},
		{name: "ATriggerAppears", run: driftTrigger, needs: Triggers},
		{name: "AnIndexDoesNotMatter", run: driftIndex},
	}
}

// driftMoved: a batch whose tables are not those that were planned does nothing
// (L12), and goes through once it was planned again.
func driftMoved(t *testing.T, h Harness) {
	for name, script := range map[string]string{
		"new column":             "ALTER TABLE p ADD COLUMN extra {text}",
		"new column of a child":  "ALTER TABLE c ADD COLUMN extra {text}",
		"dropped column":         "ALTER TABLE c DROP COLUMN note",
		"renamed column":         "ALTER TABLE c RENAME COLUMN note TO memo",
		"new table refers to it": "CREATE TABLE x (id {int} NOT NULL PRIMARY KEY, p_id {int}, FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE CASCADE)",
	} {
		t.Run(name, func(t *testing.T) {
			f := setup(t, h, family)
			b := f.deletion(f.from("p"), 1, 2)
			b.Action.Children = kids()
			f.exec(script)
			f.wantRefusal(f.refused(b, "p", "c", "g"), retention.RefuseSchemaDrift)
			f.describe()
			b = f.deletion(f.from("p"), 1, 2)
			b.Action.Children = kids()
			f.wantOutcome(b, 2, retention.Spared{})
		})
	}
}

// driftBetween moves the schema between two batches of one plan.
func driftBetween(t *testing.T, h Harness) {
	f := setup(t, h, family)
	b := f.deletion(f.from("p"), 1)
	b.Action.Children = kids()
	f.wantOutcome(b, 1, retention.Spared{})
	next := f.deletion(&choice{b.Selection}, 2)
	next.Action.Children = kids()
	f.exec("ALTER TABLE c ADD COLUMN extra {text}")
	f.wantRefusal(f.refused(next, "p", "c", "g"), retention.RefuseSchemaDrift)
}

func driftTrigger(t *testing.T, h Harness) {
	f := setup(t, h, family)
	b := f.deletion(f.from("p"), 1)
	b.Action.Children = kids()
	f.trigger("late", "DELETE", "p", "DELETE FROM g WHERE id = -1")
	f.wantRefusal(f.refused(b, "p", "c", "g"), retention.RefuseSchemaDrift)
}

func driftIndex(t *testing.T, h Harness) {
	f := setup(t, h, family)
	b := f.deletion(f.from("p"), 1)
	b.Action.Children = kids()
	f.exec("CREATE INDEX c_p ON c (p_id)")
	f.wantOutcome(b, 1, retention.Spared{})
}

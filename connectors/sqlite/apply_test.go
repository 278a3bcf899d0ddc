package sqlite

import (
	"testing"

	"github.com/retentiond/retentiond/retention"
)

const prospects = `
CREATE TABLE prospects (id INTEGER PRIMARY KEY, person_id TEXT, email TEXT, created_at TEXT);
CREATE TABLE interactions (id INTEGER PRIMARY KEY, prospect_id INTEGER REFERENCES prospects(id), direction TEXT, occurred_at TEXT, amount INTEGER);
CREATE INDEX prospects_created ON prospects (created_at);
CREATE INDEX interactions_prospect ON interactions (prospect_id);
INSERT INTO prospects VALUES (1, 'p1', 'a@x.fr', '2020-01-01'), (2, 'p2', 'b@x.fr', '2020-01-02 10:00:00'), (3, 'p3', 'c@x.fr', '2025-01-01'), (4, NULL, NULL, NULL), (5, 'p5', 'e', '10:30');
INSERT INTO interactions VALUES (1, 1, 'inbound', '2020-02-01', 1), (2, 1, 'outbound', '2020-02-02', 2), (3, 3, 'inbound', '2020-02-01', 3);
`

func children() []retention.Child {
	return []retention.Child{{Relation: retention.Relation{Table: tn("interactions"), On: []retention.Pair{{Theirs: "prospect_id", Ours: "id"}}}, Then: retention.ChildDelete}}
}

func TestDeleteTakesChildrenFirst(t *testing.T) {
	b := setup(t, prospects)
	b.install()
	sel := b.selection("prospects", "created_at")
	b.wantClasses(sel, noHolds(), map[string]retention.Class{"1": retention.Due, "2": retention.Due, "3": retention.Active, "4": retention.Open, "5": retention.Unresolved})
	batch := b.batch(sel, retention.Delete, 1, 2, 3, 4, 5, 99)
	batch.Action.Children = children()
	out := b.apply(batch)
	if out.Done != 2 || out.Spared.Changed != 3 || out.Spared.Gone != 1 || out.Children["interactions"] != 2 {
		t.Errorf("outcome %+v", out)
	}
	b.wantRows("SELECT id FROM prospects ORDER BY id", "3", "4", "5")
	b.wantRows("SELECT id FROM interactions", "3")
	b.wantRows("SELECT state || ' ' || rows || ' ' || digest FROM retentiond_receipt", "done 2 sealed 2 of 2")
}

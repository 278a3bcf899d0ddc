package postgres

import (
	"strings"
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention"
)

const hiding = `CREATE TABLE p (id int PRIMARY KEY, at timestamptz); CREATE INDEX ON p (at); INSERT INTO p VALUES (1, '2010-01-01');
CREATE TABLE c (id int PRIMARY KEY, p_id int, at timestamptz); INSERT INTO c VALUES (1, 1, '2025-01-01');
ALTER TABLE c ENABLE ROW LEVEL SECURITY; CREATE POLICY none ON c USING (false);`

// A contact that row-level security hides keeps its row: no statement passes over
// it, be the table named by a clock or inside an expression (L1).
func TestHiddenRowsStopTheStatement(t *testing.T) {
	b := setup(t, hiding)
	s := openAs(t, Options{DSN: servers.Postgres(t).Role(t, b.dsn, "SELECT, UPDATE, DELETE ON p", "SELECT ON c", "SELECT, UPDATE ON retentiond_gate", "SELECT, INSERT, DELETE ON retentiond_receipt")})
	schema, err := s.Describe(t.Context(), []retention.TableName{tn("p"), tn("c")})
	if err != nil {
		t.Fatal(err)
	}
	b.schema = schema
	if b.table("c").Hides == "" || b.table("p").Hides != "" {
		t.Errorf("hides: %q, %q", b.table("c").Hides, b.table("p").Hides)
	}
	related := b.selection("p", "at")
	contact := member("at")
	contact.Related = &retention.Relation{Table: tn("c"), On: []retention.Pair{{Theirs: "p_id", Ours: "id"}}, Column: "at"}
	related.Clock.Members = append(related.Clock.Members, contact)
	worded := b.selection("p", "at")
	worded.Where = &retention.Predicate{SQL: "(SELECT count(*) FROM c) = 0"}
	for name, sel := range map[string]retention.Selection{"clock": related, "expression": worded} {
		if n, err := s.Count(t.Context(), sel, noHolds(), nil); err == nil || !strings.Contains(err.Error(), "row-level security") {
			t.Errorf("%s: counted %+v, %v", name, n.Classes, err)
		}
		if out, err := s.Apply(t.Context(), b.batch(sel, retention.Act{Kind: retention.Delete}, 1)); err == nil {
			t.Errorf("%s: %+v", name, out)
		}
	}
	var left int
	if err := b.app.Get(&left, "SELECT count(*) FROM p"); err != nil || left != 1 {
		t.Errorf("%d rows are left, %v", left, err)
	}
}

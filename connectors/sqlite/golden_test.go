package sqlite

import (
	"flag"
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

var update = flag.Bool("update", false, "write the golden files")

// What is sent to the database is read by people before it is trusted.
func TestGoldenSQL(t *testing.T) {
	b := setup(t, prospects)
	own := b.selection("prospects", "created_at")
	full := b.selection("prospects", "created_at")
	rel := contacts()
	rel.Where = eq("direction", "inbound")
	full.Clock = latest(member("created_at"), relatedMember(rel))
	full.Where = &retention.Predicate{Any: []retention.Predicate{*eq("email", "a@x.fr"), {SQL: "length(email) > 3"}}}
	full.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{"person_id"}}}
	full.Minimums = []retention.Minimum{{Where: eq("email", "x"), Clock: latest(member("created_at"))}}
	full.Blocked = []retention.ChildReach{{Child: children()[0], Reach: &retention.Reach{Table: tn("interactions")}, Minimums: []retention.Minimum{{Clock: latest(func() retention.MemberTest {
		m := member("occurred_at")
		return m
	}())}}}}
	holds := person("p1", "p2")
	holds.Scoped = []retention.ScopedHold{{Hold: "h", Table: tn("interactions"), Where: eq("direction", "inbound")}}
	masked := b.selection("prospects", "created_at")
	changes := []retention.Change{{Column: "id", Func: retention.Keep}, {Column: "email", Func: retention.EmailDomain}, {Column: "person_id", Func: retention.Null}, {Column: "created_at", Func: retention.Truncate, Unit: "month"}}
	masked.Done = &retention.DoneTest{Changes: changes}
	v := &retention.VaultTables{Table: tn("vault p"), Rule: "p/r", At: cutoff()}
	const list = "[[1],[2]]"

	golden := func(name string, sel retention.Selection, h *retention.HoldSet, build func(g *sqlgen.Gen) (sqlgen.Query, error)) {
		t.Run(name, func(t *testing.T) {
			g, err := b.s.Gen(sel, h)
			if err != nil {
				t.Fatal(err)
			}
			q, err := build(g)
			if err != nil {
				t.Fatal(err)
			}
			conntest.Golden(t, *update, "sqlite-"+name, q.Text, "?", q.Args)
		})
	}
	count := func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Count() }
	golden("count-own", own, noHolds(), count)
	golden("count-full", full, holds, count)
	golden("page-first", own, person("p1"), func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Page(retention.Cursor{}, 100) })
	golden("page-next", own, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) {
		return g.Page(retention.Cursor{Order: "2020-01-01", Key: retention.Key{int64(7)}}, 100)
	})
	golden("children", own, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.CountChildren(children()[0]) })
	golden("classify", own, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Classify(list) })
	golden("delete", own, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Delete(list) })
	golden("delete-children", own, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.DeleteChildren(children()[0], list, sqlgen.Some{}) })
	golden("delete-some-children", own, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) {
		return g.DeleteChildren(children()[0], list, sqlgen.Some{Most: 5})
	})
	golden("anonymise", masked, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Update(list, changes, "", nil) })
	golden("count-done", masked, noHolds(), count)
	golden("archive", own, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Copy(list, v) })
	golden("archive-children", full, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) {
		return g.CopyChildren(children()[0], list, sqlgen.Some{}, tn("vault i"), v)
	})
	golden("evidence", full, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Evidence(retention.Find{Key: ptr("1")}) })
}

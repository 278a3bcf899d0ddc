package postgres

import (
	"flag"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/conntest"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

var update = flag.Bool("update", false, "write the golden files")

// What is sent to the database is read by people before it is trusted.
func TestGoldenSQL(t *testing.T) {
	b := setup(t, prospects+"CREATE TABLE old (id uuid PRIMARY KEY, txt text, d date, ts timestamp, ip inet, note json);", "prospects", "interactions", "old")
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	own := b.selection("prospects", "created_at")
	full := b.selection("prospects", "created_at")
	inbound := &retention.Predicate{Test: &retention.Comparison{Column: "direction", Op: retention.Eq, Values: []retention.Scalar{{Text: "in"}}}}
	contact := contacts()
	contact.Related.Where = inbound
	full.Clock = latest(member("created_at"), contact)
	full.Where = &retention.Predicate{SQL: "length(email) > 3"}
	full.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{"person_id"}}}
	child := retention.Child{Relation: retention.Relation{Table: tn("interactions"), On: []retention.Pair{{Theirs: "prospect_id", Ours: "id"}}}, Then: retention.ChildDelete}
	full.Blocked = []retention.ChildReach{{Child: child, Reach: &retention.Reach{Table: tn("interactions")}, Minimums: []retention.Minimum{{Clock: latest(member("occurred_at"))}}}}
	holds := person("p1", "p2")
	holds.Scoped = []retention.ScopedHold{{Hold: "h", Table: tn("interactions"), Where: inbound}}
	changes := []retention.Change{{Column: "txt", Func: retention.EmailDomain}, {Column: "d", Func: retention.Truncate, Unit: "month"}, {Column: "ip", Func: retention.MaskIP, Bits: [2]int{24, 48}}, {Column: "note", Func: retention.Null}}
	masked := b.selection("old", "ts")
	masked.Done = &retention.DoneTest{Changes: changes}
	masked.Clock.Members[0].Zone, masked.Clock.Members[0].Cutoff = paris, time.Date(2023, 3, 26, 1, 20, 0, 0, time.UTC)
	texts := b.selection("old", "txt")
	v := &retention.VaultTables{Table: retention.TableName{Schema: "vaults", Name: "old p"}, Rule: "p/r", At: cutoff()}
	uuids := `[["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]]`
	cursor := retention.Cursor{Order: "2020-01-01 00:00:00+00", Key: retention.Key{int64(7)}}

	uuidCursor := retention.Cursor{Key: retention.Key{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}}
	contacted := b.selection("prospects", "created_at")
	contacted.Clock = latest(member("created_at"), contacts())

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
			conntest.Golden(t, *update, "postgres-"+name, q.Text, "$", q.Args)
		})
	}
	count := func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Count() }
	golden("count-own", own, noHolds(), count)
	golden("count-full", full, holds, count)
	golden("count-text", texts, noHolds(), count)
	golden("count-gap", masked, noHolds(), count)
	golden("page-next", own, person("p1"), func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Page(cursor, 100) })
	golden("delete-range", own, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) {
		return g.DeleteRange(retention.Range{After: cursor, To: cursor, Most: 100})
	})
	golden("classify", own, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Classify("[1,2]") })
	golden("lock", masked, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Lock(uuids) })
	golden("delete", own, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Delete("[1,2]") })
	golden("delete-some-children", own, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) {
		return g.DeleteChildren(child, "[1,2]", sqlgen.Some{Most: 5})
	})
	golden("anonymise", masked, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) {
		return g.Update(uuids, changes, "", nil)
	})
	golden("archive", masked, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Copy(uuids, v) })
	golden("archive-range", masked, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) {
		return g.CopyRange(retention.Range{After: uuidCursor, Most: 100}, v, true)
	})
	golden("archive-range-end", masked, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) {
		g.LockedOnly()
		return g.DeleteCopied(retention.Range{After: uuidCursor, Most: 100}, v.Table, 7)
	})
	golden("seal-range", own, person("p1"), func(g *sqlgen.Gen) (sqlgen.Query, error) {
		return g.TakeRange(retention.Range{After: cursor, To: cursor, Most: 100}, nil)
	})
	golden("seal-range-related", contacted, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) {
		g.LockedOnly()
		return g.TakeRange(retention.Range{After: cursor, Most: 100}, []retention.Minimum{{Policy: "p", Rule: "r", Clock: latest(member("created_at"))}})
	})
	golden("lock-range", contacted, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) {
		return g.LockRange(retention.Range{After: cursor, To: cursor, Most: 100})
	})
	golden("archive-compare", masked, noHolds(), func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Uncopied(uuids, v.Table, 7) })
}

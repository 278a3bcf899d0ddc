package postgres

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// explained is the plan of a rendered statement, as one of our sessions sees it.
func (b *bundle) explained(q sqlgen.Query, err error) string {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	var out []string
	err = b.s.Look(sqlwork.ByIndex(b.t.Context()), func(s sqlwork.Session) error {
		rows, err := s.QueryxContext(b.t.Context(), "EXPLAIN "+q.Text, q.Args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				return err
			}
			out = append(out, line)
		}
		return rows.Err()
	})
	if err != nil {
		b.t.Fatalf("%v\n%s", err, q.Text)
	}
	return strings.Join(out, "\n")
}

// No page and no batch reads a table through, and no row costs a function.
func TestQueryPlans(t *testing.T) {
	b := setup(t, prospects+`INSERT INTO prospects SELECT i, 'p' || i, i || '@x.fr', TIMESTAMPTZ '2015-01-01' + i * interval '1 hour' FROM generate_series(1000, 101000) AS i;
INSERT INTO interactions (prospect_id, direction, occurred_at) SELECT i, 'in', TIMESTAMPTZ '2015-01-01' FROM generate_series(1000, 101000, 2) AS i;
CREATE TABLE days (id uuid PRIMARY KEY, d date, ts timestamp, n bigint); CREATE INDEX ON days (d); CREATE INDEX ON days (ts); CREATE INDEX ON days (n);
INSERT INTO days SELECT gen_random_uuid(), DATE '2015-01-01' + i / 50, TIMESTAMP '2015-01-01' + i * interval '1 hour', 1400000000 + i FROM generate_series(1, 100000) AS i; ANALYZE`, "prospects", "interactions", "days")
	b.exec("VACUUM ANALYZE prospects, interactions, days")
	sel := b.selection("prospects", "created_at")
	sel.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{"person_id"}}}
	var ids []string
	for i := range 1000 {
		ids = append(ids, fmt.Sprintf("p%d", i*7))
	}
	holds := person(ids...)
	gen := func() *sqlgen.Gen {
		g, err := b.s.Gen(sel, holds)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	want := func(name, plan string, parts ...string) {
		t.Helper()
		for _, p := range parts {
			if !strings.Contains(plan, p) {
				t.Errorf("%s does not use %q:\n%s", name, p, plan)
			}
		}
		for _, bad := range []string{"Seq Scan on prospects", "Seq Scan on interactions", "Seq Scan on days", "extract(", "retentiond_clock("} {
			if strings.Contains(plan, bad) {
				t.Errorf("%s has %q:\n%s", name, bad, plan)
			}
		}
	}
	list := func(n int) string {
		var keys []string
		for i := range n {
			keys = append(keys, fmt.Sprint(1000+i))
		}
		return "[" + strings.Join(keys, ",") + "]"
	}
	cursor := retention.Cursor{Order: "2016-01-01 00:00:00+00", Key: retention.Key{int64(5000)}}
	to := retention.Cursor{Order: "2016-02-01 00:00:00+00", Key: retention.Key{int64(6000)}}
	want("page", b.explained(gen().Page(retention.Cursor{}, 1000)), "prospects_created")
	want("next page", b.explained(gen().Page(cursor, 1000)), "prospects_created", "Index Cond: ((created_at")
	want("ahead", b.explained(gen().Ahead(cursor, 1000)), "prospects_created")
	want("delete range", b.explained(gen().DeleteRange(retention.Range{After: cursor, To: to, Most: 1000})), "prospects_created", "created_at >= '2016-01-01", "created_at <= '2016-02-01")
	want("classify", b.explained(gen().Classify(list(1000))), "prospects_pkey")
	want("lock", b.explained(gen().Lock(list(1000))), "prospects_pkey")
	want("delete", b.explained(gen().Delete(list(1000))), "prospects_pkey")
	child := retention.Child{Relation: retention.Relation{Table: tn("interactions"), On: []retention.Pair{{Theirs: "prospect_id", Ours: "id"}}}, Then: retention.ChildDelete}
	want("children", b.explained(gen().DeleteChildren(child, list(200), sqlgen.Some{})), "interactions_prospect")
	sel.Clock = latest(member("created_at"), contacts())
	want("related", b.explained(gen().KeysOfRange(retention.Range{After: cursor, To: to, Most: 1000}, false)), "interactions_prospect")
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for _, column := range []string{"d", "ts", "n"} {
		sel = b.selection("days", column)
		sel.Clock.Members[0].Zone, sel.Clock.Members[0].DateZone, sel.Clock.Members[0].Cutoff = paris, paris, time.Date(2015, 6, 1, 0, 0, 0, 0, time.UTC)
		want("page by "+column, b.explained(gen().Page(retention.Cursor{}, 100)), "days_"+column+"_idx")
	}
}

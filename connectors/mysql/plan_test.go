package mysql

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

var update = flag.Bool("update", false, "write the golden files")

// statement is one that is sent to the server, by the name of its golden file.
type statement struct {
	name  string
	sel   retention.Selection
	holds *retention.HoldSet
	build func(g *sqlgen.Gen) (sqlgen.Query, error)
	plan  []string // what EXPLAIN must say: table, access, index
	never string   // what it must not say
}

func statements(schema *retention.Schema) []statement {
	own := selection(schema, "p", "at")
	own.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{"person_id"}}}
	full := own
	rel := retention.Relation{Table: retention.TableName{Name: "c"}, On: []retention.Pair{{Theirs: "p_id", Ours: "id"}}, Column: "at"}
	contact := own.Clock.Members[0]
	contact.Column, contact.Related = "", &rel
	full.Clock = retention.ClockTest{Members: []retention.MemberTest{own.Clock.Members[0], contact}}
	none, held := &retention.HoldSet{}, &retention.HoldSet{Version: 1, Subjects: map[string][]string{"person": {"7", "8"}}}
	child := retention.Child{Relation: rel, Then: retention.ChildDelete}
	changes := []retention.Change{{Column: "email", Func: retention.EmailDomain}, {Column: "ip", Func: retention.MaskIP, Bits: [2]int{24, 48}}, {Column: "person_id", Func: retention.Null}}
	at := retention.Cursor{Order: "2020-01-01 00:00:00.000000", Key: retention.Key{int64(7)}}
	to := retention.Cursor{Order: "2020-02-01 00:00:00.000000", Key: retention.Key{int64(9)}}
	vault := &retention.VaultTables{Table: retention.TableName{Name: "v"}, Rule: "p/r", At: cutoff()}
	const list = "[1,2]"
	return []statement{
		{"count", full, held, (*sqlgen.Gen).Count, nil, "DEPENDENT SUBQUERY j"},
		{"page", own, held, func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Page(at, 100) }, []string{"t range at"}, "filesort"},
		{"classify", full, held, func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Classify(list) }, []string{"t eq_ref PRIMARY"}, ""},
		{"lock", own, none, func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Lock(list) }, []string{"t eq_ref PRIMARY"}, ""},
		{"delete", own, none, func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Delete(list) }, []string{"t eq_ref PRIMARY"}, "DEPENDENT"},
		{"delete-due", own, held, func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.DeleteDue(list) }, []string{"t eq_ref PRIMARY"}, "DEPENDENT"},
		{"delete-range", own, held, func(g *sqlgen.Gen) (sqlgen.Query, error) {
			return g.DeleteRange(retention.Range{After: at, To: to, Most: 10})
		}, []string{"t range at"}, "DEPENDENT"},
		{"delete-children", own, none, func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.DeleteChildren(child, list, sqlgen.Some{}) }, []string{"r1 ref p_id"}, "DEPENDENT"},
		{"anonymise", own, none, func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Update(list, changes, "", nil) }, []string{"t eq_ref PRIMARY"}, "DEPENDENT"},
		{"anonymise-range", own, held, func(g *sqlgen.Gen) (sqlgen.Query, error) {
			return g.UpdateRange(retention.Range{After: at, To: to, Most: 10}, changes, "", nil)
		}, []string{"t range at"}, "DEPENDENT"},
		{"archive", own, none, func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Copy(list, vault) }, []string{"t eq_ref PRIMARY", "l ref i1"}, ""},
		{"archive-range", own, held, func(g *sqlgen.Gen) (sqlgen.Query, error) {
			return g.CopyRange(retention.Range{After: at, To: to, Most: 10}, vault, true)
		}, []string{"t range at", "l ref i1"}, ""},
		{"seal-range", own, held, func(g *sqlgen.Gen) (sqlgen.Query, error) {
			return g.ContentsOfRange(retention.Range{After: at, To: to, Most: 10}, nil, true)
		}, []string{"t range at"}, "DEPENDENT"},
		{"take-range", own, none, func(g *sqlgen.Gen) (sqlgen.Query, error) {
			return g.TakeRange(retention.Range{After: at, To: to, Most: 10}, nil)
		}, []string{"p range at"}, "DEPENDENT"},
		{"archive-range-end", own, held, func(g *sqlgen.Gen) (sqlgen.Query, error) {
			return g.DeleteCopied(retention.Range{After: at, To: to, Most: 10}, vault.Table, 7)
		}, []string{"t range at", "v ref i1"}, ""},
		{"uncopied", own, none, func(g *sqlgen.Gen) (sqlgen.Query, error) {
			return g.Uncopied(list, vault.Table, 7)
		}, []string{"t eq_ref PRIMARY"}, ""},
	}
}

// TestStatements: what is sent to the server is read by people before it is
// trusted, and uses the indexes that it is written for.
func TestStatements(t *testing.T) {
	d, s := shop(t, "CREATE TABLE p (id BIGINT PRIMARY KEY, person_id BIGINT, email VARCHAR(190), ip VARCHAR(45), at DATETIME(6), KEY at (at))",
		"CREATE TABLE c (id BIGINT PRIMARY KEY, p_id BIGINT, at DATETIME(6), KEY p_id (p_id))")
	spec := retention.VaultSpec{From: []retention.TableName{{Name: "p"}}, Into: []retention.TableName{{Name: "v"}}}
	if err := s.MakeVault(t.Context(), describe(t, s, "p"), spec); err != nil {
		t.Fatal(err)
	}
	d.app.MustExec("INSERT INTO p SELECT seq, seq % 100, CONCAT('a', seq, '@x.fr'), '10.1.2.3', '2015-01-01' + INTERVAL seq HOUR FROM seq_1_to_50000")
	d.app.MustExec("INSERT INTO c SELECT seq, seq, '2015-01-01' FROM seq_1_to_50000")
	d.app.MustExec("INSERT INTO v (id, retentiond_life) SELECT id, 0 FROM p")
	if _, err := d.app.Exec("ANALYZE TABLE p, c, v"); err != nil {
		t.Fatal(err)
	}
	for _, x := range statements(describe(t, s, "p", "c", "v")) {
		t.Run(x.name, func(t *testing.T) {
			g, err := s.Gen(x.sel, x.holds)
			if err != nil {
				t.Fatal(err)
			}
			q, err := x.build(g)
			if err != nil {
				t.Fatal(err)
			}
			conntest.Golden(t, *update, "mysql-"+x.name, q.Text, "?", q.Args)
			plan := explain(t, s, q)
			for _, want := range x.plan {
				if !strings.Contains(plan, want) {
					t.Errorf("no %q in the plan:\n%s", want, plan)
				}
			}
			if x.never != "" && strings.Contains(plan, x.never) {
				t.Errorf("%q in the plan:\n%s", x.never, plan)
			}
		})
	}
}

// explain is a line for each table: select type, table, access, index, extra.
func explain(t *testing.T, s *Source, q sqlgen.Query) string {
	t.Helper()
	rows, err := s.write.Queryx("EXPLAIN "+q.Text, q.Args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		m := map[string]any{}
		if err := rows.MapScan(m); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s %s %s %s %s\n", m["select_type"], m["table"], m["type"], m["key"], m["Extra"])
	}
	return out.String()
}

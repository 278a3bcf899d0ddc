package sqlite

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// walk pages through everything due and returns the keys in order.
func (b *bundle) walk(sel retention.Selection, limit int) []string {
	b.t.Helper()
	var out []string
	var at retention.Cursor
	for range 1000 {
		p, err := b.s.Page(b.t.Context(), sel, noHolds(), at, limit)
		if err != nil {
			b.t.Fatal(err)
		}
		if len(p.Keys) == 0 {
			return out
		}
		for _, k := range p.Keys {
			out = append(out, sqlwork.KeyText(k))
		}
		at = p.Next
	}
	b.t.Fatal("the pages do not end")
	return nil
}

func TestPagesInClockOrder(t *testing.T) {
	b := setup(t, `
CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT);
CREATE INDEX p_at ON p (at);
INSERT INTO p VALUES (1,'2020-01-03'),(2,'2020-01-01'),(3,'2020-01-01'),(4,'2020-01-02T00:00:00Z'),(5,'2025-01-01'),(6,NULL),(7,'2020-01-01 '),(8,'2020-01-01');`)
	want := []string{"2", "3", "8", "4", "1"}
	for limit := 1; limit < 7; limit++ {
		if diff := cmp.Diff(want, b.walk(b.selection("p", "at"), limit)); diff != "" {
			t.Errorf("limit %d: %s", limit, diff)
		}
	}
}

func TestKeysOfEveryKind(t *testing.T) {
	for name, c := range map[string]struct {
		ddl  string
		want []string
	}{
		"text": {`CREATE TABLE p (id TEXT PRIMARY KEY NOT NULL, at DATE) WITHOUT ROWID; INSERT INTO p VALUES ('10','2020-01-01'),('9','2020-01-01'),('é"''x','2020-01-01'),('','2020-01-01'),('a' || char(0) || 'b','2020-01-01');`,
			[]string{"", "10", "9", "a\x00b", "é\"'x"}},
		"blob":      {`CREATE TABLE p (id BLOB PRIMARY KEY NOT NULL, at DATETIME); INSERT INTO p VALUES (x'00ff','2020-01-01'),(x'','2020-01-01'),(x'41','2020-01-01');`, []string{"", "00ff", "41"}},
		"date":      {`CREATE TABLE p (id DATE PRIMARY KEY NOT NULL, at TIMESTAMP); INSERT INTO p VALUES ('2020-01-01','2020-01-01'),('2020-01-02','2020-01-01 00:00:00');`, []string{"2020-01-01", "2020-01-02"}},
		"composite": {`CREATE TABLE p (a TEXT, "b c" INTEGER, at TEXT, PRIMARY KEY (a, "b c")) WITHOUT ROWID; INSERT INTO p VALUES ('x',2,'2020-01-01'),('x',10,'2020-01-01'),('w',99,'2020-01-01');`, []string{`["w",99]`, `["x",2]`, `["x",10]`}},
		"mixed":     {`CREATE TABLE p (id PRIMARY KEY NOT NULL, at TEXT); INSERT INTO p VALUES (1,'2020-01-01'),('1','2020-01-01'),(x'31','2020-01-01'),(1.5,'2020-01-01');`, []string{"1", "1", "31"}},
		"big":       {`CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT); INSERT INTO p VALUES (9007199254740993,'2020-01-01'),(-9223372036854775808,'2020-01-01'),(9223372036854775807,'2020-01-01');`, []string{"-9223372036854775808", "9007199254740993", "9223372036854775807"}},
		"null":      {`CREATE TABLE p (id TEXT PRIMARY KEY, at TEXT); INSERT INTO p VALUES (NULL,'2020-01-01'),('a','2020-01-01');`, []string{"a"}},
		"odd":       {`CREATE TABLE "p" ("select ""x"" é?1" INTEGER PRIMARY KEY, at TEXT, "rowid" TEXT); INSERT INTO p VALUES (1,'2020-01-01','r');`, []string{"1"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, c.ddl)
			b.install()
			b.describe()
			sel := b.selection("p", "at")
			if diff := cmp.Diff(c.want, b.walk(sel, 1)); diff != "" {
				t.Error(diff)
			}
			p, err := b.s.Page(t.Context(), sel, noHolds(), retention.Cursor{}, 100)
			if err != nil {
				t.Fatal(err)
			}
			batch := b.batch(sel, retention.Delete)
			batch.Keys = p.Keys
			if out := b.apply(batch); out.Done != int64(len(c.want)) {
				t.Errorf("outcome %+v", out)
			}
		})
	}
}

// Two keys that differ only in case are two rows, whatever the column's
// collation says.
func TestKeysAreComparedByBytes(t *testing.T) {
	b := setup(t, `CREATE TABLE p (id TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, at TEXT); INSERT INTO p VALUES ('abc','2020-01-01');`)
	b.install()
	out := b.apply(b.batch(b.selection("p", "at"), retention.Delete, "ABC"))
	if out.Done != 0 || out.Spared.Gone != 1 {
		t.Errorf("%+v", out)
	}
	b.wantRows("SELECT id FROM p", "abc")
}

func (b *bundle) plan(q sqlgen.Query, err error) string {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	var rows []struct {
		ID, Parent, Notused int
		Detail              string
	}
	if err := b.s.read.Select(&rows, "EXPLAIN QUERY PLAN "+q.Text, q.Args...); err != nil {
		b.t.Fatal(err)
	}
	out := ""
	for _, r := range rows {
		out += r.Detail + "\n"
	}
	return out
}

func TestQueryPlans(t *testing.T) {
	b := setup(t, prospects+`CREATE TABLE ev (id INTEGER PRIMARY KEY, at INTEGER); CREATE INDEX ev_at ON ev (at);`)
	sel := b.selection("prospects", "created_at")
	gen := func() *sqlgen.Gen {
		g, err := b.s.Gen(sel, person("p1"))
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	want := func(name, plan, part string) {
		t.Helper()
		if !strings.Contains(plan, part) || strings.Contains(plan, "TEMP B-TREE FOR ORDER") {
			t.Errorf("%s does not use %q:\n%s", name, part, plan)
		}
	}
	want("page", b.plan(gen().Page(retention.Cursor{}, 10)), "SEARCH t USING COVERING INDEX prospects_created (created_at<?)")
	want("next page", b.plan(gen().Page(retention.Cursor{Order: "2020-01-01", Key: retention.Key{int64(1)}}, 10)), "SEARCH t USING COVERING INDEX prospects_created (")
	want("classify", b.plan(gen().Classify("[[1],[2]]")), "SEARCH t USING INTEGER PRIMARY KEY")
	want("delete", b.plan(gen().Delete("[[1],[2]]")), "SEARCH t USING INTEGER PRIMARY KEY")
	want("children", b.plan(gen().DeleteChildren(children()[0], "[[1],[2]]", sqlgen.Some{})), "USING COVERING INDEX interactions_prospect (prospect_id=?)")
	sel = b.selection("ev", "at")
	want("unix page", b.plan(gen().Page(retention.Cursor{}, 10)), "SEARCH t USING COVERING INDEX ev_at (at<?)")
}

// A cursor that went through JSON, as the spool keeps it, goes on exactly.
func TestCursorValuesArePlain(t *testing.T) {
	b := setup(t, `CREATE TABLE p (id INTEGER PRIMARY KEY, at DATETIME); CREATE INDEX p_at ON p (at); INSERT INTO p VALUES (1,'2020-01-01 10:00:00');`)
	p, err := b.s.Page(t.Context(), b.selection("p", "at"), noHolds(), retention.Cursor{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%T %T", p.Next.Order, p.Next.Key[0]); got != "string int64" {
		t.Errorf("cursor of %s: the driver converted a value", got)
	}
	text, err := json.Marshal(p.Next)
	if err != nil || string(text) != `{"Order":"2020-01-01 10:00:00","Key":[1]}` {
		t.Errorf("%s, %v", text, err)
	}
}

func TestCursorThatDoesNotFit(t *testing.T) {
	b := setup(t, prospects)
	for _, c := range []retention.Cursor{{Key: retention.Key{int64(1)}}, {Order: "x", Key: retention.Key{int64(1), int64(2)}}} {
		if _, err := b.s.Page(t.Context(), b.selection("prospects", "created_at"), noHolds(), c, 1); err == nil {
			t.Errorf("cursor %+v was accepted", c)
		}
	}
}

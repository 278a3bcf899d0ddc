package sqlite

import (
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

func on(theirs, ours string) []retention.Pair {
	return []retention.Pair{{Theirs: theirs, Ours: ours}}
}

func heldKeys(classes classMap) string {
	var out []string
	for k, c := range classes {
		if c == retention.Held {
			out = append(out, k)
		}
	}
	sort.Strings(out)
	return strings.Join(out, " ")
}

func TestHoldsReachBySubject(t *testing.T) {
	b := setup(t, `
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT);
INSERT INTO orders VALUES (10,'c1'),(11,'c2');
CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT, payer INTEGER, student INTEGER, order_id INTEGER);
INSERT INTO p VALUES (1,'2020-01-01',7,8,NULL),(2,'2020-01-01',8,7,NULL),(3,'2020-01-01',NULL,NULL,10),(4,'2020-01-01',NULL,NULL,11),(5,'2020-01-01',9,9,NULL);`)
	sel := b.selection("p", "at")
	sel.Reach.Subjects = []retention.Subject{
		{Type: "person", Columns: []string{"payer", "student"}},
		{Type: "customer", Related: &retention.Relation{Table: tn("orders"), On: on("id", "order_id"), Column: "customer"}},
	}
	for want, h := range map[string]*retention.HoldSet{
		"":    noHolds(),
		"1 2": person("7", "nobody"),
		"3":   {Subjects: map[string][]string{"customer": {"c1"}}},
		"5":   person("9"),
		"1":   {Scoped: []retention.ScopedHold{{Hold: "h", Table: tn("p"), Where: eq("student", "8")}}},
		"2":   {Scoped: []retention.ScopedHold{{Hold: "h", Table: retention.TableName{Schema: "main", Name: "P"}, Where: eq("payer", "8"), Subjects: map[string][]string{"person": {"7"}}}}},
	} {
		if got := heldKeys(b.classes(sel, h)); got != want {
			t.Errorf("held %q, want %q", got, want)
		}
	}
	all := &retention.HoldSet{Scoped: []retention.ScopedHold{{Hold: "h", Table: tn("p")}}}
	if got := heldKeys(b.classes(sel, all)); got != "1 2 3 4 5" {
		t.Errorf("a hold on the whole table held %q", got)
	}
}

// Identifiers are texts; columns are what they are.
func TestHoldIdentifiersFollowTheColumn(t *testing.T) {
	for _, c := range []struct {
		decl, value, id string
		held            bool
	}{
		{"INTEGER", "42", "42", true}, {"INTEGER", "42", "43", false}, {"INTEGER", "9007199254740993", "9007199254740993", true}, {"INTEGER", "9007199254740993", "9007199254740992", false},
		{"TEXT", "'042'", "42", false}, {"TEXT", "'042'", "042", true}, {"TEXT", "42", "42", true}, {"TEXT COLLATE NOCASE", "'Ab'", "aB", true}, {"TEXT", "'Ab'", "aB", false},
		{"", "42", "42", true}, {"", "'42'", "42", true}, {"", "42.0", "42", true}, {"REAL", "42", "42", true}, {"NUMERIC", "'x1'", "x1", true},
		{"BLOB", "x'3432'", "42", true}, {"BLOB", "x'00ff'", "00FF", true}, {"TEXT", "x'00ff'", "00ff", true},
		{"UUID", "'550E8400-E29B-41D4-A716-446655440000'", "550e8400-e29b-41d4-a716-446655440000", true},
		{"BLOB", "x'550E8400E29B41D4A716446655440000'", "550e8400-e29b-41d4-a716-446655440000", true},
		{"", "0", "abc", false}, {"INTEGER", "0", "abc", false}, {"TEXT", "NULL", "", false}, {"TEXT", "'é'", "é", true}, {"TEXT", `'a"b\'`, `a"b\`, true},
	} {
		t.Run(c.decl+" "+c.value+" "+c.id, func(t *testing.T) {
			b := setup(t, "CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT, who "+c.decl+"); INSERT INTO p VALUES (1,'2020-01-01',"+c.value+")")
			sel := b.selection("p", "at")
			sel.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{"who"}}}
			if got := heldKeys(b.classes(sel, person(c.id, "zz"))) != ""; got != c.held {
				t.Errorf("held %v, want %v", got, c.held)
			}
			m, err := b.s.Matched(t.Context(), sel, "person", []string{c.id, "zz"})
			if err != nil || (len(m) == 1 && m[0] == c.id) != c.held {
				t.Errorf("matched %q, %v", m, err)
			}
		})
	}
}

func TestHoldsReachThroughParents(t *testing.T) {
	b := setup(t, `
CREATE TABLE people (id TEXT PRIMARY KEY);
CREATE TABLE files (id INTEGER PRIMARY KEY, person TEXT);
CREATE TABLE pages (id INTEGER PRIMARY KEY, file INTEGER, kind TEXT, at TEXT);
INSERT INTO people VALUES ('a'),('b');
INSERT INTO files VALUES (1,'a'),(2,'b');
INSERT INTO pages VALUES (10,1,'x','2020-01-01'),(11,2,'x','2020-01-01'),(12,NULL,'x','2020-01-01'),(13,1,'loose','2020-01-01');`)
	people := &retention.Reach{Table: tn("people"), Subjects: []retention.Subject{{Type: "person", Columns: []string{"id"}}}}
	files := &retention.Reach{Table: tn("files"), Parents: []retention.ParentReach{{Reach: people,
		Child: retention.Child{Relation: retention.Relation{Table: tn("files"), On: on("person", "id")}}}}}
	pages := &retention.Reach{Table: tn("pages"), Parents: []retention.ParentReach{{Reach: files,
		Child: retention.Child{Relation: retention.Relation{Table: tn("pages"), On: on("file", "id"), Where: eq("kind", "x")}}}}}
	people.Parents = []retention.ParentReach{{Reach: pages, Child: retention.Child{Relation: retention.Relation{Table: tn("people"), On: on("id", "kind")}}}} // a cycle
	sel := b.selection("pages", "at")
	sel.Reach = pages
	if got := heldKeys(b.classes(sel, person("a"))); got != "10" {
		t.Errorf("held %q", got)
	}
	scoped := &retention.HoldSet{Scoped: []retention.ScopedHold{{Table: tn("pages"), Subjects: map[string][]string{"person": {"b"}}}}}
	if got := heldKeys(b.classes(sel, scoped)); got != "11" {
		t.Errorf("held %q by the parent's subject", got)
	}

	// The same parents over a hop: people declare pages as children via files.
	pages.Parents = []retention.ParentReach{{Reach: people, Child: retention.Child{Relation: retention.Relation{
		Via: []retention.Hop{{Table: tn("files"), On: on("person", "id")}}, Table: tn("pages"), On: on("file", "id")}}}}
	if got := heldKeys(b.classes(sel, person("a"))); got != "10 13" {
		t.Errorf("held %q over a hop", got)
	}
}

func TestBlockedByChild(t *testing.T) {
	b := setup(t, `
CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT);
CREATE TABLE c (id INTEGER PRIMARY KEY, p_id INTEGER, who TEXT, kind TEXT, paid TEXT);
INSERT INTO p VALUES (1,'2020-01-01'),(2,'2020-01-01'),(3,'2020-01-01'),(4,'2020-01-01');
INSERT INTO c VALUES (1,1,'h','x','2000-01-01'),(2,2,'x','inv','2023-12-31'),(3,3,'x','inv','2000-01-01'),(4,4,'h','loose','2000-01-01');`)
	m := member("paid")
	m.Cutoff = cutoff().AddDate(-10, 0, 0)
	sel := b.selection("p", "at")
	sel.Blocked = []retention.ChildReach{{
		Child: retention.Child{Relation: retention.Relation{Table: tn("c"), On: on("p_id", "id"),
			Where: &retention.Predicate{Not: eq("kind", "loose")}}},
		Reach:    &retention.Reach{Table: tn("c"), Subjects: []retention.Subject{{Type: "person", Columns: []string{"who"}}}},
		Minimums: []retention.Minimum{{Where: eq("kind", "inv"), Clock: latest(m)}},
	}}
	b.wantClasses(sel, person("h"), classMap{"1": retention.Blocked, "2": retention.Blocked, "3": retention.Due, "4": retention.Due})
}

func TestHundredThousandSubjects(t *testing.T) {
	b := setup(t, `
CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT, who INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO p SELECT i, '2020-01-01', i FROM n;`)
	ids := make([]string, 100_000)
	for i := range ids {
		ids[i] = fmt.Sprint(2 * i)
	}
	sel := b.selection("p", "at")
	sel.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{"who"}}}
	c, err := b.s.Count(t.Context(), sel, person(ids...), nil)
	if err != nil || c.Classes.Held != 10_000 || c.Classes.Due != 10_000 {
		t.Errorf("%+v, %v", c.Classes, err)
	}
}

func TestIdentifierThatCannotBeBound(t *testing.T) {
	b := setup(t, prospects)
	for _, id := range []string{"a\x00b", "a\xff"} {
		if _, err := b.s.Count(t.Context(), b.selection("prospects", "created_at"), person(id), nil); err == nil {
			t.Errorf("identifier %q was accepted", id)
		}
	}
}

func TestEvidence(t *testing.T) {
	b := setup(t, prospects)
	sel := b.selection("prospects", "created_at")
	sel.Clock = latest(member("created_at"), relatedMember(contacts()))
	sel.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{"person_id"}}}
	for _, f := range []retention.Find{{Key: ptr("1")}, {Subject: &retention.SubjectID{Type: "person", ID: "p1"}}} {
		got, err := b.s.Evidence(t.Context(), sel, noHolds(), f)
		if err != nil || len(got) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		e := got[0]
		if e.Key != "1" || e.Class != retention.Due || e.Clock.Format("2006-01-02") != "2020-02-02" {
			t.Errorf("%+v", e)
		}
		from := []string{e.Members[0].From + " " + e.Members[0].At.Format("01-02"), e.Members[1].From + " " + e.Members[1].At.Format("01-02")}
		if diff := cmp.Diff([]string{"created_at 01-01", "interactions.occurred_at 02-02"}, from); diff != "" {
			t.Error(diff)
		}
	}
	got, err := b.s.Evidence(t.Context(), sel, noHolds(), retention.Find{Key: ptr("5")})
	if err != nil || len(got) != 1 || got[0].Clock != nil || !got[0].Members[0].Unresolved || got[0].Class != retention.Unresolved {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := b.s.Evidence(t.Context(), sel, noHolds(), retention.Find{}); err == nil {
		t.Error("evidence of nothing in particular must fail")
	}
}

func ptr(s string) *string { return &s }

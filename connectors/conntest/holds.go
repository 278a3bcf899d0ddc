package conntest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

func holdCases() []testCase {
	return []testCase{
		{name: "Columns", run: holdColumns},
		{name: "Identifiers", run: holdIdentifiers},
		{name: "Related", run: holdRelated},
		{name: "Parent", run: holdParent},
		{name: "Dataset", run: holdDataset},
		{name: "ThousandsOfSubjects", run: holdMany},
		{name: "Matched", run: holdMatched},
		{name: "WhatCannotBeCompared", run: holdUnreadable},
	}
}

const orders = `CREATE TABLE orders (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, payer {text}, student {text}, kind {text});
INSERT INTO orders VALUES (1, '2020-01-01', 'ada', 'x', 'a'), (2, '2020-01-01', 'x', 'ada', 'a'), (3, '2020-01-01', 'x', 'y', 'b'), (4, '2020-01-01', NULL, NULL, NULL), (5, '2025-01-01', 'ada', 'ada', 'a');
`

func holdColumns(t *testing.T, h Harness) {
	f := setup(t, h, orders)
	c := f.from("orders").about("person", "payer", "student")
	f.wantClasses(c, person("ada"), "held held due due active")
	f.wantClasses(c, noHolds(), "due due due due active")
	f.wantClasses(c, &retention.HoldSet{Subjects: map[string][]string{"animal": {"ada"}}}, "due due due due active")
	f.wantClasses(f.from("orders").about("person", "payer").about("animal", "student"),
		&retention.HoldSet{Subjects: map[string][]string{"animal": {"ada"}}}, "due held due due active")
}

func holdIdentifiers(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, num {bigint}, who {text});
INSERT INTO p VALUES (1, '2020-01-01', 7, 'o''hara "é" \x'), (2, '2020-01-01', 9007199254740993, '07'), (3, '2020-01-01', 70, '7'), (4, '2020-01-01', NULL, '')`)
	f.wantClasses(f.from("p").about("person", "num"), person("7"), "held due due due")
	f.wantClasses(f.from("p").about("person", "num"), person("9007199254740993"), "due held due due")
	f.wantClasses(f.from("p").about("person", "num"), person("9007199254740992"), "due due due due")
	f.wantClasses(f.from("p").about("person", "who"), person(`o'hara "é" \x`, "07"), "held held due due")
}

func holdRelated(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, order_id {int});
CREATE TABLE o (id {int} NOT NULL PRIMARY KEY, who {text}, kind {text});
INSERT INTO p VALUES (1, '2020-01-01', 10), (2, '2020-01-01', 20), (3, '2020-01-01', 99), (4, '2020-01-01', NULL);
INSERT INTO o VALUES (10, 'ada', 'a'), (20, 'bob', 'a')`)
	r := rel("o", "id", "order_id", "who")
	f.wantClasses(f.from("p").aboutRelated("person", r), person("ada"), "held due due due")
	r.Where = eq("kind", "b")
	f.wantClasses(f.from("p").aboutRelated("person", r), person("ada"), "due due due due")
}

// holdParent: a declared child's rows are held with the parent's subject, under
// rules of their own too.
func holdParent(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, who {text});
CREATE TABLE c (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, p_id {int});
CREATE TABLE g (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, c_id {int});
INSERT INTO p VALUES (1, '2020-01-01', 'ada'), (2, '2020-01-01', 'bob');
INSERT INTO c VALUES (1, '2020-01-01', 1), (2, '2020-01-01', 2), (3, '2020-01-01', NULL);
INSERT INTO g VALUES (1, '2020-01-01', 1), (2, '2020-01-01', 2), (3, '2020-01-01', 3)`)
	p := f.from("p").about("person", "who")
	c := f.from("c").childOf(gone(rel("c", "p_id", "id", "")), p)
	g := f.from("g").childOf(gone(rel("g", "c_id", "id", "")), c)
	f.wantClasses(c, person("ada"), "held due due")
	f.wantClasses(g, person("ada"), "held due due")
	scoped := &retention.HoldSet{Scoped: []retention.ScopedHold{{Hold: "h1", Table: tn("p"), Where: eq("who", "bob")}}}
	f.wantClasses(c, scoped, "due held due")
	f.wantOutcome(withHolds(f.deletion(g, 1, 2, 3), person("ada")), 2, retention.Spared{Held: 1})
}

func holdDataset(t *testing.T, h Harness) {
	f := setup(t, h, orders)
	c := f.from("orders").about("person", "payer", "student")
	scoped := func(s retention.ScopedHold) *retention.HoldSet {
		s.Hold = "h1"
		return &retention.HoldSet{Scoped: []retention.ScopedHold{s}}
	}
	f.wantClasses(c, scoped(retention.ScopedHold{Table: tn("orders")}), "held held held held active")
	f.wantClasses(c, scoped(retention.ScopedHold{Table: tn("elsewhere")}), "due due due due active")
	f.wantClasses(c, scoped(retention.ScopedHold{Table: tn("orders"), Where: eq("kind", "b")}), "due due held due active")
	ada := map[string][]string{"person": {"ada"}}
	f.wantClasses(c, scoped(retention.ScopedHold{Table: tn("orders"), Subjects: ada}), "held held due due active")
	f.wantClasses(c, scoped(retention.ScopedHold{Table: tn("orders"), Subjects: ada, Where: eq("payer", "x")}), "due held due due active")
}

func holdMany(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, num {bigint}, who {text});
INSERT INTO p VALUES (1, '2020-01-01', 99999, 'person-99999'), (2, '2020-01-01', 100001, 'person-100001'), (3, '2020-01-01', 1, 'person-1')`)
	var numbers, names []string
	for i := range 100_000 {
		numbers, names = append(numbers, fmt.Sprint(i)), append(names, fmt.Sprintf("person-%d", i))
	}
	h1 := person(numbers...)
	if n := f.count(f.from("p").about("person", "num"), h1).Classes; n.Held != 2 || n.Due != 1 {
		t.Errorf("by number: %+v", n)
	}
	c, h2 := f.from("p").about("person", "who"), person(names...)
	if n := f.count(c, h2).Classes; n.Held != 2 || n.Due != 1 {
		t.Errorf("by name: %+v", n)
	}
	f.wantOutcome(withHolds(f.deletion(c, 1, 2, 3), h2), 1, retention.Spared{Held: 2})
}

func holdMatched(t *testing.T, h Harness) {
	f := setup(t, h, orders)
	c := f.from("orders").about("person", "payer", "student")
	got, err := f.s.Matched(t.Context(), c.Selection, "person", []string{"ada", "nobody", "y"})
	slices.Sort(got)
	if err != nil || !slices.Equal(got, []string{"ada", "y"}) {
		t.Errorf("matched %v, %v", got, err)
	}
	if got, err = f.s.Matched(t.Context(), c.Selection, "animal", []string{"ada"}); err != nil || len(got) != 0 {
		t.Errorf("matched %v, %v in another type", got, err)
	}
}

// holdUnreadable: an identifier that cannot be compared must not be lost.
func holdUnreadable(t *testing.T, h Harness) {
	f := setup(t, h, orders)
	c := f.from("orders").about("person", "payer")
	for _, id := range []string{"a\x00b", "\xff"} {
		if n, err := f.s.Count(t.Context(), c.Selection, person(id), nil); err == nil {
			t.Errorf("a hold on %q was passed over: %+v", id, n.Classes)
		}
		f.refused(withHolds(f.deletion(c, 3), person(id)), "orders")
	}
}

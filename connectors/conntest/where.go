package conntest

import (
	"strings"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

func whereCases() []testCase {
	return []testCase{
		{name: "Operators", run: whereOperators},
		{name: "Exists", run: whereExists},
		{name: "ValuesAreBound", run: whereBound},
		{name: "Refused", run: whereRefused},
	}
}

func withNull(p *retention.Predicate) *retention.Predicate {
	p.Test.Values = append(p.Test.Values, retention.Scalar{Null: true})
	return p
}

func not(p *retention.Predicate) *retention.Predicate { return &retention.Predicate{Not: p} }

func both(ps ...*retention.Predicate) []retention.Predicate {
	var out []retention.Predicate
	for _, p := range ps {
		out = append(out, *p)
	}
	return out
}

func whereOperators(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, status {text}, zip {text}, n {int});
INSERT INTO p VALUES (1, '2020-01-01', 'closed', '01234', 5), (2, '2020-01-01', 'open', '1234', 50), (3, '2020-01-01', NULL, NULL, NULL)`)
	for name, c := range map[string]struct {
		p     *retention.Predicate
		match string
	}{
		"eq":                   {eq("status", "closed"), "1"},
		"ne leaves null out":   {test("status", retention.Ne, "closed"), "2"},
		"eq null":              {withNull(test("status", retention.Eq)), "3"},
		"ne null":              {withNull(test("status", retention.Ne)), "1 2"},
		"in":                   {test("status", retention.In, "closed", "x"), "1"},
		"in with null":         {withNull(test("status", retention.In, "open")), "2 3"},
		"in nothing":           {test("status", retention.In), ""},
		"not in":               {test("status", retention.NotIn, "open"), "1"},
		"not in with null":     {withNull(test("status", retention.NotIn, "open")), "1"},
		"text stays text":      {eq("zip", "01234"), "1"},
		"a number is a number": {eq("n", "5"), "1"},
		"numbers, not texts":   {test("n", retention.Gt, "6"), "2"},
		"lt":                   {test("n", retention.Lt, "50"), "1"},
		"lte":                  {test("n", retention.Lte, "50"), "1 2"},
		"gte":                  {test("n", retention.Gte, "50"), "2"},
		"like":                 {test("status", retention.Like, "clo%"), "1"},
		"null":                 {test("n", retention.IsNull), "3"},
		"not null":             {test("n", retention.NotNull), "1 2"},
		"not leaves null out":  {not(eq("status", "open")), "1"},
		"all":                  {&retention.Predicate{All: both(test("n", retention.Lt, "100"), eq("zip", "1234"))}, "2"},
		"any":                  {&retention.Predicate{Any: both(eq("n", "5"), eq("status", "open"))}, "1 2"},
		"any beside null":      {&retention.Predicate{Any: both(eq("n", "5"), test("status", retention.IsNull))}, "1 3"},
		"not of any":           {not(&retention.Predicate{Any: both(eq("n", "5"), eq("status", "x"))}), "2"},
		"sql":                  {&retention.Predicate{SQL: "n > 5 OR status = 'closed'"}, "1 2"},
		"sql in all":           {&retention.Predicate{All: both(&retention.Predicate{SQL: "n > 5 OR status = 'closed'"}, eq("n", "5"))}, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			g := *f
			g.t = t
			var want []string
			for _, id := range []string{"1", "2", "3"} {
				class := retention.Excluded
				if strings.Contains(c.match, id) {
					class = retention.Due
				}
				want = append(want, string(class))
			}
			g.wantClasses(g.from("p").where(c.p), noHolds(), strings.Join(want, " "))
		})
	}
}

func whereExists(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, status {text});
CREATE TABLE orders (id {int} NOT NULL PRIMARY KEY, p_id {int}, status {text});
CREATE TABLE items (id {int} NOT NULL PRIMARY KEY, order_id {int}, status {text});
INSERT INTO p VALUES (1, '2020-01-01', 'late'), (2, '2020-01-01', 'late'), (3, '2020-01-01', 'late');
INSERT INTO orders VALUES (10, 1, 'late'), (20, 2, 'late');
INSERT INTO items VALUES (100, 10, 'late'), (200, 20, NULL)`)
	near := rel("orders", "p_id", "id", "")
	f.wantClasses(f.from("p").where(&retention.Predicate{Exists: &near}), noHolds(), "due due excluded")
	far := over("orders", "p_id", "id", rel("items", "order_id", "id", ""))
	far.Where = eq("status", "late")
	f.wantClasses(f.from("p").where(&retention.Predicate{Exists: &far}), noHolds(), "due excluded excluded")
	f.wantClasses(f.from("p").where(not(&retention.Predicate{Exists: &far})), noHolds(), "excluded due due")
	far.Where = &retention.Predicate{SQL: "status = 'late'"} // of the items, not of a table around them
	f.wantClasses(f.from("p").where(&retention.Predicate{Exists: &far}), noHolds(), "due excluded excluded")
}

// whereBound: a value is a value, whatever it looks like.
func whereBound(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, status {text});
INSERT INTO p VALUES (1, '2020-01-01', 'x'' OR 1=1 --'), (2, '2020-01-01', 'x')`)
	f.wantClasses(f.from("p").where(eq("status", "x' OR 1=1 --")), noHolds(), "due excluded")
	f.wantClasses(f.from("p").where(test("status", retention.In, "%s", "?", "$1")), noHolds(), "excluded excluded")
}

func whereRefused(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, n {int});
INSERT INTO p VALUES (1, '2020-01-01', 1)`)
	for name, p := range map[string]*retention.Predicate{
		"no number":           eq("n", "many"),
		"no column":           eq("gone", "1"),
		"empty":               {},
		"empty sql":           {SQL: " "},
		"leaves parentheses":  {SQL: "1=1) OR (1=1"},
		"comment":             {SQL: "1=1 -- x"},
		"second statement":    {SQL: "1=1; DELETE FROM p"},
		"open quote":          {SQL: "n = 'x"},
		"compares with null":  withNull(test("n", retention.Lt)),
		"unknown operator":    test("n", "about", "1"),
		"empty inside of all": {All: []retention.Predicate{*eq("n", "1"), {}}},
	} {
		c := f.from("p").where(p)
		if _, err := f.s.Count(t.Context(), c.Selection, noHolds(), nil); err == nil {
			t.Errorf("%s: a count must be refused", name)
		}
		f.refused(f.deletion(c, 1), "p")
	}
}

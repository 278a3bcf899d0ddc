package conntest

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

func describeCases() []testCase {
	return []testCase{
		{name: "Columns", run: describeColumns},
		{name: "KeysAndIndexes", run: describeKeys},
		{name: "ForeignKeysBothWays", run: describeForeignKeys},
		{name: "Triggers", run: describeTriggers, needs: Triggers},
		{name: "Missing", run: describeMissing},
		{name: "OddNames", run: describeOddNames},
		{name: "Fingerprint", run: describeFingerprint},
		{name: "NoKeyAndViewsAreUnsafe", run: describeUnsafe},
	}
}

const people = `CREATE TABLE people (id {int} NOT NULL PRIMARY KEY, name {text} NOT NULL, email {text} UNIQUE, born {date}, seen {timestamp}, at {timestamp-text}, size {bigint});
CREATE TABLE visits (id {int} NOT NULL PRIMARY KEY, person {int}, FOREIGN KEY (person) REFERENCES people (id) ON DELETE CASCADE);
`

func describeColumns(t *testing.T, h Harness) {
	f := setup(t, h, people)
	got := map[string]retention.Column{}
	for _, c := range f.table("people").Columns {
		if c.Decl == "" {
			t.Errorf("column %s has no declared type", c.Name)
		}
		if instants := c.Kind == retention.KindTimestamp; instants != (c.Unheld != "") {
			t.Errorf("column %s: whether persons can be held by it: %q", c.Name, c.Unheld)
		}
		c.Decl, c.Length, c.Typed, c.Unheld, c.Loose = "", 0, false, "", false
		got[c.Name] = c
	}
	want := map[string]retention.Column{
		"id":    {Name: "id", Kind: retention.KindInteger, Unique: true},
		"name":  {Name: "name", Kind: retention.KindText},
		"email": {Name: "email", Kind: retention.KindText, Nullable: true, Unique: true},
		"born":  {Name: "born", Kind: retention.KindDate, Nullable: true},
		"seen":  {Name: "seen", Kind: retention.KindTimestamp, Nullable: true},
		"at":    {Name: "at", Kind: retention.KindText, Nullable: true},
		"size":  {Name: "size", Kind: retention.KindInteger, Nullable: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	if k := f.table("people").Kind; k != "table" {
		t.Errorf("kind %q of a table", k)
	}
}

func describeKeys(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE pairs (b {text} NOT NULL, a {int} NOT NULL, at {timestamp-text}, PRIMARY KEY (a, b));
CREATE INDEX pairs_at ON pairs (at, b)`)
	p := f.table("pairs")
	if diff := cmp.Diff([]string{"a", "b"}, p.Key); diff != "" {
		t.Errorf("key (-want +got):\n%s", diff)
	}
	if p.Column("a").Unique || p.Column("b").Unique {
		t.Error("a column of a composite key is not unique alone")
	}
	i := slices.IndexFunc(p.Indexes, func(ix retention.Index) bool { return ix.Name == "pairs_at" })
	if i < 0 || p.Indexes[i].Unique || p.Indexes[i].Partial || !slices.Equal(p.Indexes[i].Columns, []string{"at", "b"}) {
		t.Errorf("index pairs_at is not described: %+v", p.Indexes)
	}
}

func describeForeignKeys(t *testing.T, h Harness) {
	f := setup(t, h, people)
	f.names = []retention.TableName{tn("people")}
	f.describe()
	in := f.table("people").Referenced
	if len(in) != 1 || in[0].From.Name != "visits" || in[0].OnDelete != "CASCADE" ||
		!slices.Equal(in[0].Columns, []string{"person"}) || !slices.Equal(in[0].ToCols, []string{"id"}) {
		t.Fatalf("who refers to people: %+v", in)
	}
	v := f.schema.Table(in[0].From)
	if v == nil || v.Column("person") == nil || len(v.References) != 1 || v.References[0].To.Name != "people" {
		t.Errorf("a table that refers to one asked for is described too: %+v", v)
	}
}

func describeTriggers(t *testing.T, h Harness) {
	f := setup(t, h, people)
	for _, event := range []string{"DELETE", "UPDATE", "INSERT"} {
		f.trigger("on_"+event, event, "people", "DELETE FROM visits WHERE id = -1")
	}
	f.describe()
	got := map[string]string{}
	for _, tr := range f.table("people").Triggers {
		got[tr.Name] = tr.Event
	}
	want := map[string]string{"on_DELETE": "DELETE", "on_UPDATE": "UPDATE", "on_INSERT": "INSERT"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("triggers (-want +got):\n%s", diff)
	}
}

func (f *fixture) trigger(name, event, table, statement string) {
	f.t.Helper()
	for _, text := range f.h.Trigger(name, event, table, statement) {
		f.run(text)
	}
}

func describeMissing(t *testing.T, h Harness) {
	f := setup(t, h, people)
	s, err := f.s.Describe(t.Context(), []retention.TableName{tn("nowhere"), tn("people")})
	if err != nil {
		t.Fatal(err)
	}
	if s.Table(tn("nowhere")) != nil || s.Table(tn("people")) == nil {
		t.Errorf("described %v", s.Tables)
	}
}

// describeOddNames also acts, since a name that is described but not quoted
// fails later.
func describeOddNames(t *testing.T, h Harness) {
	f := setup(t, h, "")
	table, id, at := `odd "table" é select`, "from", `it's at`
	f.run(f.types("CREATE TABLE " + h.Quote(table) + " (" + h.Quote(id) + " {int} NOT NULL PRIMARY KEY, " + h.Quote(at) + " {timestamp-text})"))
	f.run("INSERT INTO " + h.Quote(table) + " VALUES (1, '2020-01-01'), (2, '2025-01-01')")
	f.names = []retention.TableName{tn(table)}
	f.describe()
	c := f.from(table).by(latest(own(at))).where(test(id, retention.Gt, "0"))
	if n := f.count(c, noHolds()).Classes; n.Due != 1 || n.Active != 1 {
		t.Errorf("classes %+v", n)
	}
	f.wantOutcome(f.deletion(c, 1, 2), 1, retention.Spared{Changed: 1})
	f.wantRows("SELECT "+h.Quote(id)+" FROM "+h.Quote(table), "2")
}

func describeFingerprint(t *testing.T, h Harness) {
	f := setup(t, h, people)
	last := f.table("people").Fingerprint
	if last == "" {
		t.Fatal("no fingerprint")
	}
	step := func(what string, changes bool, do func()) {
		t.Helper()
		do()
		f.describe()
		now := f.table("people").Fingerprint
		if (now != last) != changes {
			t.Errorf("%s: the fingerprint changed = %v, want %v", what, now != last, changes)
		}
		last = now
	}
	step("nothing", false, func() {})
	step("a row", false, func() { f.exec("INSERT INTO people (id, name) VALUES (1, 'a')") })
	step("an index", false, func() { f.exec("CREATE INDEX people_born ON people (born)") })
	step("a new column", true, func() { f.exec("ALTER TABLE people ADD COLUMN extra {text}") })
	step("a dropped column", true, func() { f.exec("ALTER TABLE people DROP COLUMN size") })
	step("a renamed column", true, func() { f.exec("ALTER TABLE people RENAME COLUMN extra TO other") })
	step("a column of another type", true, func() {
		f.exec("ALTER TABLE people DROP COLUMN other;\nALTER TABLE people ADD COLUMN other {int}")
	})
	step("a foreign key to it", true, func() {
		f.exec("CREATE TABLE calls (id {int} NOT NULL PRIMARY KEY, person {int}, FOREIGN KEY (person) REFERENCES people (id))")
	})
	if has(h, Triggers) {
		step("a trigger", true, func() { f.trigger("tr", "DELETE", "people", "DELETE FROM calls WHERE id = -1") })
	}
}

func describeUnsafe(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE people (id {int} NOT NULL PRIMARY KEY, at {timestamp-text});
CREATE TABLE heap (id {int}, at {timestamp-text});
INSERT INTO heap VALUES (1, '2020-01-01');
CREATE VIEW seen AS SELECT id, at FROM people`)
	f.names = append(f.names, tn("seen"))
	f.describe()
	if why := f.table("people").Unsafe; why != "" {
		t.Errorf("an ordinary table is said to be unsafe: %s", why)
	}
	if f.table("heap").Unsafe == "" {
		t.Error("a table without a key must be unsafe: its rows cannot be named")
	}
	if v := f.table("seen"); v.Unsafe == "" || v.Kind != "view" {
		t.Errorf("a view must be unsafe: %+v", v)
	}
	err := f.refused(f.deletion(f.from("heap"), 1), "heap")
	f.wantRefusal(err, retention.RefuseUnsafeTable)
}

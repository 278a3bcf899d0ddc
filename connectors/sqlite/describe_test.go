package sqlite

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

const zoo = `
CREATE TABLE parent (a TEXT, b INT, PRIMARY KEY (b, a)) WITHOUT ROWID;
CREATE TABLE child (id INTEGER PRIMARY KEY, pb INT, pa VARCHAR(20) NOT NULL UNIQUE DEFAULT 'x', g INT GENERATED ALWAYS AS (pb + 1), d DATE, j JSON,
  FOREIGN KEY (pb, pa) REFERENCES PARENT ON DELETE CASCADE);
CREATE INDEX child_lower ON child (lower(pa), pb) WHERE pb > 0;
CREATE TRIGGER child_gone AFTER DELETE ON child BEGIN SELECT 1; END;
CREATE TRIGGER "INSERT on x" BEFORE UPDATE OF pb ON child BEGIN SELECT 1; END;
CREATE VIEW v AS SELECT * FROM child;
CREATE VIRTUAL TABLE fts USING fts5(body);
CREATE TABLE bare (a TEXT);
CREATE TABLE fractions (id REAL PRIMARY KEY);
`

func TestDescribe(t *testing.T) {
	b := setup(t, zoo)
	s, err := b.s.Describe(t.Context(), []retention.TableName{tn("parent"), tn("nosuch"), {Schema: "temp", Name: "parent"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Tables) != 2 || s.Table(tn("child")) == nil {
		t.Fatalf("the tables that refer to one asked for come along: %v", s.Tables)
	}
	p, c := s.Table(tn("parent")), s.Table(tn("child"))
	fk := retention.ForeignKey{From: tn("child"), Columns: []string{"pb", "pa"}, To: tn("parent"), ToCols: []string{"b", "a"}, OnDelete: "CASCADE"}
	if diff := cmp.Diff([]retention.ForeignKey{fk}, p.Referenced); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"b", "a"}, p.Key); diff != "" || p.Rowid || p.Column("a").Nullable {
		t.Errorf("%s %+v", diff, p)
	}
	want := []retention.Column{
		{Name: "id", Decl: "INTEGER", Kind: retention.KindInteger, Unique: true},
		{Name: "pb", Decl: "INT", Kind: retention.KindInteger, Nullable: true},
		{Name: "pa", Decl: "VARCHAR(20)", Kind: retention.KindText, Length: 20, Unique: true},
		{Name: "g", Decl: "INT", Kind: retention.KindInteger, Nullable: true, Generated: true},
		{Name: "d", Decl: "DATE", Kind: retention.KindDate, Nullable: true},
		{Name: "j", Decl: "JSON", Kind: retention.KindJSON, Nullable: true, Unheld: "an identifier in JSON has many spellings, and a hold would find one of them"},
	}
	if diff := cmp.Diff(want, c.Columns); diff != "" {
		t.Error(diff)
	}
	triggers := []retention.Trigger{{Name: "INSERT on x", Event: "UPDATE"}, {Name: "child_gone", Event: "DELETE"}}
	if diff := cmp.Diff(triggers, c.Triggers); diff != "" {
		t.Error(diff)
	}
	if ix := c.Indexes[0]; ix.Name != "child_lower" || !ix.Partial || ix.Columns[0] != "" || ix.Columns[1] != "pb" {
		t.Errorf("%+v", ix)
	}
}

func TestUnsafeTables(t *testing.T) {
	b := setup(t, zoo)
	for name, want := range map[string]string{"v": "is a view", "fts": "is a virtual", "bare": "no primary key", "fractions": "fractions", "parent": "", "child": ""} {
		if got := b.table(name).Unsafe; (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestFingerprint(t *testing.T) {
	b := setup(t, zoo)
	print := func() string {
		b.describe()
		return b.table("parent").Fingerprint + b.table("child").Fingerprint
	}
	last := print()
	for text, changes := range map[string]bool{
		"CREATE INDEX i1 ON child (d)": false, "INSERT INTO bare VALUES (1)": false, "CREATE TABLE other (id INTEGER PRIMARY KEY)": false, "ANALYZE": false,
		"ALTER TABLE child ADD COLUMN z": true, "CREATE TABLE more (x INT, y TEXT, FOREIGN KEY (x, y) REFERENCES parent)": true,
		"CREATE TRIGGER t2 AFTER UPDATE ON child BEGIN SELECT 1; END": true, "DROP TRIGGER child_gone": true,
	} {
		exec(t, b.app, text)
		now := print()
		if (now != last) != changes {
			t.Errorf("%s: fingerprint changed is %v, want %v", text, now != last, changes)
		}
		last = now
	}
}

package sqlite

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/retention"
	"pgregory.net/rapid"
)

// changed runs a change on a value in a real column.
func (b *bundle) changed(ch retention.Change) string {
	b.t.Helper()
	ch.Column = "c"
	sel := b.selection("p", "at")
	sel.Done = &retention.DoneTest{Changes: []retention.Change{ch}, Mark: "mark"}
	batch := b.batch(sel, retention.Anonymise, 1)
	batch.Action.Changes, batch.Action.Mark, batch.Action.MarkAt = []retention.Change{ch}, "mark", cutoff()
	b.apply(batch)
	b.wantClasses(sel, noHolds(), classMap{"1": retention.ClassDone})
	return b.rows("SELECT coalesce(quote(c), 'NULL') FROM p")[0]
}

func TestChanges(t *testing.T) {
	ip := retention.Change{Func: retention.MaskIP, Bits: [2]int{24, 48}}
	cut := func(unit string) retention.Change { return retention.Change{Func: retention.Truncate, Unit: unit} }
	n := func(f retention.ChangeFunc, n int64) retention.Change { return retention.Change{Func: f, N: n} }
	mail := retention.Change{Func: retention.EmailDomain}
	for _, c := range []struct {
		decl, value string
		ch          retention.Change
		want        string
	}{
		{"TEXT", "'a@b.c'", retention.Change{Func: retention.Null}, "NULL"},
		{"TEXT", "'a'", retention.Change{Func: retention.Set, Value: &retention.Scalar{Text: "01"}}, "'01'"},
		{"INTEGER", "7", retention.Change{Func: retention.Set, Value: &retention.Scalar{Text: "01"}}, "1"},
		{"TEXT", "'192.168.7.9'", ip, "'192.168.7.0'"}, {"TEXT", "'2001:DB8:1:2::3'", ip, "'2001:db8:1::'"}, {"TEXT", "'::ffff:1.2.3.4'", ip, "'1.2.3.0'"},
		{"TEXT", "'fe80::1%eth0'", ip, "'fe80::'"}, {"TEXT", "'1.2.3.4:80'", ip, "NULL"}, {"TEXT NOT NULL", "'home'", ip, "''"}, {"TEXT", "NULL", ip, "NULL"}, {"TEXT", "x'01020304'", ip, "NULL"}, {"INTEGER", "16909060", ip, "NULL"},
		{"TEXT", "'jean@mail.x.fr'", mail, "'mail.x.fr'"}, {"TEXT", "'a@b@c'", mail, "'c'"}, {"TEXT", "'jean.dupont'", mail, "NULL"}, {"TEXT NOT NULL", "'jean@'", mail, "''"},
		{"TEXT", "'2024-05-17'", cut("year"), "'2024-01-01'"}, {"TEXT", "'2024-05-17'", cut("quarter"), "'2024-04-01'"}, {"DATE", "'2024-05-17'", cut("month"), "'2024-05-01'"},
		{"DATETIME", "'2024-05-17 10:11:12.345+02:00'", cut("month"), "'2024-05-01 00:00:00.000+02:00'"}, {"TEXT", "'2024-05-17T10:11Z'", cut("day"), "'2024-05-17T00:00Z'"},
		{"TEXT", "'né le 17 mai'", cut("year"), "NULL"}, {"TEXT NOT NULL", "'17/05/2024'", cut("year"), "''"}, {"INTEGER", "1706695200", cut("year"), "NULL"},
		{"INTEGER", "37", n(retention.Bucket, 10), "30"}, {"INTEGER", "-37", n(retention.Bucket, 10), "-40"}, {"REAL", "37.5", n(retention.Bucket, 10), "30.0"}, {"TEXT", "'37'", n(retention.Bucket, 10), "'30'"}, {"TEXT", "'37.9'", n(retention.Bucket, 10), "'30'"}, {"TEXT", "'x'", n(retention.Bucket, 10), "NULL"}, {"INTEGER NOT NULL", "'x'", n(retention.Bucket, 10), "0"},
		{"INTEGER", "35", n(retention.RoundTo, 10), "40"}, {"INTEGER", "34", n(retention.RoundTo, 10), "30"}, {"INTEGER", "-35", n(retention.RoundTo, 10), "-30"}, {"REAL", "-36.5", n(retention.RoundTo, 10), "-40.0"}, {"INTEGER", "9223372036854775807", n(retention.RoundTo, 10), "NULL"},
		{"TEXT", "'éàü1'", n(retention.KeepLeft, 2), "'éà'"}, {"TEXT", "'éàü1'", n(retention.KeepRight, 2), "'ü1'"}, {"TEXT", "'é'", n(retention.KeepLeft, 5), "'é'"}, {"TEXT", "'é'", n(retention.KeepRight, 0), "''"}, {"INTEGER", "75011", n(retention.KeepLeft, 2), "75"}, {"BLOB", "x'ff'", n(retention.KeepLeft, 2), "NULL"},
	} {
		t.Run(fmt.Sprintf("%s %s %s", c.ch.Func, c.decl, c.value), func(t *testing.T) {
			b := setup(t, "CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT, mark TEXT, c "+c.decl+"); INSERT INTO p VALUES (1,'2020-01-01',NULL,"+c.value+")")
			b.install()
			if got := b.changed(c.ch); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			b.wantRows("SELECT mark FROM p", "2024-01-01T00:00:00Z")
		})
	}
}

func TestRandom(t *testing.T) {
	b := setup(t, "CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT, mark INTEGER, c TEXT NOT NULL UNIQUE); INSERT INTO p VALUES (1,'2020-01-01',NULL,'a'),(2,'2020-01-01',NULL,'b')")
	b.install()
	sel := b.selection("p", "at")
	sel.Done = &retention.DoneTest{Mark: "mark"}
	batch := b.batch(sel, retention.Anonymise, 1, 2)
	batch.Action.Changes = []retention.Change{{Column: "c", Func: retention.Random, Unit: "token", N: 20}}
	batch.Action.Mark, batch.Action.MarkAt = "mark", cutoff()
	b.apply(batch)
	got := b.rows("SELECT c FROM p")
	if len(got[0]) != 20 || got[0] == got[1] {
		t.Errorf("%q", got)
	}
	b.wantRows("SELECT mark FROM p", "1704067200", "1704067200")
	for _, args := range [][]driver.Value{{"digits", int64(0)}, {"runes", int64(4)}} {
		if _, err := random(args); err == nil {
			t.Errorf("random%v was accepted", args)
		}
	}
}

// A form applied to a form changes nothing: done rows stay done.
func TestFormsAreStable(t *testing.T) {
	fs := map[string]change{"truncate": truncate, "bucket": bucket, "round": round, "mask": maskIP, "left": keepLeft, "right": keepRight}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.OneOf(
			rapid.Map(rapid.Int64(), func(n int64) driver.Value { return n }),
			rapid.Map(rapid.Float64(), func(f float64) driver.Value { return f }),
			rapid.Map(rapid.String(), func(s string) driver.Value { return s }),
			rapid.Map(rapid.StringMatching(`(19|20)\d\d-(0[1-9]|1[012])-(0[1-9]|1\d|2[0-8])([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]0\d(:?[03]0)?)?)?`), func(s string) driver.Value { return s }),
			rapid.Map(rapid.StringMatching(`(25[0-5]|1?\d?\d)(\.(25[0-5]|1?\d?\d)){3}|([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}`), func(s string) driver.Value { return s }),
		).Draw(t, "value")
		n := rapid.Int64Range(1, 1000).Draw(t, "n")
		for name, f := range fs {
			args := []driver.Value{n}
			switch name {
			case "truncate":
				args = []driver.Value{rapid.SampledFrom([]driver.Value{"year", "quarter", "month", "day"}).Draw(t, "unit")}
			case "mask":
				args = []driver.Value{n % 33, n % 129}
			}
			once, ok := f(v, args)
			if !ok {
				continue
			}
			twice, ok := f(once, args)
			if !ok || fmt.Sprint(once) != fmt.Sprint(twice) {
				t.Fatalf("%s(%v): %v, then %v %v", name, v, once, twice, ok)
			}
		}
	})
}

// A form that the column does not keep would be applied for ever: the batch
// rolls back.
func TestAFormThatDoesNotStick(t *testing.T) {
	b := setup(t, `CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT, c TEXT); INSERT INTO p VALUES (1,'2020-01-01','a');
CREATE TRIGGER back AFTER UPDATE ON p BEGIN UPDATE p SET c = 'again' WHERE id = new.id; END;`)
	b.install()
	sel := b.selection("p", "at")
	ch := []retention.Change{{Column: "c", Func: retention.Null}}
	sel.Done = &retention.DoneTest{Changes: ch}
	batch := b.batch(sel, retention.Redact, 1)
	batch.Action.Changes = ch
	if _, err := b.s.Apply(t.Context(), batch); err == nil || !strings.Contains(err.Error(), "anonymised form") {
		t.Errorf("got %v", err)
	}
	b.wantRows("SELECT c FROM p", "a")
}

func TestSmallGroups(t *testing.T) {
	b := setup(t, `CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT, zip TEXT COLLATE NOCASE, age INTEGER, mark TEXT);
INSERT INTO p VALUES (1,'2020-01-01','75011',31,NULL),(2,'2020-01-01','75012',39,NULL),(3,'2020-01-01','69001',31,NULL),(4,'2025-01-01','69002',31,NULL),(5,'2020-01-01','75',30,'m'),(6,'2020-01-01','a',30,NULL),(7,'2020-01-01','A',30,NULL);`)
	sel := b.selection("p", "at")
	changes := []retention.Change{{Column: "zip", Func: retention.KeepLeft, N: 2}, {Column: "age", Func: retention.Bucket, N: 10}}
	sel.Done = &retention.DoneTest{Changes: changes, Mark: "mark"}
	small, all, err := b.s.SmallGroups(t.Context(), sel, noHolds(), changes, retention.KAnonymity{K: 2, Quasi: []string{"zip", "age"}})
	if err != nil || small != 3 || all != 6 {
		t.Errorf("small %d of %d, %v", small, all, err)
	}
}

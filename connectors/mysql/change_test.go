package mysql

import (
	"fmt"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// TestChanges: what each value becomes, and that it is then told as done; the
// same as SQLite's functions make of it.
func TestChanges(t *testing.T) {
	mask := func(v4, v6 int) retention.Change {
		return retention.Change{Func: retention.MaskIP, Bits: [2]int{v4, v6}}
	}
	trunc := func(unit string) retention.Change { return retention.Change{Func: retention.Truncate, Unit: unit} }
	for _, c := range []struct {
		typ    string
		ch     retention.Change
		values []string // as written, and what becomes of it
	}{
		{"VARCHAR(90)", mask(24, 48), []string{"192.168.1.77", "192.168.1.0", "2001:db8:aaaa:bbbb::1", "2001:db8:aaaa::", "::ffff:10.1.2.3", "10.1.2.0", "fe80::1%eth0", "fe80::", "01.2.3.4", "NULL", "1.2.3", "NULL", "secret", "NULL", "", "NULL", " 1.2.3.4", "NULL", "1.2.3.4\n", "NULL"}},
		{"VARCHAR(90)", mask(0, 0), []string{"192.168.1.77", "0.0.0.0", "2001:db8::1", "::"}},
		{"VARCHAR(90)", mask(32, 128), []string{"192.168.1.77", "192.168.1.77", "2001:DB8::1", "2001:db8::1"}},
		{"VARCHAR(90)", mask(9, 45), []string{"255.255.255.255", "255.128.0.0", "ffff:ffff:ffff:ffff::", "ffff:ffff:fff8::"}},
		{"INET6", mask(24, 48), []string{"2001:db8:aaaa:bbbb::1", "2001:db8:aaaa::", "::ffff:10.1.2.3", "::ffff:10.1.2.0"}},
		{"VARCHAR(90)", trunc("month"), []string{"2020-05-17", "2020-05-01", "2020-05-17T10:20:30.123+02:00", "2020-05-01T00:00:00.000+02:00", "2020-05-17 10:20Z", "2020-05-01 00:00Z", "2020-02-30", "NULL", "x", "NULL"}},
		{"VARCHAR(90)", trunc("quarter"), []string{"2020-12-31", "2020-10-01", "2020-03-31", "2020-01-01"}},
		{"DATETIME(6)", trunc("quarter"), []string{"2020-06-30 23:59:59.999999", "2020-04-01 00:00:00.000000"}},
		{"DATE", trunc("year"), []string{"2020-06-30", "2020-01-01"}},
		{"BIGINT", retention.Change{Func: retention.Bucket, N: 10}, []string{"-1", "-10", "9223372036854775807", "9223372036854775800", "0", "0"}},
		{"BIGINT", retention.Change{Func: retention.RoundTo, N: 10}, []string{"-5", "0", "5", "10", "-37", "-40", "34", "30"}},
		{"BIGINT UNSIGNED", retention.Change{Func: retention.Bucket, N: 1000}, []string{"18446744073709551615", "18446744073709551000", "999", "0"}},
		{"DECIMAL(10,2)", retention.Change{Func: retention.Bucket, N: 5}, []string{"7.50", "5.00", "-0.01", "-5.00"}},
		{"DOUBLE", retention.Change{Func: retention.RoundTo, N: 5}, []string{"7.5", "10", "-7.6", "-10"}},
		{"VARCHAR(90)", retention.Change{Func: retention.Bucket, N: 10}, []string{"37", "30", "-1", "-10", "37.5", "30", "abc", "NULL", "1e3", "NULL", "", "NULL"}},
		{"VARCHAR(90)", retention.Change{Func: retention.EmailDomain}, []string{"ada@x.fr", "x.fr", "a@b@c.fr", "c.fr", "x@", "NULL", "ada", "NULL", "@x", "x"}},
		{"VARCHAR(90) CHARACTER SET latin1", retention.Change{Func: retention.KeepLeft, N: 2}, []string{"éèê", "éè", "a", "a"}},
		{"INT", retention.Change{Func: retention.KeepLeft, N: 2}, []string{"75011", "75", "7", "7"}},
		{"VARCHAR(90)", retention.Change{Func: retention.KeepRight, N: 0}, []string{"secret", ""}},
		{"ENUM('a','b')", retention.Change{Func: retention.Set, Value: &retention.Scalar{Text: "b"}}, []string{"a", "b", "b", "b"}},
		{"JSON", retention.Change{Func: retention.Set, Value: &retention.Scalar{Text: "{}"}}, []string{"[1]", "{}"}},
	} {
		t.Run(fmt.Sprint(c.typ, " ", c.ch.Func, c.ch.Unit, c.ch.N, c.ch.Bits), func(t *testing.T) {
			d, s := shop(t, "CREATE TABLE p (id INT PRIMARY KEY, at DATETIME, x "+c.typ+")")
			var keys []any
			for i := 0; i < len(c.values); i += 2 {
				d.app.MustExec("INSERT INTO p VALUES (?, '2020-01-01', ?)", i, c.values[i])
				keys = append(keys, i)
			}
			ch := c.ch
			ch.Column = "x"
			sel := selection(describe(t, s, "p"), "p", "at")
			out, err := s.Apply(t.Context(), batch(sel, retention.Act{Kind: retention.Anonymise, Changes: []retention.Change{ch}}, keys...))
			if err != nil || out.Done != int64(len(keys)) {
				t.Fatalf("%+v, %v", out, err)
			}
			var got []string
			if err := d.app.Select(&got, "SELECT COALESCE(CAST(x AS CHAR CHARACTER SET utf8mb4), 'NULL') FROM p ORDER BY id"); err != nil {
				t.Fatal(err)
			}
			for i, g := range got {
				if g != c.values[2*i+1] {
					t.Errorf("%q became %q, want %q", c.values[2*i], g, c.values[2*i+1])
				}
			}
			sel.Done = &retention.DoneTest{Changes: []retention.Change{ch}}
			if n, err := s.Count(t.Context(), sel, &retention.HoldSet{}, nil); err != nil || n.Classes.Done != int64(len(keys)) {
				t.Errorf("%+v, %v", n.Classes, err)
			}
		})
	}
}

// TestOtherDatabases: tables of another database of the server, odd names and
// references across.
func TestOtherDatabases(t *testing.T) {
	d, s := shop(t, "CREATE TABLE p (id INT PRIMARY KEY, at DATETIME)", "INSERT INTO p VALUES (1, '2020-01-01'), (2, '2025-01-01')")
	other := fresh(t)
	var home, away string
	if err := d.app.Get(&home, "SELECT DATABASE()"); err != nil {
		t.Fatal(err)
	}
	if err := other.app.Get(&away, "SELECT DATABASE()"); err != nil {
		t.Fatal(err)
	}
	other.app.MustExec("CREATE TABLE `a``b` (`i``d` INT PRIMARY KEY, p INT, at DATETIME, FOREIGN KEY (p) REFERENCES " + quote(home) + ".p (id) ON DELETE CASCADE)")
	other.app.MustExec("INSERT INTO `a``b` VALUES (1, 1, '2020-01-01'), (2, 2, '2025-01-01')")
	t.Cleanup(func() { other.app.MustExec("DROP TABLE `a``b`") })
	n := retention.TableName{Schema: away, Name: "a`b"}
	in := describe(t, s, "p")
	if r := in.Table(retention.TableName{Name: "p"}).Referenced; len(r) != 1 || r[0].From != n || r[0].OnDelete != "CASCADE" || in.Table(n) == nil {
		t.Errorf("who refers to p: %+v", r)
	}
	schema, err := s.Describe(t.Context(), []retention.TableName{n, {Schema: home, Name: "p"}})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := schema.Table(retention.TableName{Schema: home, Name: "p"}), schema.Table(retention.TableName{Name: "p"}); a == nil || a != b {
		t.Errorf("p with and without its database: %+v, %+v", a, b)
	}
	sel := selection(schema, "p", "at")
	sel.Table, sel.Reach = schema.Table(n), &retention.Reach{Table: n}
	out, err := s.Apply(t.Context(), batch(sel, retention.Act{Kind: retention.Delete}, 1, 2))
	if err != nil || out.Done != 1 || out.Spared.Changed != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestColumnsOfDifferentKinds: the server would compare 'abc' with 0 and find
// them equal.
func TestColumnsOfDifferentKinds(t *testing.T) {
	_, s := shop(t, "CREATE TABLE p (id INT PRIMARY KEY, at DATETIME)", "CREATE TABLE c (id INT PRIMARY KEY, ref VARCHAR(20))", "INSERT INTO p VALUES (0, '2020-01-01')", "INSERT INTO c VALUES (1, 'abc')")
	sel := selection(describe(t, s, "p", "c"), "p", "at")
	kid := retention.Child{Then: retention.ChildDelete, Relation: retention.Relation{Table: retention.TableName{Name: "c"}, On: []retention.Pair{{Theirs: "ref", Ours: "id"}}}}
	if out, err := s.Apply(t.Context(), batch(sel, retention.Act{Kind: retention.Delete, Children: []retention.Child{kid}}, 0)); err == nil {
		t.Errorf("%+v", out)
	}
}

// TestChildrenOfTheirOwnTable: a statement may not read the table it changes.
func TestChildrenOfTheirOwnTable(t *testing.T) {
	d, s := shop(t, "CREATE TABLE p (id INT PRIMARY KEY, up INT, at DATETIME, KEY (up))", "INSERT INTO p VALUES (1, NULL, '2020-01-01'), (2, 1, '2020-01-01'), (3, 2, '2020-01-01'), (4, NULL, '2020-01-01'), (5, 4, '2025-01-01')")
	sel := selection(describe(t, s, "p"), "p", "at")
	rel := retention.Relation{Table: retention.TableName{Name: "p"}, On: []retention.Pair{{Theirs: "up", Ours: "id"}}}
	act := retention.Act{Kind: retention.Delete, Children: []retention.Child{{Then: retention.ChildDelete, Relation: rel}}}
	out, err := s.Apply(t.Context(), batch(sel, act, 1))
	if err != nil || out.Done != 1 || out.Children["p"] != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	// A test of the same table's other rows: 4 has a newer row beneath it.
	newer := sel.Clock.Members[0]
	newer.Column, newer.Related = "", &retention.Relation{Table: rel.Table, On: rel.On, Column: "at"}
	sel.Clock.Members = append(sel.Clock.Members, newer)
	out, err = s.Apply(t.Context(), batch(sel, retention.Act{Kind: retention.Delete}, 3, 4))
	if err != nil || out.Done != 1 || out.Spared.Changed != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	var left string
	if err := d.app.Get(&left, "SELECT GROUP_CONCAT(id ORDER BY id) FROM p"); err != nil || left != "4,5" {
		t.Errorf("left %s, %v", left, err)
	}
}

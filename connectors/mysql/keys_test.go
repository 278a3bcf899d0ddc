package mysql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

// TestKeysOfEveryType walks tables by keys of each type in small pages, and then
// deletes what the pages named: exactly those rows.
func TestKeysOfEveryType(t *testing.T) {
	for typ, values := range map[string][]string{
		"BIGINT UNSIGNED":                  {"1", "9223372036854775807", "9223372036854775808", "18446744073709551615"},
		"BIGINT":                           {"-9223372036854775808", "-1", "0", "9007199254740993"},
		"TINYINT(1)":                       {"0", "1"},
		"VARCHAR(20)":                      {"'a'", "'B'", "'é'", "'日本'", "'07'", "'7'"},
		"VARCHAR(20) COLLATE utf8mb4_bin":  {"'a'", "'A'", "'a b'", "'\"'", "'\\\\'"},
		"VARCHAR(20) CHARACTER SET latin1": {"'a'", "'é'", "''"},
		"VARCHAR(20) COLLATE utf8mb4_uca1400_ai_ci": {"'a'", "'ß'", "'-'"},
		"CHAR(36)": {"'6ccd780c-baba-1026-9564-5b8c656024db'", "'x'"},
		"CHAR(8) CHARACTER SET ascii COLLATE ascii_bin": {"'a'", "'A'"},
		"BINARY(16)":    {"x'00'", "x'00ff27'", "x'ffffffffffffffffffffffffffffffff'"},
		"VARBINARY(16)": {"x''", "x'00'", "x'0000'", "'a'"},
		"DECIMAL(20,5)": {"1.5", "-3.00001", "123456789012345.12345"},
		"DATE":          {"'2020-01-01'", "'2021-02-03'"},
		"DATETIME(6)":   {"'2020-01-01 10:00:00.000001'", "'2020-01-01 10:00:00'"},
		"TIMESTAMP(3)":  {"'2020-01-01 10:00:00.001'", "'2020-01-01 10:00:00'"},
		"UUID":          {"'6ccd780c-baba-1026-9564-5b8c656024db'", "'00000000-0000-0000-0000-000000000001'"},
		"INET6":         {"'::1'", "'2001:db8::1'"},
		"YEAR":          {"2020", "1999"},
	} {
		t.Run(typ, func(t *testing.T) {
			d, s := shop(t, "CREATE TABLE p (id "+typ+" NOT NULL PRIMARY KEY, at DATETIME)")
			for _, v := range values {
				d.app.MustExec("INSERT INTO p VALUES (" + v + ", '2020-01-01')")
			}
			d.app.MustExec("CREATE TABLE c (a " + typ + " NOT NULL, b INT NOT NULL, at DATETIME, PRIMARY KEY (a, b))")
			d.app.MustExec("INSERT INTO c SELECT id, 1, at FROM p UNION ALL SELECT id, 2, at FROM p")
			schema := describe(t, s, "p", "c")
			for table, want := range map[string]int{"p": len(values), "c": 2 * len(values)} {
				if why := schema.Table(retention.TableName{Name: table}).Unsafe; why != "" {
					t.Fatal(why)
				}
				sel := selection(schema, table, "at")
				keys := walk(t, s, sel)
				if len(keys) != want {
					t.Fatalf("%s: %d keys, want %d: %v", table, len(keys), want, keys)
				}
				b := batch(sel, retention.Act{Kind: retention.Delete})
				b.Keys = keys[:len(keys)-1]
				out, err := s.Apply(t.Context(), b)
				if err != nil || out.Done != int64(want-1) {
					t.Fatalf("%s: %+v, %v", table, out, err)
				}
				if left := walk(t, s, sel); !cmp.Equal(left, keys[len(keys)-1:]) {
					t.Errorf("%s: left %v, want %v", table, left, keys[len(keys)-1:])
				}
			}
		})
	}
}

func walk(t *testing.T, s *Source, sel retention.Selection) []retention.Key {
	t.Helper()
	var out []retention.Key
	var at retention.Cursor
	for range 100 {
		p, err := s.Page(t.Context(), sel, &retention.HoldSet{}, at, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Keys) == 0 {
			return out
		}
		out, at = append(out, p.Keys...), p.Next
	}
	t.Fatal("the walk does not end")
	return nil
}

// TestStrangeKeysNameNoRow: the server would read 'abc' as 0, cut what is long,
// and fold case.
func TestStrangeKeysNameNoRow(t *testing.T) {
	d, s := shop(t, "CREATE TABLE n (id INT NOT NULL PRIMARY KEY, at DATETIME)", "CREATE TABLE x (id VARCHAR(5) NOT NULL PRIMARY KEY, at DATETIME)",
		"INSERT INTO n VALUES (0, '2020-01-01'), (7, '2020-01-01')", "INSERT INTO x VALUES ('abc', '2020-01-01'), ('abcde', '2020-01-01'), ('0', '2020-01-01')")
	schema := describe(t, s, "n", "x")
	for table, keys := range map[string][]any{"n": {"abc", "7abc", "", "0x0", "07", []byte{7}}, "x": {"ABC", "abc ", "abcdefg", "abcde ", []byte("abc"), ""}} {
		out, err := s.Apply(t.Context(), batch(selection(schema, table, "at"), retention.Act{Kind: retention.Delete}, keys...))
		if err != nil || out.Done != 0 || out.Spared.Gone != int64(len(keys)) {
			t.Errorf("%s: %+v, %v", table, out, err)
		}
	}
	var left int
	if err := d.app.Get(&left, "SELECT (SELECT count(*) FROM n) + (SELECT count(*) FROM x)"); err != nil || left != 5 {
		t.Errorf("%d rows are left, %v", left, err)
	}
}

// TestHeldIdentifiers: as the column compares, and never by what the server makes
// of a text in a number's place.
func TestHeldIdentifiers(t *testing.T) {
	for _, c := range []struct{ typ, value, ids, held string }{
		{"INT", "0", "abc", "false"}, {"INT", "7", " 7 ", "true"}, {"INT", "7", "7abc", "false"}, {"INT", "7", "7.0", "true"}, {"INT", "7", "7.1", "false"},
		{"BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615", "true"}, {"BIGINT UNSIGNED", "1", "-1", "false"},
		{"VARCHAR(20)", "'Ada'", "ADA", "true"}, {"VARCHAR(20)", "'ada '", "ada", "true"}, {"VARCHAR(20) COLLATE utf8mb4_bin", "'Ada'", "ada", "false"},
		{"VARCHAR(20)", "'0'", "abc", "false"}, {"VARCHAR(3)", "'abc'", "abcd", "false"}, {"VARCHAR(3)", "'abc'", "abc  ", "true"},
		{"VARCHAR(20) CHARACTER SET latin1", "'é'", "é", "true"}, {"TEXT", "'ada'", "ada", "true"},
		{"BINARY(16)", "x'6ccd780cbaba102695645b8c656024db'", "6ccd780c-baba-1026-9564-5b8c656024db", "true"}, {"BINARY(4)", "'ada'", "ada", "true"}, {"VARBINARY(8)", "'ada'", "ADA", "false"}, {"BLOB", "'ada'", "ada", "true"},
		{"UUID", "'6ccd780c-baba-1026-9564-5b8c656024db'", "{6CCD780C-BABA-1026-9564-5B8C656024DB}", "true"}, {"UUID", "'6ccd780c-baba-1026-9564-5b8c656024db'", "x", "false"},
		{"DECIMAL(10,2)", "1.50", "1.5", "true"}, {"DECIMAL(10,2)", "0", "abc", "false"}, {"DOUBLE", "1.5", "1.50", "true"},
		{"ENUM('a','b')", "'b'", "b", "true"}, {"ENUM('a','b')", "'b'", "2", "false"}, {"DATE", "'2020-01-02'", "2020-01-02", "true"}, {"INET6", "'2001:db8::1'", "2001:DB8:0::1", "true"},
		{"JSON", "'\"ada\"'", "\"ada\"", "true"},
	} {
		t.Run(c.typ+" "+c.value+" "+c.ids, func(t *testing.T) {
			_, s := shop(t, "CREATE TABLE p (id INT NOT NULL PRIMARY KEY, at DATETIME, who "+c.typ+")", "INSERT INTO p VALUES (1, '2020-01-01', "+c.value+"), (2, '2020-01-01', NULL)")
			sel := selection(describe(t, s, "p"), "p", "at")
			sel.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{"who"}}}
			holds := &retention.HoldSet{Version: 1, Subjects: map[string][]string{"person": strings.Split(c.ids, "|")}}
			n, err := s.Count(t.Context(), sel, holds, nil)
			if err != nil || fmt.Sprint(n.Classes.Held == 1) != c.held || n.Classes.Due+n.Classes.Held != 2 {
				t.Errorf("%+v, %v", n.Classes, err)
			}
		})
	}
}

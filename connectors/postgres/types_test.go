package postgres

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

const zoo = `CREATE EXTENSION citext; CREATE SCHEMA "Other S"; CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN mail AS varchar(60) CHECK (VALUE LIKE '%@%'); CREATE DOMAIN work AS mail NOT NULL;
CREATE TYPE pair AS (a int, b text);
CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE "Zoo" (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "At" timestamptz, i2 smallint, i4 int, i8 bigint, num numeric(12,2), f4 real, f8 double precision, ok bool, d date, ts timestamp(3), vc varchar(20), ch char(8), tx text COLLATE nocase, ci citext,
  by bytea, u uuid, j json, jb jsonb, ip inet, net cidr, m mood, dm mail, wk work, ar text[], ms mood[], pt point, xm xml, pr pair, iv interval, gen text GENERATED ALWAYS AS (vc || '!') STORED, r int4range);
INSERT INTO "Zoo" ("At", i2, i4, i8, num, f4, f8, ok, d, ts, vc, ch, tx, ci, by, u, j, jb, ip, net, m, dm, wk, ar, ms, pt, xm, pr, iv, r) VALUES
 ('2020-01-01', 1, 2, 9007199254740993, 1.50, 0.1, 0.1, true, '2020-02-03', '2020-02-03 04:05:06.789', 'v', 'c', 'T', 'Ci', '\x00ff', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{"a" : 1}', '{"a": 1}', '10.1.2.3', '10.1.0.0/16', 'sad', 'a@b', 'w@b', '{a,b}', '{sad}', '(1,2)', '<a/>', '(1,x)', '1 mon', '[1,5)'),
 ('2020-01-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'x@y', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 ('2020-01-01', 2, 3, 4, 'NaN', 'NaN', '-0', false, 'infinity', '-infinity', '', '', '', '', '', NULL, '[]', '[]', '2001:db8::1', '::/0', 'happy', 'c@d', 'e@f', '{}', '{}', NULL, NULL, '(,)', '0', 'empty');
`

func TestKindsOfEveryType(t *testing.T) {
	b := setup(t, zoo, "Zoo")
	want := map[string]retention.Column{
		"i2": {Decl: "smallint", Kind: retention.KindInteger}, "num": {Decl: "numeric(12,2)", Kind: retention.KindNumber}, "f8": {Decl: "double precision", Kind: retention.KindNumber},
		"vc": {Decl: "character varying(20)", Kind: retention.KindText, Length: 20}, "ch": {Decl: "character(8)", Kind: retention.KindText, Length: 8, Loose: true}, "ci": {Decl: "public.citext", Kind: retention.KindText, Loose: true},
		"by": {Decl: "bytea", Kind: retention.KindBytes}, "u": {Decl: "uuid", Kind: retention.KindUUID}, "j": {Decl: "json", Kind: retention.KindJSON}, "net": {Decl: "cidr", Kind: retention.KindIP},
		"m": {Decl: "public.mood", Kind: retention.KindOther}, "dm": {Decl: "character varying(60)", Kind: retention.KindText, Length: 60}, "ar": {Decl: "text[]", Kind: retention.KindOther}, "ms": {Decl: "public.mood[]", Kind: retention.KindOther},
		"pr": {Decl: "public.pair", Kind: retention.KindOther}, "ts": {Decl: "timestamp(3) without time zone", Kind: retention.KindTimestamp}, "At": {Decl: "timestamp with time zone", Kind: retention.KindTimestampTZ},
	}
	for name, w := range want {
		w.Name, w.Nullable, w.Typed, w.Unheld = name, true, true, b.table("Zoo").Column(name).Unheld
		if diff := cmp.Diff(&w, b.table("Zoo").Column(name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if c := b.table("Zoo").Column("wk"); c.Nullable || c.Kind != retention.KindText {
		t.Errorf("a domain that is NOT NULL: %+v", c)
	}
	if !b.table("Zoo").Column("gen").Generated || !b.table("Zoo").Column("id").Generated {
		t.Error("generated columns are not said to be")
	}
}

// A row of every type is copied, compared, and gone; the copy is what it was.
func TestArchiveOfEveryType(t *testing.T) {
	b := setup(t, zoo, "Zoo")
	v := &retention.VaultTables{Table: retention.TableName{Schema: "Other S", Name: `odd "vault"`}, Rule: "p/zoo", At: cutoff()}
	spec := retention.VaultSpec{From: []retention.TableName{tn("Zoo")}, Into: []retention.TableName{v.Table}}
	for range 2 {
		if err := b.s.MakeVault(t.Context(), b.schema, spec); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := b.s.Describe(t.Context(), append(spec.From, spec.Into...))
	if err != nil {
		t.Fatal(err)
	}
	b.schema = schema
	b.exec(`CREATE TABLE was AS SELECT * FROM "Zoo"`)
	out := b.apply(b.batch(b.selection("Zoo", "At"), retention.Act{Kind: retention.Archive, Into: v}, 1, 2, 3))
	if out.Done != 3 {
		t.Fatalf("%+v", out)
	}
	b.wantRows(`SELECT count(*) FROM "Zoo"`, "0")
	cols := []string{}
	for _, c := range b.table("Zoo").Columns {
		cols = append(cols, quote(c.Name)+"::text")
	}
	list := strings.Join(cols, ", ")
	b.wantRows(`SELECT count(*) FROM (SELECT `+list+` FROM was EXCEPT SELECT `+list+` FROM "Other S"."odd ""vault""") AS x`, "0")
	b.wantRows(`SELECT retentiond_clock || ' ' || retentiond_rule FROM "Other S"."odd ""vault""" ORDER BY id LIMIT 1`, "2020-01-01T00:00:00Z p/zoo")
}

// A form of every type that can have one; what cannot is refused.
func TestChangesOfEveryType(t *testing.T) {
	set := func(text string) retention.Change {
		return retention.Change{Func: retention.Set, Value: &retention.Scalar{Text: text}}
	}
	ip := retention.Change{Func: retention.MaskIP, Bits: [2]int{24, 48}}
	cut := func(unit string) retention.Change { return retention.Change{Func: retention.Truncate, Unit: unit} }
	n := func(f retention.ChangeFunc, n int64) retention.Change { return retention.Change{Func: f, N: n} }
	mail := retention.Change{Func: retention.EmailDomain}
	one := sharedOf(t)
	for _, c := range []struct {
		decl, value string
		ch          retention.Change
		want        string // "!": refused
	}{
		{"inet", "'10.1.2.3'", ip, "10.1.2.0"}, {"inet", "'10.1.2.3/8'", ip, "10.1.2.0"}, {"inet", "'2001:db8:1:2::3'", ip, "2001:db8:1::"}, {"inet", "'::ffff:1.2.3.4'", ip, "1.2.3.0"}, {"cidr", "'10.1.2.3/32'", ip, "10.1.2.0/24"}, {"cidr", "'10.0.0.0/8'", ip, "10.0.0.0/8"},
		{"varchar(40)", "'192.168.7.9'", ip, "192.168.7.0"}, {"text", "'2001:DB8:1:2::3'", ip, "2001:db8:1::"}, {"text", "'::ffff:1.2.3.4'", ip, "1.2.3.0"}, {"text", "'fe80::1%eth0'", ip, "fe80::"}, {"text", "'1.2.3.4:80'", ip, "NULL"}, {"text NOT NULL", "'home'", ip, ""},
		{"text", "'1.2.3'", ip, "NULL"}, {"text", "'01.2.3.4'", ip, "NULL"}, {"text", "'1.2.3.256'", ip, "NULL"}, {"text", "'1:2:3:4:5:6:7:8'", ip, "1:2:3::"}, {"text", "'1:2:3:4:5:6:7::8'", ip, "NULL"}, {"text", "':::'", ip, "NULL"}, {"text", "'::'", ip, "::"}, {"text", "'1::2::3'", ip, "NULL"}, {"text", "'1:2:3:4:5:6:7:8:9'", ip, "NULL"}, {"text", "'10.0.0.0/8'", ip, "NULL"}, {"text", "'64:ff9b::1.2.3.4'", ip, "64:ff9b::"}, {"text", "''", ip, "NULL"}, {"text", "'12345::'", ip, "NULL"}, {"text", "E'1.2.3.4\\n'", ip, "NULL"},
		{"uuid", "gen_random_uuid()", ip, "!"}, {"json", "'{}'", n(retention.KeepLeft, 2), "!"}, {"text[]", "'{a}'", mail, "!"}, {"int", "1706695200", cut("year"), "!"}, {"bytea", `'\x00'`, cut("day"), "!"},
		{"text", "'jean@mail.x.fr'", mail, "mail.x.fr"}, {"text", "'a@b@c'", mail, "c"}, {"citext", "'A@B.c'", mail, "B.c"}, {"text", "'jean.dupont'", mail, "jean.dupont formed"}, {"text NOT NULL", "'jean@'", mail, ""},
		{"text", "'2024-05-17'", cut("year"), "2024-01-01"}, {"text", "'2024-12-17'", cut("quarter"), "2024-10-01"}, {"text", "'2024-05-17 10:11:12.345+02:00'", cut("month"), "2024-05-01 00:00:00.000+02:00"}, {"text", "'2024-05-17T10:11Z'", cut("day"), "2024-05-17T00:00Z"}, {"text", "'né le 17 mai'", cut("year"), "NULL"}, {"text NOT NULL", "'17/05/2024'", cut("year"), ""},
		{"timestamptz", "'2024-05-17 10:11:12+00'", cut("month"), "2024-05-01 00:00:00+00"}, {"timestamptz", "'infinity'", cut("month"), "infinity"}, {"timestamp", "'2024-05-17 10:11:12'", cut("quarter"), "2024-04-01 00:00:00"}, {"date", "'2024-05-17'", cut("year"), "2024-01-01"},
		{"int", "37", n(retention.Bucket, 10), "30"}, {"smallint", "-37", n(retention.Bucket, 10), "-40"}, {"bigint", "9223372036854775807", n(retention.RoundTo, 10), "NULL"}, {"bigint NOT NULL", "9223372036854775807", n(retention.RoundTo, 10), "0"}, {"int", "2147483647", n(retention.RoundTo, 10), "NULL"}, {"bigint", "-9223372036854775808", n(retention.Bucket, 10), "NULL"},
		{"numeric", "37.5", n(retention.Bucket, 10), "30.0"}, {"numeric", "'NaN'", n(retention.Bucket, 10), "NULL"}, {"float8", "37.5", n(retention.Bucket, 10), "30"}, {"float8", "-36.5", n(retention.RoundTo, 10), "-40"}, {"float8", "'Infinity'", n(retention.RoundTo, 10), "NULL"}, {"real", "'NaN'", n(retention.RoundTo, 10), "NULL"},
		{"text", "'37.9'", n(retention.Bucket, 10), "30"}, {"text", "'x'", n(retention.Bucket, 10), "NULL"}, {"text", "'1e999'", n(retention.Bucket, 10), "NULL"}, {"int", "35", n(retention.RoundTo, 10), "40"}, {"int", "-35", n(retention.RoundTo, 10), "-30"},
		{"text", "'éàü1'", n(retention.KeepLeft, 2), "éà"}, {"char(8)", "'éàü1'", n(retention.KeepRight, 2), "ü1      "}, {"text", "'é'", n(retention.KeepRight, 0), ""}, {"int", "75011", n(retention.KeepLeft, 2), "75"}, {"int", "-75011", n(retention.KeepLeft, 1), "NULL"},
		{"json", `'{"a":1}'`, set(`{"b" : 2}`), `{"b" : 2}`}, {"jsonb", `'{"a":1}'`, set(`{"b" : 2}`), `{"b": 2}`}, {"mood", "'sad'", set("happy"), "happy"}, {"text[]", "'{a,b}'", set("{}"), "{}"}, {"point", "'(1,2)'", retention.Change{Func: retention.Null}, "NULL"}, {"inet", "'10.1.2.3'", set("0.0.0.0"), "0.0.0.0"}, {"bool", "true", set("false"), "false"}, {"bytea", `'\xff'`, set("0x00"), `\x00`}, {"date", "'2024-05-17'", set("1900-01-01"), "1900-01-01"}, {"uuid", "gen_random_uuid()", set("00000000-0000-0000-0000-000000000000"), "00000000-0000-0000-0000-000000000000"}, {"numeric(5,2)", "1.25", set("0"), "0.00"}, {"mail", "'a@b'", set("x@y"), "x@y"}, {"varchar(3)", "'abc'", set("xyzw"), "!"}, {"mail", "'a@b'", set("none"), "!"},
	} {
		t.Run(fmt.Sprintf("%s %s %s", c.ch.Func, c.decl, c.value), func(t *testing.T) {
			b := one.of(t)
			b.exec("DROP TABLE IF EXISTS p; CREATE TABLE p (id int PRIMARY KEY, at timestamptz, c " + c.decl + "); INSERT INTO p VALUES (1, '2020-01-01', " + c.value + "), (2, '2020-01-01', " + c.value + ")")
			b.describe("p")
			sel, ch := b.selection("p", "at"), c.ch
			ch.Column = "c"
			sel.Done = &retention.DoneTest{Changes: []retention.Change{ch}}
			act := retention.Act{Kind: retention.Anonymise, Changes: []retention.Change{ch}}
			out, err := b.s.Apply(t.Context(), b.batch(sel, act, 1, 2))
			if want, formed := strings.CutSuffix(c.want, " formed"); formed {
				if err != nil || out.Spared.Changed != 2 {
					t.Errorf("%+v, %v", out, err)
				}
				c.want = want
			} else if (err != nil) != (c.want == "!") {
				t.Fatal(err)
			}
			if c.want != "!" {
				b.exec("SET TimeZone = 'UTC'")
				b.wantRows("SELECT DISTINCT coalesce(CASE WHEN pg_typeof(c) = 'char'::regtype OR pg_typeof(c)='character'::regtype THEN rpad(c::text, 8) WHEN pg_typeof(c)='inet'::regtype THEN to_jsonb(c)#>>'{}' ELSE c::text END, 'NULL') FROM p", c.want)
				if got := b.classes(sel, noHolds()); got.Done != 2 {
					t.Errorf("%+v", got)
				}
			}
		})
	}
}

// Identifiers in any spelling that the column's type takes; the others match
// nothing and fail nothing.
func TestIdentifiersOfEveryType(t *testing.T) {
	b := setup(t, zoo, "Zoo")
	b.exec(`UPDATE "Zoo" SET ar = '{ada,bob}', ch = 'ada' WHERE id = 1`)
	for _, c := range []struct {
		column string
		hit    []string
		miss   []string
	}{
		{"i2", []string{"1", "01", " 1 ", "1.0"}, []string{"abc", "", "1.5", "99999999999999999999", "3"}},
		{"i8", []string{"9007199254740993"}, []string{"9007199254740992", "9007199254740993.5"}},
		{"num", []string{"1.5", "1.50", "15e-1"}, []string{"x", "1.51", "1;2"}}, {"f8", []string{"0.1"}, []string{"x"}},
		{"u", []string{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC999C0B4EF8BB6D6BB9BD380A11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"}, []string{"a0eebc99", "zz", ""}},
		{"ci", []string{"ci", "CI"}, []string{"c"}}, {"tx", []string{"t", "T"}, []string{"x"}}, {"ch", []string{"ada", "ada  "}, []string{"Ada"}}, {"vc", []string{"v"}, []string{"v ", "V", `{"`, "a,b"}},
		{"by", []string{"00ff", `\x00FF`, "0x00ff"}, []string{"0"}}, {"ip", []string{"10.1.2.3", "10.1.2.3/32", "::ffff:10.1.2.3"}, []string{"10.1.2", "x"}}, {"m", []string{"sad"}, []string{"angry", "SAD"}}, {"dm", []string{"a@b"}, []string{"no at"}},
		{"d", []string{"2020-02-03"}, []string{"03/02/2020", "today", "x"}}, {"ar", []string{"ada", "bob"}, []string{"{ada,bob}"}}, {"j", nil, []string{"x"}}, {"pr", nil, []string{"x"}}, {"ok", []string{"true"}, []string{"maybe"}},
	} {
		sel := b.selection("Zoo", "At")
		sel.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{c.column}}}
		for _, hashes := range []bool{true, false} { // before 14, long arrays are not hashed
			b.s.d = dialect("public", hashes)
			for _, more := range [][]string{{"x'\"\\{},"}, strangers()} {
				for _, id := range c.hit {
					if got := b.classes(sel, person(append(slices.Clone(more), id)...)); got.Held != 1 {
						t.Errorf("%s: %q and %d more hold %d rows (%v)", c.column, id, len(more), got.Held, hashes)
					}
				}
				if got := b.classes(sel, person(append(slices.Clone(more), c.miss...)...)); got.Held != 0 {
					t.Errorf("%s: %q and %d more hold %d rows (%v)", c.column, c.miss, len(more), got.Held, hashes)
				}
			}
		}
		if len(c.hit) > 0 && c.column != "ar" {
			last := c.hit[min(1, len(c.hit)-1)]
			got, err := b.s.Matched(t.Context(), sel, "person", append(slices.Clone(c.miss), last))
			if c.column != "ch" && c.column != "ip" && c.column != "i2" && (err != nil || !slices.Equal(got, []string{last})) {
				t.Errorf("%s: matched %q, %v, want %q", c.column, got, err, last)
			}
		}
	}
}

// strangers are so many identifiers that they are looked up by hashing, of every
// form and of nobody.
func strangers() []string {
	var out []string
	for i := range 100 {
		out = append(out, fmt.Sprint(5000+i), fmt.Sprintf("nobody-%d", i), fmt.Sprintf("00000000-0000-0000-0000-%012d", i), fmt.Sprintf("192.0.2.%d", i), fmt.Sprintf("1999-01-%02d", i%28+1))
	}
	return out
}

// Keys of every type are paged, named and deleted exactly.
func TestKeysOfEveryType(t *testing.T) {
	one := sharedOf(t)
	for name, c := range map[string]struct {
		decl   string
		values []string
	}{
		"numeric":     {"numeric", []string{"1.5", "0.1", "123456789012345678901234567890.123"}},
		"float8":      {"float8", []string{"0.1", "1e300", "NaN", "-Infinity"}},
		"timestamptz": {"timestamptz", []string{"2020-01-01 00:00:00.123456+00", "infinity", "0044-03-15 00:00:00+00 BC"}},
		"date":        {"date", []string{"2020-01-01", "infinity"}},
		"uuid":        {"uuid", []string{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000"}},
		"char":        {"char(5)", []string{"a", "ab", ""}},
		"citext":      {"citext", []string{"Ab", `é"'\`, "{}", "[1]"}},
		"nocase":      {"text COLLATE nocase", []string{"Ab", "c"}},
		"enum":        {"mood", []string{"sad", "happy"}},
		"inet":        {"inet", []string{"10.0.0.1", "10.0.0.0/8", "::1"}},
		"bool":        {"bool", []string{"true", "false"}},
		"bytea":       {"bytea", []string{`\x`, `\x00ff`}},
		"array":       {"int[]", []string{"{1,2}", "{}"}},
		"smallint":    {"smallint", []string{"-32768", "32767"}},
		"domain":      {"mail", []string{"a@b", "c@d"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := one.of(t)
			b.exec("DROP TABLE IF EXISTS p; CREATE TABLE p (k " + c.decl + " PRIMARY KEY, at timestamptz DEFAULT '2020-01-01'); CREATE INDEX ON p (at)")
			for _, v := range c.values {
				b.exec("INSERT INTO p (k) VALUES ($1)", v)
			}
			b.describe("p")
			var all []any
			var after retention.Cursor
			for {
				page, err := b.s.Page(t.Context(), b.selection("p", "at"), noHolds(), after, 1)
				if err != nil {
					t.Fatal(err)
				}
				if len(page.Keys) == 0 {
					break
				}
				all, after = append(all, page.Keys[0]), page.Next
			}
			if len(all) != len(c.values) {
				t.Errorf("paged %d keys of %d", len(all), len(c.values))
			}
			b.apply(b.batch(b.selection("p", "at"), retention.Act{Kind: retention.Delete}, all...))
			b.wantRows("SELECT count(*) FROM p", "0")
		})
	}
}

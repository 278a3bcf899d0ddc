package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const roundtripConfig = `state: sqlite:./state.db
policies: ./policy.yaml
sources:
  crm: {driver: sqlite, dsn: ./crm.db}
vaults:
  sealed: {path: ./vault, recipients: [` + crashRecipient + `]}
audit: {origin: example.org/roundtrip, key_file: ./audit.key}
`

const roundtripPolicy = `version: 1
policy: every
title: Every type
controller: Example
timezone: Europe/Paris
source: crm
limits: {share: 100%, rows: 1000000}
datasets:
  things:
    table: things
    subject: {person: person}
    children:
      - {table: parts, on: {thing: id}, then: delete}
rules:
  - id: things
    title: Things
    dataset: things
    approve: never
    from: at
    stages:
      - {keep: 1 year, then: archive, to: sealed, why: a claim may come}
      - {keep: 50 years, then: delete}
`

// typed is a column of some type, and values of it as SQL writes them: those that
// are always tried, and drawn ones.
type typed struct {
	decl   string
	corner []string
	draw   *rapid.Generator[string]
}

func quoted(texts ...string) []string {
	for i := range texts {
		texts[i] = "'" + strings.ReplaceAll(texts[i], "'", "''") + "'"
	}
	return texts
}

func drawText() *rapid.Generator[string] {
	return rapid.Map(rapid.StringOf(rapid.RuneFrom([]rune("aé'\"\n\t ☃𝄞ß{}[],:0"))), func(s string) string { return quoted(s)[0] })
}

func drawHex(form string) *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 40), func(b []byte) string { return fmt.Sprintf(form, b) })
}

func drawInt(low, high int64) *rapid.Generator[string] {
	return rapid.Map(rapid.Int64Range(low, high), func(n int64) string { return fmt.Sprintf("(%d)", n) })
}

func drawFloat(form string) *rapid.Generator[string] {
	return rapid.Map(rapid.Float64Range(-1e300, 1e300), func(f float64) string { return fmt.Sprintf(form, f) })
}

func postgresTypes() []typed {
	const low, high = -1 << 62, 1 << 62
	return []typed{
		{"smallint", []string{"-32768"}, drawInt(-32768, 32767)},
		{"integer", []string{"2147483647"}, drawInt(-1<<31, 1<<31-1)},
		{"bigint", []string{"-9223372036854775808", "9223372036854775807"}, drawInt(low, high)},
		{"numeric", append(quoted("NaN", "Infinity", "-Infinity"), "12345678901234567890123456789012345678.000100", "0.00"), drawFloat("%f")},
		{"numeric(38,10)", []string{"-1234567890123456789012345678.0123456789"}, drawInt(low, high)},
		{"real", quoted("NaN", "Infinity", "-0", "1.1754944e-38", "3.4028235e38"), drawInt(-1<<30, 1<<30)},
		{"double precision", quoted("NaN", "-Infinity", "-0", "5e-324", "1.7976931348623157e308", "0.1"), drawFloat("%g")},
		{"boolean", []string{"true", "false"}, nil},
		{"text", quoted("", "NULL", "\\x41", " é \n"), drawText()},
		{"varchar(200)", quoted(""), nil},
		{"char(8)", quoted("ab", ""), nil},
		{"bytea", quoted("", "\\x00ff80c328", "\\x5c78"), drawHex(`'\x%x'`)},
		{"date", quoted("0044-03-15 BC", "infinity", "-infinity", "2024-02-29", "5874897-12-31"), nil},
		{"time", quoted("24:00:00", "00:00:00.000001"), nil},
		{"timetz", quoted("12:00:00.5+05:30"), nil},
		{"timestamp", quoted("0044-03-15 12:00:00.123456 BC", "infinity", "294276-12-31 23:59:59.999999"), nil},
		{"timestamptz", quoted("0044-03-15 12:00:00 BC", "-infinity", "2024-03-31 02:30:00+01"), nil},
		{"interval", quoted("-1 year 2 mons -3 days 04:05:06.789", "178000000 years"), nil},
		{"uuid", quoted("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff"), nil},
		{"json", quoted(`{"b":1, "a":[1,2,null], "b":1e400}`, "null", `"\u00e9"`), nil},
		{"jsonb", quoted(`{"b":1, "a":[1.50,2,null]}`, "null"), nil},
		{"inet", quoted("10.0.0.1", "10.0.0.1/8", "::1/64", "::ffff:1.2.3.4"), nil},
		{"cidr", quoted("10.0.0.0/8"), nil},
		{"macaddr", quoted("08:00:2b:01:02:03"), nil},
		{"bit(5)", []string{"B'10101'"}, nil},
		{"varbit", []string{"B''", "B'1'"}, nil},
		{"point", quoted("(0.1,-1e300)"), nil},
		{"polygon", quoted("((0,0),(1,1),(1,0))"), nil},
		{"text[]", quoted(`{}`, `{NULL,"NULL","",a\ b,"{\"x\"}"}`, `[2:3]={x,y}`), nil},
		{"integer[]", quoted(`{{1,2},{3,NULL}}`), nil},
		{"double precision[]", quoted(`{NaN,-Infinity,NULL,-0,5e-324}`), nil},
		{"numeric[]", quoted(`{NaN,Infinity,0.10,12345678901234567890123456789012345678}`), nil},
		{"timestamptz[]", quoted(`{infinity,"0044-03-15 12:00:00+00 BC"}`), nil},
		{"int4multirange", quoted("{}", "{[1,3),[5,7)}"), nil},
		{"bytea[]", quoted(`{"\\x00ff",NULL}`), nil},
		{"int4range", quoted("empty", "[1,10)", "(,5)"), nil},
		{"tsvector", quoted("'a':1A 'fat':2B,4C"), nil},
		{"xml", quoted("<a>é</a>"), nil},
		{"money", quoted("-92233720368547758.08"), nil},
		{"oid", []string{"4294967295"}, nil},
		{`"char"`, quoted("x"), nil},
		{"pg_lsn", quoted("16/B374D848"), nil},
	}
}

func mariaTypes() []typed {
	return []typed{
		{"tinyint", []string{"-128"}, drawInt(-128, 127)},
		{"tinyint unsigned", []string{"255"}, nil},
		{"smallint", []string{"-32768"}, nil},
		{"mediumint unsigned", []string{"16777215"}, nil},
		{"int", []string{"-2147483648"}, drawInt(-1<<31, 1<<31-1)},
		{"bigint", []string{"-9223372036854775808"}, drawInt(-1<<62, 1<<62)},
		{"bigint unsigned", []string{"18446744073709551615", "9223372036854775808"}, nil},
		{"decimal(65,30)", []string{"12345678901234567890123456789012345.012345678901234567890123456789", "-0.000000000000000000000000000001"}, nil},
		{"decimal(38,0)", []string{"99999999999999999999999999999999999999", "-0"}, nil},
		{"float", []string{"0.1", "16777217", "3.40282e38", "1.17549e-38", "-0.0"}, drawInt(-1<<30, 1<<30)},
		{"double", []string{"0.1", "1.7976931348623157e308", "5e-324", "2.2250738585072014e-308"}, drawFloat("%g")},
		{"bit(1)", []string{"b'1'"}, nil},
		{"bit(8)", []string{"b'00110001'"}, nil},
		{"bit(64)", []string{"b'1111111111111111111111111111111111111111111111111111111111111111'"}, nil},
		{"char(8)", quoted("ab", ""), nil},
		{"varchar(200) character set utf8mb4", append(quoted("", "NULL", " é "), "'☃𝄞'"), drawEscaped()},
		{"varchar(50) character set latin1", []string{"X'E9FF'"}, nil},
		{"text", quoted("", "é"), drawEscaped()},
		{"binary(4)", []string{"X'00FF'", "X'31323334'"}, nil},
		{"varbinary(64)", []string{"X''", "X'00FF80C328'"}, drawHex("X'%x'")},
		{"blob", []string{"X''", "X'C328'"}, drawHex("X'%x'")},
		{"date", quoted("1000-01-01", "9999-12-31", "0000-00-00", "2024-02-00"), nil},
		{"datetime(6)", quoted("1000-01-01 00:00:00.000001", "9999-12-31 23:59:59.999999", "0000-00-00 00:00:00"), nil},
		{"timestamp(6) null", quoted("1970-01-01 00:00:01.000001", "2038-01-19 03:14:07", "0000-00-00 00:00:00"), nil},
		{"time(6)", quoted("-838:59:59", "838:59:59.999999", "00:00:00.000001"), nil},
		{"year", []string{"1901", "2155", "0"}, nil},
		{"enum('a','b é','')", quoted("a", "b é", ""), nil},
		{"set('a','b')", quoted("", "a", "a,b"), nil},
		{"json", quoted(`{"b":1, "a":[1,2,null]}`, "null"), nil},
		{"uuid", quoted("123e4567-e89b-12d3-a456-426655440000"), nil},
		{"inet4", quoted("255.255.255.255"), nil},
		{"inet6", quoted("::ffff:1.2.3.4", "2001:db8::1"), nil},
		{"point", []string{"POINT(0.1, -1e300)"}, nil},
	}
}

// drawEscaped is drawText where a backslash would be an escape; none is drawn.
func drawEscaped() *rapid.Generator[string] { return drawText() }

func sqliteTypes() []typed {
	any := []string{"1", "1.0", "-0.0", "9e999", "-9e999", "9223372036854775807", "5e-324", "'1'", "''", "x''", "x'00ff80'", "'é'", "CAST(x'ff00fe' AS TEXT)", "CAST(x'610062' AS TEXT)"}
	return []typed{
		{"", any, drawFloat("%g")},
		{"BLOB", any, drawHex("x'%x'")},
		{"INTEGER", []string{"-9223372036854775808", "'x'", "1.5", "x'31'"}, drawInt(-1<<62, 1<<62)},
		{"REAL", []string{"1", "9e999", "'x'"}, drawFloat("%g")},
		{"NUMERIC", []string{"'1e3'", "1.50", "'12345678901234567890'", "'12345678901234567890123456789012345678'"}, nil},
		{"TEXT", []string{"1", "''", "CAST(x'ff' AS TEXT)", "'12345678901234567890123456789012345678'", "'-0044-03-15'"}, drawText()},
		{"DATE", quoted("2024-02-29", "x"), nil},
		{"DATETIME", append(quoted("2024-02-29 10:00:00"), "1700000000"), nil},
		{"TIMESTAMP", quoted("2024-02-29T10:00:00Z"), nil},
		{"BOOLEAN", []string{"1", "0", "'true'"}, nil},
		{"DECIMAL(10,2)", []string{"12.50"}, nil},
	}
}

// TestArchiveRoundTrip: whatever is archived and restored equals the row that left,
// for every column type of the three engines (L9).
func TestArchiveRoundTrip(t *testing.T) {
	for _, g := range []struct {
		on    ground
		types []typed
	}{{ground{}, sqliteTypes()}, {onPostgres(), postgresTypes()}, {onMariaDB(), mariaTypes()}} {
		t.Run(g.on.String(), func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, "retentiond.yaml"), g.on.configure(roundtripConfig))
			writeFile(t, filepath.Join(dir, "policy.yaml"), roundtripPolicy)
			g.on.create(t, dir)
			g.on.run(t, dir, everyTable(g.on, g.types))
			tried, most := 0, trialsOf(t, "RETENTIOND_ROUNDTRIPS", 6)
			rapid.Check(t, func(r *rapid.T) {
				if tried++; tried > most && !t.Failed() { // each takes several commands and dozens of rows
					return
				}
				defer func() {
					if p := recover(); p != nil { // it fails: what is smaller is tried too
						tried = -1_000
						panic(p)
					}
				}()
				roundTrip(t, r, g.on, dir, g.types)
			})
		})
	}
}

func everyTable(on ground, types []typed) string {
	cols := func() (out string) {
		for i, c := range types {
			out += fmt.Sprintf(", c%d %s", i, c.decl)
			if on.driver == "mysql" && !strings.HasSuffix(c.decl, "null") {
				out += " NULL"
			}
		}
		return out
	}
	doubled := ", doubled " + map[string]string{"": "INTEGER GENERATED ALWAYS AS (id * 2) STORED", "postgres": "bigint GENERATED ALWAYS AS (id * 2) STORED", "mysql": "INT AS (char_length(person)) STORED"}[on.driver]
	id := map[string]string{"": "INTEGER PRIMARY KEY", "postgres": "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "mysql": "bigint AUTO_INCREMENT PRIMARY KEY"}[on.driver]
	mode := map[string]string{"mysql": "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'; "}[on.driver]
	return mode + on.ddl("CREATE TABLE things (id "+id+", person TEXT, at TIME NOT NULL"+cols()+doubled+"); CREATE TABLE parts (id INTEGER PRIMARY KEY, thing BIGINT"+cols()+")")
}

// roundTrip draws rows, archives them, restores them, and compares what the
// application sees.
func roundTrip(t *testing.T, r *rapid.T, on ground, dir string, types []typed) {
	drawThings(t, r, on, dir, types)
	before := dump(t, on, dir)
	roundtripCommand(t, dir, "run")
	if left := dump(t, on, dir); len(left) != 0 {
		t.Fatalf("%d rows stayed", len(left))
	}
	newest := newestRun(t, dir)
	for _, table := range []string{"things", "parts"} {
		roundtripCommand(t, dir, append([]string{"archive", "restore", "--identity", identityFile(t, dir), "--by", "Ada", "--reason", "a test", "--table", table}, newest...)...)
	}
	if diff := cmp.Diff(before, dump(t, on, dir)); diff != "" {
		r.Fatalf("restored rows are not those that left (-left +restored):\n%s", diff)
	}
}

// drawThings draws the rows of both tables.
func drawThings(t *testing.T, r *rapid.T, on ground, dir string, types []typed) {
	t.Helper()
	over := map[string]string{"postgres": " OVERRIDING SYSTEM VALUE"}[on.driver]
	mode := map[string]string{"mysql": "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'; "}[on.driver]
	var names string
	for i := range types {
		names += fmt.Sprintf(", c%d", i)
	}
	script := mode + "DELETE FROM parts; DELETE FROM things;"
	for id := range rapid.IntRange(1, 40).Draw(r, "rows") {
		script += fmt.Sprintf("INSERT INTO things (id, person, at%s)%s VALUES (%d, 'p%d', '2001-%02d-01 10:00:00'%s);", names, over, id, id, id%12+1, drawRow(r, types))
		script += fmt.Sprintf("INSERT INTO parts (id, thing%s) VALUES (%d, %d%s);", names, id, id, drawRow(r, types))
	}
	on.run(t, dir, script)
}

func drawRow(r *rapid.T, types []typed) string {
	var out strings.Builder
	for i, c := range types {
		n := rapid.IntRange(-2, len(c.corner)-1).Draw(r, fmt.Sprintf("c%d", i))
		switch {
		case n >= 0:
			out.WriteString(", " + c.corner[n])
		case n == -1 && c.draw != nil:
			out.WriteString(", " + c.draw.Draw(r, c.decl))
		default:
			out.WriteString(", NULL")
		}
	}
	return out.String()
}

// dump is every row as the application sees it: values and how they are stored.
func dump(t *testing.T, on ground, dir string) []string {
	t.Helper()
	db := on.open(t, dir)
	defer db.Close()
	var out []string
	for _, table := range []string{"things", "parts"} {
		cols := "t.*"
		if on.server == nil {
			for _, c := range query(t, db, "SELECT name FROM pragma_table_xinfo('"+table+"')") {
				cols += ", typeof(t." + c + "), hex(t." + c + ")"
			}
		}
		if on.driver == "postgres" {
			cols = "t.*::text"
		}
		out = append(out, dumped(t, db, "SELECT "+cols+" FROM "+table+" AS t ORDER BY t.id")...)
	}
	return out
}

func dumped(t *testing.T, db *sql.DB, q string) (out []string) {
	t.Helper()
	rows, err := db.Query(q)
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	vals := make([]sql.RawBytes, len(cols))
	at := make([]any, len(cols))
	for i := range vals {
		at[i] = &vals[i]
	}
	for rows.Next() {
		if err := rows.Scan(at...); err != nil {
			t.Fatal(err)
		}
		line := ""
		for i, v := range vals {
			line += fmt.Sprintf(" %s=%t:%q", cols[i], v == nil, []byte(v))
		}
		out = append(out, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func roundtripCommand(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	args = append([]string{"--config", filepath.Join(dir, "retentiond.yaml"), "--output", "json"}, args...)
	if code := run(context.Background(), args, streams{In: strings.NewReader(""), Out: &out, Err: &errs}); code != exitOK {
		t.Fatalf("%v: exit code %d: %s%s", args[4:], code, out.String(), errs.String())
	}
	return out.Bytes()
}

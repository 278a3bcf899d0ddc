package postgres

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// dialect is PostgreSQL's; home is the schema that a bare table name means.
// hashes: the server looks constants up in arrays by hashing.
func dialect(home string, hashes bool) *sqlgen.Dialect {
	return &sqlgen.Dialect{
		Quote:       quote,
		Arguments:   30_000,
		Placeholder: func(n int) string { return "$" + strconv.Itoa(n) },
		Lists:       true,
		Reserved:    "$",
		Quotes:      `'"`,
		SameTable:   func(a, b retention.TableName) bool { return at(a, home) == at(b, home) },
		Same:        same,
		Group:       image,
		Clock:       clockOf,
		Before:      before,
		Unresolved:  unresolved,
		Bound:       bound,
		Stamp:       stamp,
		Among:       amongOf(hashes),
		Bind:        bind,
		Change:      changeOf,
		Formed:      formed,
		Nameless:    func(sqlgen.SQL, *retention.Column) sqlgen.SQL { return sqlgen.Raw("FALSE") },
		Keys:        keysOf,
		Plain:       plain,
		Whole:       lossless,
		Typed:       bind,
		Now:         sqlgen.Raw(nowSQL),
		Exact:       exact,
		Image:       image,
		Fence:       "OFFSET 0",
		ByRow:       "OFFSET 0",
		Overriding:  true,
		GroupCount:  true,
		Passes:      8, // what a pass leaves dead makes room in the page for the next: its updates touch no index
		RowID:       rowID,
		Locked:      locked,
		Returning:   true,
	}
}

// nowSQL is the clock as RFC 3339 text in UTC.
const nowSQL = `to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// at is the table with its schema.
func at(n retention.TableName, home string) retention.TableName {
	if n.Schema == "" {
		n.Schema = home
	}
	return n
}

func bind(v sqlgen.SQL, c *retention.Column) sqlgen.SQL { return cast(v, bindable(c)) }

func same(a, b sqlgen.SQL, c *retention.Column) sqlgen.SQL {
	return sqlgen.Format("%s IS NOT DISTINCT FROM %s", image(a, c), image(b, c))
}

// stamp writes microseconds as RFC 3339 in UTC, without trailing zeros: as sessions
// write a timestamp, whose settings are ours.
func stamp(micros sqlgen.SQL) sqlgen.SQL {
	return sqlgen.Format(`replace(CAST(TIMESTAMP '1970-01-01 00:00:00' + (%s) * INTERVAL '1 microsecond' AS text), ' ', 'T') || 'Z'`, micros)
}

// rowID is the row's place, for child tables without a key. Partitions have
// places of their own.
func rowID(t *retention.Table) string {
	if len(t.Key) > 0 || t.Kind != "table" {
		return ""
	}
	return "ctid"
}

// keysOf reads the list that sqlwork writes: an integer, or an array, for each
// key; bytes, and text that JSON cannot carry, as objects of hex digits. Lists of
// integers are read as one array, which is several times faster.
func keysOf(list sqlgen.SQL, key []*retention.Column) sqlgen.SQL {
	if text, ok := integers(list); ok && len(key) == 1 && key[0].Kind == retention.KindInteger {
		return sqlgen.Format("(SELECT j.n - 1 AS retentiond_n, j.v AS "+sqlgen.KeyColumn(0)+" FROM unnest(%s::bigint[]) WITH ORDINALITY AS j(v, n))", sqlgen.Arg(text))
	}
	cols := make([]string, len(key))
	for i, c := range key {
		cols[i] = fmt.Sprintf("CAST(%s AS %s) AS %s", keyOf(i, c), bindable(c), sqlgen.KeyColumn(i))
	}
	return sqlgen.Format("(SELECT j.n - 1 AS retentiond_n, "+strings.Join(cols, ", ")+" FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS j(v, n))", longList(list))
}

// integers is the list as an array's text, where all of it is integers.
func integers(list sqlgen.SQL) (sqlgen.List, bool) {
	if len(list.Args) != 1 {
		return "", false
	}
	text, ok := list.Args[0].(string)
	if !ok || len(text) < 2 || strings.Trim(text, "[]-,0123456789") != "" || strings.ContainsAny(text[1:len(text)-1], "[]") {
		return "", false
	}
	return sqlgen.List("{" + text[1:len(text)-1] + "}"), true
}

func longList(list sqlgen.SQL) sqlgen.SQL {
	if len(list.Args) == 1 {
		if text, ok := list.Args[0].(string); ok {
			return sqlgen.Arg(sqlgen.List(text))
		}
	}
	return list
}

// keyOf is the text, or the bytes, of the key's i-th value.
func keyOf(i int, c *retention.Column) string {
	value := fmt.Sprintf("j.v -> %d", i)
	if i == 0 {
		value = "CASE jsonb_typeof(j.v) WHEN 'array' THEN j.v -> 0 ELSE j.v END"
	}
	if c.Kind == retention.KindBytes {
		return "decode((" + value + ") ->> 'hex', 'hex')"
	}
	return "(" + value + ") #>> '{}'"
}

// exact compares by bytes too: equality of some texts is wider.
func exact(col, value sqlgen.SQL, c *retention.Column) sqlgen.SQL {
	if c.Kind != retention.KindText {
		return sqlgen.Format("%s = %s", col, value)
	}
	return sqlgen.Format("%s = %s AND %s = %s", col, value, bytewise(col), bytewise(value))
}

// locked: a row that was locked FOR UPDATE names its transaction alone, since that
// lock is granted only when nobody else has one.
func locked(alias string) sqlgen.SQL {
	return sqlgen.Raw(alias + ".xmax = CAST(pg_current_xact_id() AS xid)")
}

package sqlite

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// dialect is SQLite's.
func dialect() *sqlgen.Dialect {
	return &sqlgen.Dialect{
		Quote:       quote,
		Placeholder: func(n int) string { return "?" + strconv.Itoa(n) },
		Numbered:    true,
		Arguments:   200, // the driver looks for each among all of them
		Reserved:    "?:@$",
		SameTable:   sameTable,
		Same:        func(a, b sqlgen.SQL, _ *retention.Column) sqlgen.SQL { return same(a, b) },
		Group:       func(v sqlgen.SQL, _ *retention.Column) sqlgen.SQL { return sqlgen.Format("%s COLLATE BINARY", v) },
		Clock:       clockOf,
		Bound:       bound,
		Stamp:       func(micros sqlgen.SQL) sqlgen.SQL { return sqlgen.Format("retentiond_stamp(%s)", micros) },
		Among:       among,
		Change:      changeOf,
		Formed:      formed,
		Nameless:    nameless,
		Keys:        keysOf,
		Plain:       func(col sqlgen.SQL, _ *retention.Column) sqlgen.SQL { return sqlgen.Format("+%s", col) },
		Now:         sqlgen.Raw(nowSQL),
		Exact:       exact,
		RowID:       rowID,
	}
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// sameTable folds case as SQLite does, and knows that main is the default.
func sameTable(a, b retention.TableName) bool {
	return strings.EqualFold(a.Name, b.Name) && strings.EqualFold(home(a.Schema), home(b.Schema))
}

func home(schema string) string {
	if schema == "" {
		return "main"
	}
	return schema
}

// same compares bytes, whatever the column's collation, and converts the right
// side by the column's affinity, as storing it would.
func same(a, b sqlgen.SQL) sqlgen.SQL { return sqlgen.Format("%s COLLATE BINARY IS %s", a, b) }

func clockOf(col sqlgen.SQL, c *retention.Column, m retention.MemberTest) (sqlgen.SQL, error) {
	spec, err := specText(c, m)
	if err != nil {
		return sqlgen.SQL{}, err
	}
	return sqlgen.Format("retentiond_clock(%s, %s)", col, sqlgen.Arg(spec)), nil
}

// margin is more than any offset from UTC, twice.
const margin = 48 * time.Hour

// bound is a range of raw values: texts start with their date, so those over
// sort before the date two days after the cutoff, wherever they were written.
func bound(col sqlgen.SQL, c *retention.Column, m retention.MemberTest) (sqlgen.SQL, bool) {
	typ := m.Type
	if typ == "" {
		typ = declaredClock(c)
	}
	at := m.Cutoff.UTC().Add(margin)
	switch {
	case at.Year() < 1 || at.Year() > 9999:
		return sqlgen.SQL{}, false
	case typ == retention.AsUnixSeconds:
		return sqlgen.Format("%s < %s", col, sqlgen.Arg(at.Unix())), true
	case typ == retention.AsUnixMilliseconds:
		return sqlgen.Format("%s < %s", col, sqlgen.Arg(at.UnixMilli())), true
	}
	return sqlgen.Format("%s < %s", col, sqlgen.Arg(at.Format(time.DateOnly))), true
}

// among compares as the column does. Values that are numbers or blobs whatever
// the column says, and UUIDs in any case, are compared in those forms too.
func among(col sqlgen.SQL, c *retention.Column, ids *sqlgen.IDs) sqlgen.SQL {
	l := sqlgen.Arg(sqlgen.List(ids.JSON))
	in := func(format string) sqlgen.SQL { return sqlgen.Format(format, col, l) }
	any := []sqlgen.SQL{in("%s IN (SELECT value FROM json_each(%s))")}
	if c.Kind == retention.KindUUID {
		any = append(any, in("lower(%s) IN (SELECT lower(value) FROM json_each(%s))"))
	}
	if affinity(c.Decl) == "BLOB" {
		any = append(any, in(asText), sqlgen.Format("typeof(%s) IN ('integer', 'real') AND %s", col, in(asNumber)))
	}
	any = append(any, sqlgen.Format("typeof(%s) = 'blob' AND (%s OR %s)", col, in(asText), in(asHex)))
	return sqlgen.Or(any...)
}

const (
	asText   = "CAST(%s AS TEXT) IN (SELECT value FROM json_each(%s))"
	asNumber = "CAST(%s AS NUMERIC) IN (SELECT value FROM json_each(%s))"
	asHex    = "lower(hex(%s)) IN (SELECT lower(replace(value, '-', '')) FROM json_each(%s))"
)

// nameless are NULL and fractions, which do not survive being written and read
// as text.
func nameless(col sqlgen.SQL, _ *retention.Column) sqlgen.SQL {
	return sqlgen.Format("typeof(%s) IN ('null', 'real')", col)
}

// keysOf reads the list of keys that a batch writes.
func keysOf(list sqlgen.SQL, key []*retention.Column) sqlgen.SQL {
	n := len(key)
	var cols []string
	if n == 1 { // integers stand alone in the list: no element is parsed again
		cols = append(cols, "CASE j.type WHEN 'integer' THEN j.value ELSE "+keyOf(0)+" END AS "+sqlgen.KeyColumn(0))
	}
	for i := len(cols); i < n; i++ {
		cols = append(cols, keyOf(i)+" AS "+sqlgen.KeyColumn(i))
	}
	return sqlgen.Format("(SELECT j.key AS retentiond_n, "+strings.Join(cols, ", ")+" FROM json_each(%s) AS j)", list)
}

func keyOf(i int) string {
	return fmt.Sprintf("CASE json_type(j.value, %[1]s') WHEN 'object' THEN coalesce(unhex(json_extract(j.value, %[1]s.hex')), CAST(unhex(json_extract(j.value, %[1]s.text')) AS TEXT)) ELSE json_extract(j.value, %[1]s') END", fmt.Sprintf("'$[%d]", i))
}

func exact(col, value sqlgen.SQL, _ *retention.Column) sqlgen.SQL {
	return sqlgen.Format("%s = %s AND %s = %s COLLATE BINARY", col, value, col, value)
}

// rowID is a name of the rowid that no column takes.
func rowID(t *retention.Table) string {
	if !t.Rowid {
		return ""
	}
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		taken := false
		for _, c := range t.Columns {
			taken = taken || strings.EqualFold(c.Name, name)
		}
		if !taken {
			return name
		}
	}
	return ""
}

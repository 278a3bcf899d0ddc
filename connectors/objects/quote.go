package objects

import (
	"encoding/json"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlite"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// dialect is SQLite's, for names that tell upper from lower case: patterns and
// regular expressions do, and SQLite's identifiers do not.
func dialect() *sqlgen.Dialect {
	d := sqlite.Dialect()
	d.Quote = quote
	d.SameTable = func(a, b retention.TableName) bool { return a == b }
	d.Among = amongOf(d.Among)
	d.Nameless = lostOf(d.Nameless)
	return d
}

// amongOf compares identifiers with what names and rows say in each spelling that a
// source would take, and with numbers in names however many zeros they begin with: rather
// too many files are held than too few (L3).
func amongOf(plain func(sqlgen.SQL, *retention.Column, *sqlgen.IDs) sqlgen.SQL) func(sqlgen.SQL, *retention.Column, *sqlgen.IDs) sqlgen.SQL {
	return func(col sqlgen.SQL, c *retention.Column, ids *sqlgen.IDs) sqlgen.SQL {
		is := plain(col, c, ids)
		if c.Name == retention.FilePath || c.Name == retention.FileName || c.Name == retention.FileStem {
			return is
		}
		list := ids.Form("spellings", func(ids []string) string {
			var all []string
			for _, id := range ids {
				all = append(all, sqlwork.Spellings(id)...)
			}
			b, err := json.Marshal(all)
			if err != nil { // texts are always JSON
				return "[]"
			}
			return string(b)
		})
		return sqlgen.Or(is, sqlgen.Format("ltrim(lower(trim(%s)), '0') IN (SELECT ltrim(lower(value), '0') FROM json_each(%s))", col, sqlgen.Arg(list)))
	}
}

// lostOf: a file of which no row says whom it is about is unresolved (L1, L3). A path
// itself is always a text: nothing else is listed.
func lostOf(plain func(sqlgen.SQL, *retention.Column) sqlgen.SQL) func(sqlgen.SQL, *retention.Column) sqlgen.SQL {
	return func(col sqlgen.SQL, c *retention.Column) sqlgen.SQL {
		of, ok := strings.CutSuffix(col.Text, quote(retention.FilePath))
		if !ok || c.Name != retention.FilePath {
			return plain(col, c)
		}
		return sqlgen.Raw(of + colLost)
	}
}

// quote marks capital letters, so that no two names are one.
func quote(name string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(name) {
		switch {
		case 'A' <= c && c <= 'Z' || c == '^':
			b.WriteByte('^')
		case c == '"':
			b.WriteByte('"')
		}
		b.WriteByte(c)
	}
	b.WriteByte('"')
	return b.String()
}

package objects

import (
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlite"
	"github.com/retentiond/retentiond/retention"
)

// dialect is SQLite's, for names that tell upper from lower case: patterns and
// regular expressions do, and SQLite's identifiers do not.
func dialect() *sqlgen.Dialect {
	d := sqlite.Dialect()
	d.Quote = quote
	d.SameTable = func(a, b retention.TableName) bool { return a == b }
	return d
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

package sqlgen

import (
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// Dialect is what differs between engines. All functions are pure.
type Dialect struct {
	// Quote writes an identifier.
	Quote func(name string) string
	// Placeholder writes the n-th parameter, from 1. Where Numbered, equal
	// arguments share one; where Lists, equal [List]s do.
	Placeholder func(n int) string
	Numbered    bool
	Lists       bool
	// Arguments is how many parameters one statement takes before it gets slower by
	// the row.
	Arguments int
	// Reserved are the characters that an `sql:` fragment must not contain
	// outside quotes, because they would be read as parameters.
	Reserved string
	// Quotes are the characters that open a quoted part of an `sql:` fragment;
	// empty: all that any engine knows.
	Quotes string
	// SameTable reports whether two names mean one table.
	SameTable func(a, b retention.TableName) bool
	// Same is whether two values of the column are the same, NULL included, by
	// bytes whatever its collation.
	Same func(a, b SQL, c *retention.Column) SQL
	// Twin is Same for columns of one declaration, a table's and its vault's: bytes of
	// one encoding need no conversion; nil: Same.
	Twin func(a, b SQL, c *retention.Column) SQL
	// Group is the value as a grouping compares it by bytes.
	Group func(v SQL, c *retention.Column) SQL
	// Comparable says why two columns must not be joined on; empty: they may. An
	// engine that converts one to the other's type could match strangers. nil:
	// all may.
	Comparable func(a, b *retention.Column) string
	// Clock is the value as microseconds since 1970: NULL for NULL, [Never] for
	// what is unreadable or implausible.
	Clock func(col SQL, c *retention.Column, m retention.MemberTest) (SQL, error)
	// Before is whether the value is readable, plausible and before the member's
	// cutoff: TRUE exactly where [Dialect.Clock] is before it, in a form that an index
	// serves. Unresolved is TRUE exactly where Clock says [Never]. Both may be
	// NULL elsewhere. ok = false, or nil: the clock is compared.
	Before     func(col SQL, c *retention.Column, m retention.MemberTest) (s SQL, ok bool)
	Unresolved func(col SQL, c *retention.Column, m retention.MemberTest) (s SQL, ok bool)
	// Bound is a test of the raw value that every clock before the cutoff passes
	// and that an index can serve; ok = false where there is none.
	Bound func(col SQL, c *retention.Column, m retention.MemberTest) (s SQL, ok bool)
	// Extreme is the greatest, or least, of the values that are not NULL; nil: a
	// subquery over them.
	Extreme func(least bool, values []SQL) SQL
	// Stamp writes microseconds since 1970 as RFC 3339 in UTC.
	Stamp func(micros SQL) SQL
	// Among is whether the value is one of the identifiers. It compares as the
	// column does, and rather too widely than too narrowly; an identifier that the
	// column cannot hold matches nothing.
	Among func(col SQL, c *retention.Column, ids *IDs) SQL
	// Bind is a value that a rule writes, or NULL, as one of the column's type;
	// nil: as it stands.
	Bind func(v SQL, c *retention.Column) SQL
	// Change is the value's anonymised form; Formed is whether it already has it.
	Change func(col SQL, c *retention.Column, ch retention.Change) (SQL, error)
	Formed func(col SQL, c *retention.Column, ch retention.Change) (SQL, error)
	// Nameless is whether a key value cannot be named exactly (NULL, and what
	// does not survive being read and bound again).
	Nameless func(col SQL, c *retention.Column) SQL
	// Keys is a subquery with a row for each key of the JSON array of keys: the
	// column retentiond_n, which counts from 0, and a [KeyColumn] for each of the
	// key's columns.
	Keys func(list SQL, key []*retention.Column) SQL
	// Plain is the value without its declared type, so that no driver converts it.
	Plain func(col SQL, c *retention.Column) SQL
	// Whole is Plain for archives, with what the type does not compare, such as blanks
	// at the end, or does not write; nil: Plain has all.
	Whole func(col SQL, c *retention.Column) SQL
	// Typed is a bound value of a cursor with the column's type; nil: as it is.
	Typed func(v SQL, c *retention.Column) SQL
	// WriteOut: comparisons of whole rows use no index, and are written out.
	WriteOut bool
	// Now is the database's clock as RFC 3339 text in UTC, with a fraction.
	Now SQL
	// Exact compares a key column with a value of [Dialect.Keys] by bytes,
	// whatever the column's collation.
	Exact func(col, value SQL, c *retention.Column) SQL
	// Image is the column as copies are compared by EXCEPT; nil: as it is.
	// NoExcept: the engine's EXCEPT is not exact, and copies are looked up one by
	// one with [Dialect.Same].
	Image    func(col SQL, c *retention.Column) SQL
	NoExcept bool
	// Overriding: an INSERT that gives values to identity columns says so.
	Overriding bool
	// Passes is in how many passes a range of rows is best changed; 0: in one.
	Passes int
	// GroupCount: classes are counted in groups, which the engine does in several
	// processes at once; a fence would keep it to one.
	GroupCount bool
	// Fence ends a subquery that an optimiser must not merge into the query around
	// it, where the class would be computed once for every use; empty: a LIMIT.
	Fence string
	// ByRow ends a test of related rows that is to be answered row by row, from their
	// index alone, where an engine would join their table into a statement that locks
	// rows, and read whole rows of it; empty: it does not.
	ByRow string
	// Delete begins a DELETE from the table under the alias; nil: DELETE FROM.
	Delete func(table SQL, alias string) SQL
	// Renews is whether the engine changes the column by itself whenever its row
	// changes: it is then written as it was, since a clock must not move by what we
	// do. nil: none does.
	Renews func(c *retention.Column) bool
	// Update begins an UPDATE of the table, which has its alias; nil: UPDATE.
	Update func(table SQL) SQL
	// Along follows a table's alias where a statement is to walk along the index of
	// that name; nil: the engine finds it by itself.
	Along func(index string) string
	// Part is a partition of the table where it is read from; nil: it is a table.
	Part func(table, part retention.TableName) SQL
	// Locked is whether this transaction has locked the row of that alias for itself;
	// nil: rows do not tell.
	Locked func(alias string) SQL
	// Returning: a DELETE answers with what it removes, once all of it is removed; where
	// Streams, while it removes, and it takes neither an alias nor an index to walk along.
	Returning, Streams bool
	// Clustered names the index by whose order rows lie, that of the key; empty: none.
	Clustered string
	// Apart wraps a subquery that refers to nothing around it, so that the
	// statement may change the table it reads; nil: as it is.
	Apart func(sub SQL) SQL
	// RowID is the engine's own name of a row, for tables without a key that
	// names every row; empty where there is none.
	RowID func(t *retention.Table) string
}

// Never is the clock of a value that is unreadable or implausible: later than
// every cutoff, so that a test forgotten leaves the row alone (L1).
const Never = int64(1<<63 - 1)

// Query writes the placeholders.
func (d *Dialect) Query(s SQL) Query {
	q := Query{}
	seen := map[any]int{}
	var b strings.Builder
	rest := s.Text
	for _, a := range s.Args {
		before, after, _ := strings.Cut(rest, mark)
		b.WriteString(before)
		rest = after
		list, isList := a.(List)
		blob, isBlob := a.(Blob)
		_, bytes := a.([]byte)
		share := !bytes && (d.Numbered || d.Lists && (isList || isBlob))
		n, again := 0, false
		if share {
			n, again = seen[a]
		}
		if !again {
			n = len(q.Args) + 1
			if share {
				seen[a] = n
			}
			switch {
			case isList:
				a = string(list)
			case isBlob:
				a = []byte(blob)
			}
			q.Args = append(q.Args, a)
		}
		b.WriteString(d.Placeholder(n))
	}
	b.WriteString(rest)
	q.Text = b.String()
	return q
}

// Table writes a table's name.
func (d *Dialect) Table(n retention.TableName) SQL {
	if n.Schema == "" {
		return Raw(d.Quote(n.Name))
	}
	return Raw(d.Quote(n.Schema) + "." + d.Quote(n.Name))
}

package mysql

import (
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// home is what names of tables mean: the connection's own database, and whether
// case counts (lower_case_table_names = 0).
type home struct {
	database string
	fold     bool
}

// dialect is that of MariaDB and MySQL. secret makes random bytes, fresh ones
// each time.
func dialect(h home, secret func() []byte) *sqlgen.Dialect {
	return &sqlgen.Dialect{
		Quote:       quote,
		Arguments:   30_000,
		Placeholder: func(int) string { return "?" },
		Reserved:    "?@#",
		Quotes:      "'\"`",
		SameTable:   h.same,
		Same:        same,
		Twin:        twin,
		Group:       image,
		Comparable:  comparable,
		Clock:       clockOf,
		Before:      before,
		Unresolved:  unresolved,
		Bound:       bound,
		Stamp:       stamp,
		Extreme:     extreme,
		Among:       among,
		Change: func(col sqlgen.SQL, c *retention.Column, ch retention.Change) (sqlgen.SQL, error) {
			return changeOf(col, c, ch, secret)
		},
		Formed:   formed,
		Nameless: nameless,
		Keys:     keysOf,
		Plain:    plain,
		Whole:    entire,
		Typed:    typed,
		WriteOut: true,
		Now:      sqlgen.Raw("DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%fZ')"),
		Exact:    exact,
		NoExcept: true,
		Delete: func(table sqlgen.SQL, alias string) sqlgen.SQL {
			return sqlgen.Format("DELETE "+alias+" FROM %s", table)
		},
		Update: func(table sqlgen.SQL) sqlgen.SQL {
			return sqlgen.Format("UPDATE %s, (SELECT 1 AS retentiond_one) AS retentiond_one", table)
		},
		Along:  func(index string) string { return " FORCE INDEX (" + quote(index) + ")" },
		Renews: func(c *retention.Column) bool { return strings.Contains(strings.ToLower(c.Decl), " on update ") },
		Apart: func(sub sqlgen.SQL) sqlgen.SQL {
			return sqlgen.Format("SELECT * FROM (SELECT * FROM (%s) AS inside LIMIT 9223372036854775807) AS apart", sub)
		},
		Part:  partition(h),
		RowID: func(*retention.Table) string { return "" },
	}
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// same folds case where the server does, and knows the connection's database.
func (h home) same(a, b retention.TableName) bool { return h.key(a) == h.key(b) }

// key is a name in full.
func (h home) key(n retention.TableName) retention.TableName {
	if n.Schema == "" {
		n.Schema = h.database
	}
	if h.fold {
		n.Schema, n.Name = strings.ToLower(n.Schema), strings.ToLower(n.Name)
	}
	return n
}

// own is a name as people write it: without the connection's own database.
func (h home) own(n retention.TableName) retention.TableName {
	if h.key(n).Schema == h.key(retention.TableName{Name: n.Name}).Schema {
		n.Schema = ""
	}
	return n
}

// same compares by bytes and exact type.
func same(a, b sqlgen.SQL, c *retention.Column) sqlgen.SQL {
	switch {
	case textual(c):
		return sqlgen.Format("%s <=> %s", image(a, c), image(b, c))
	case c.Kind == retention.KindDate:
		return sqlgen.Format("%s <=> CAST(%s AS DATE)", a, b)
	case c.Kind == retention.KindTimestamp, c.Kind == retention.KindTimestampTZ:
		return sqlgen.Format("%s <=> CAST(%s AS DATETIME(6))", a, b)
	}
	return sqlgen.Format("%s <=> %s", a, b)
}

// twin is same where both columns are of one declaration, which names the encoding.
func twin(a, b sqlgen.SQL, c *retention.Column) sqlgen.SQL {
	if textual(c) {
		return alsoNumber(sqlgen.Format("CAST(%s AS BINARY) <=> CAST(%s AS BINARY)", a, b), a, b, c)
	}
	return same(a, b, c)
}

// image is a value as it is compared by bytes: no collation, no padding.
func image(v sqlgen.SQL, c *retention.Column) sqlgen.SQL {
	if textual(c) {
		return sqlgen.Format("CAST(CONVERT(%s USING utf8mb4) AS BINARY)", v)
	}
	return v
}

// comparable refuses columns of which one would be converted to the other's
// type: as a number, 'abc' is 0.
func comparable(a, b *retention.Column) string {
	if family(a) != family(b) {
		return "they are " + a.Decl + " and " + b.Decl + ", which the server compares as numbers: give both one type"
	}
	return ""
}

func family(c *retention.Column) string {
	switch {
	case numeric(c):
		return "number"
	case c.Kind == retention.KindText || c.Kind == retention.KindOther && textual(c):
		return "text"
	}
	return string(c.Kind)
}

// plain keeps values from being converted: bits are numbers, times are texts.
func plain(col sqlgen.SQL, c *retention.Column) sqlgen.SQL {
	switch {
	case typeName(c) == "bit":
		return sqlgen.Format("%s + 0", col)
	case c.Kind == retention.KindDate, c.Kind == retention.KindTimestamp, c.Kind == retention.KindTimestampTZ, c.Kind == retention.KindUUID, c.Kind == retention.KindIP:
		return sqlgen.Format("CAST(%s AS CHAR)", col)
	}
	return col
}

// typed is a cursor's value with the column's type.
func typed(v sqlgen.SQL, c *retention.Column) sqlgen.SQL {
	switch {
	case unsigned(c):
		return sqlgen.Format("CAST(%s AS UNSIGNED)", v)
	case c.Kind == retention.KindInteger:
		return sqlgen.Format("CAST(%s AS SIGNED)", v)
	case typeName(c) == "decimal":
		return sqlgen.Format("CAST(%s AS "+bare(c)+")", v)
	case c.Kind == retention.KindDate:
		return sqlgen.Format("CAST(%s AS DATE)", v)
	case c.Kind == retention.KindTimestamp, c.Kind == retention.KindTimestampTZ:
		return sqlgen.Format("CAST(%s AS DATETIME(6))", v)
	case c.Kind == retention.KindUUID, c.Kind == retention.KindIP:
		return sqlgen.Format("CAST(%s AS "+c.Decl+")", v)
	case c.Kind == retention.KindBytes:
		return sqlgen.Format("CAST(%s AS BINARY)", v)
	}
	return v
}

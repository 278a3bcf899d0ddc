package postgres

import (
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// kindOf is the broad type of a base type of PostgreSQL's own catalogue.
func kindOf(schema, name, category string) retention.Kind {
	if schema != "pg_catalog" {
		if name == "citext" {
			return retention.KindText
		}
		return retention.KindOther
	}
	switch name {
	case "int2", "int4", "int8":
		return retention.KindInteger
	case "numeric", "float4", "float8":
		return retention.KindNumber
	case "text", "varchar", "bpchar", "name":
		return retention.KindText
	case "bool":
		return retention.KindBool
	case "date":
		return retention.KindDate
	case "timestamp":
		return retention.KindTimestamp
	case "timestamptz":
		return retention.KindTimestampTZ
	case "bytea":
		return retention.KindBytes
	case "uuid":
		return retention.KindUUID
	case "json", "jsonb":
		return retention.KindJSON
	case "inet", "cidr":
		return retention.KindIP
	}
	return retention.KindOther
}

// bindable is the type that a bound value is cast to before it meets the column:
// without a length, which would cut the value instead of refusing it.
func bindable(c *retention.Column) string {
	switch c.Kind {
	case retention.KindText:
		return textType(c)
	case retention.KindInteger:
		return "bigint"
	case retention.KindNumber:
		if strings.HasPrefix(c.Decl, "numeric") {
			return "numeric"
		}
	case retention.KindTimestamp:
		return "timestamp"
	case retention.KindTimestampTZ:
		return "timestamptz"
	case retention.KindIP:
		return "inet"
	}
	if c.Decl == "" {
		return "text"
	}
	return c.Decl
}

func textType(c *retention.Column) string {
	switch {
	case c.Decl == "character", strings.HasPrefix(c.Decl, "character("), c.Decl == "bpchar":
		return "bpchar"
	case isCitext(c):
		return c.Decl
	}
	return "text"
}

func isCitext(c *retention.Column) bool { return strings.HasSuffix(c.Decl, "citext") }

func isArray(c *retention.Column) bool { return strings.HasSuffix(c.Decl, "[]") }

func cast(v sqlgen.SQL, typ string) sqlgen.SQL {
	return sqlgen.Format("CAST(%s AS "+typ+")", v)
}

// bytewise is a text that compares by bytes, whatever the column's collation.
func bytewise(v sqlgen.SQL) sqlgen.SQL {
	return sqlgen.Format("(CAST(%s AS text) COLLATE \"C\")", v)
}

// image is a form of the value that is equal where the value is the same: types
// without an equality, or with a wider one, are compared as they are written.
func image(v sqlgen.SQL, c *retention.Column) sqlgen.SQL {
	switch c.Kind {
	case retention.KindText, retention.KindOther, retention.KindAny:
		return bytewise(v)
	case retention.KindJSON:
		if c.Decl != "jsonb" {
			return bytewise(v)
		}
	}
	return v
}

// plain is the value as the driver returns it exactly: integers and bytes as they
// are, all else as text.
func plain(col sqlgen.SQL, c *retention.Column) sqlgen.SQL {
	switch c.Kind {
	case retention.KindInteger, retention.KindBytes:
		return col
	case retention.KindIP: // a cast to text would add /32
		return sqlgen.Format("to_jsonb(%s) #>> '{}'", col)
	}
	return cast(col, "text")
}

// lossless is plain with the blanks at the end of a bpchar without a length, which a cast
// takes away. One with a length is filled up again where it is restored.
func lossless(col sqlgen.SQL, c *retention.Column) sqlgen.SQL {
	if c.Decl == "bpchar" || c.Decl == "character" {
		return sqlgen.Format("textin(bpcharout(%s))", col)
	}
	return plain(col, c)
}

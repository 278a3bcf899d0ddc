package mysql

import (
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// typeName is the declared type's first word, in lower case.
func typeName(c *retention.Column) string {
	name, _, _ := strings.Cut(strings.ToLower(c.Decl), "(")
	name, _, _ = strings.Cut(name, " ")
	return name
}

// bare is the type without what follows it: signs, collation, renewal.
func bare(c *retention.Column) string {
	name, size, sized := strings.Cut(strings.ToLower(c.Decl), "(")
	if !sized {
		return typeName(c)
	}
	size, _, _ = strings.Cut(size, ")")
	return name + "(" + size + ")"
}

// collation is that of a text column: its declared type ends with it.
func collation(c *retention.Column) string {
	_, name, _ := strings.Cut(c.Decl, " COLLATE ")
	name, _, _ = strings.Cut(name, " ")
	return name
}

func textual(c *retention.Column) bool { return collation(c) != "" }

func unsigned(c *retention.Column) bool {
	return c.Kind == retention.KindInteger && (strings.Contains(strings.ToLower(c.Decl), "unsigned") || typeName(c) == "bit")
}

func numeric(c *retention.Column) bool {
	return c.Kind == retention.KindInteger || c.Kind == retention.KindNumber || c.Kind == retention.KindBool
}

// kindOf is the broad type. tinyint(1), which BOOLEAN is, stays an integer: true
// and false are written as 1 and 0.
func kindOf(name string, json bool) retention.Kind {
	switch name {
	case "tinyint", "smallint", "mediumint", "int", "bigint", "bit", "year":
		return retention.KindInteger
	case "decimal", "float", "double":
		return retention.KindNumber
	case "date":
		return retention.KindDate
	case "datetime":
		return retention.KindTimestamp
	case "timestamp":
		return retention.KindTimestampTZ
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
		if json {
			return retention.KindJSON
		}
		return retention.KindText
	case "json":
		return retention.KindJSON
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		return retention.KindBytes
	case "uuid":
		return retention.KindUUID
	case "inet4", "inet6":
		return retention.KindIP
	}
	return retention.KindOther // enum, set, time, geometry and what is to come
}

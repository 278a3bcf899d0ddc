package mysql

import (
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// keysOf reads the list of keys: an integer, or an array, for each. A path of
// [0] reads both.
func keysOf(list sqlgen.SQL, key []*retention.Column) sqlgen.SQL {
	columns := []string{"n FOR ORDINALITY"}
	values := []string{"j.n - 1 AS retentiond_n"}
	for i, c := range key {
		names, value := keyColumn(c, i)
		columns = append(columns, names...)
		values = append(values, value+" AS "+sqlgen.KeyColumn(i))
	}
	return sqlgen.Format("(SELECT "+strings.Join(values, ", ")+" FROM JSON_TABLE(%s, '$[*]' COLUMNS ("+strings.Join(columns, ", ")+")) AS j)", list)
}

// keyColumn are the columns that a key's value is read into, and the value.
// What is of another type than the column is NULL, and names no row.
func keyColumn(c *retention.Column, i int) (columns []string, value string) {
	col := func(name, typ, path string) string {
		return fmt.Sprintf("%s%d %s PATH '$[%d]%s'", name, i, typ, i, path)
	}
	sure := func(typ string) ([]string, string) { // a text that is no number would be read as one
		return []string{col("v", typ, ""), col("s", "VARCHAR(80)", "")}, fmt.Sprintf("CASE WHEN CAST(j.v%d AS CHAR) = j.s%d THEN j.v%d END", i, i, i)
	}
	switch {
	case unsigned(c):
		return sure("BIGINT UNSIGNED")
	case c.Kind == retention.KindInteger:
		return sure("BIGINT")
	case c.Kind == retention.KindDate:
		return sure("DATE")
	case typeName(c) == "decimal":
		return sure(bare(c))
	case c.Kind == retention.KindTimestamp, c.Kind == retention.KindTimestampTZ:
		typ := bare(c)
		return sure(strings.Replace(typ, "timestamp", "datetime", 1))
	case c.Kind == retention.KindUUID, c.Kind == retention.KindIP:
		return []string{col("v", "VARCHAR(80)", "")}, fmt.Sprintf("CAST(j.v%d AS %s)", i, c.Decl)
	case c.Kind == retention.KindBytes:
		return []string{col("h", fmt.Sprintf("VARCHAR(%d) CHARACTER SET ascii", 2*c.Length+2), ".hex")}, fmt.Sprintf("UNHEX(j.h%d)", i)
	}
	name := collation(c)
	alphabet, _, _ := strings.Cut(name, "_")
	// One more than the column takes: what was cut is then still no other row's key.
	return []string{
		col("v", fmt.Sprintf("VARCHAR(%d) COLLATE %s", longest(c.Length)+1, name), ""),
		col("h", fmt.Sprintf("VARCHAR(%d) CHARACTER SET ascii", 8*longest(c.Length)), ".text"),
	}, fmt.Sprintf("COALESCE(j.v%d, CONVERT(UNHEX(j.h%d) USING %s) COLLATE %s)", i, i, alphabet, name)
}

// exact compares by the column's index, and then by bytes.
func exact(col, value sqlgen.SQL, c *retention.Column) sqlgen.SQL {
	if !textual(c) {
		return sqlgen.Format("%s = %s", col, value)
	}
	return sqlgen.Format("%s = %s AND %s = %s", col, value, image(col, c), image(value, c))
}

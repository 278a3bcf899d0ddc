package engine_test

import (
	"fmt"
	"strings"
)

func postgresGround() *ground {
	types := map[string]string{"INTEGER": "bigint", "DATETIME": "timestamp", "TIMESTAMPTZ": "timestamptz"}
	return &ground{
		name: "postgres", home: "public.", zone: true, quote: doubleQuoted,
		decl: func(c wColumn) string { return or(types[c.Decl], strings.ToLower(c.Decl)) },
		literal: func(_ wColumn, v cell) string {
			return v.literal()
		},
		// The reading session is in UTC and writes dates as ISO 8601 does.
		read:  func(c wColumn, name string) string { return typed(c, name, "CAST("+name+" AS text)") },
		there: "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename = $1",
		split: whole,
	}
}

// mysqlGround is MariaDB; its longest text that a key or an index takes whole.
func mysqlGround() *ground {
	types := map[string]string{
		"INTEGER": "bigint", "TEXT": "varchar(150)", "DATE": "date",
		"DATETIME": "datetime(6)", "TIMESTAMP": "datetime(6)", "TIMESTAMPTZ": "timestamp(6) NULL",
	}
	return &ground{
		name: "mysql", zone: true,
		quote: func(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" },
		decl:  func(c wColumn) string { return types[c.Decl] },
		literal: func(_ wColumn, v cell) string {
			return strings.ReplaceAll(v.literal(), `\`, `\\`)
		},
		// The reading session is in UTC.
		read: func(c wColumn, name string) string {
			text := "CAST(" + name + " AS CHAR)"
			if c.Decl == "TIMESTAMPTZ" {
				text = fmt.Sprintf("CONCAT(%s, 'Z')", text)
			}
			return typed(c, name, text)
		},
		there: "SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?",
		split: oneByOne,
	}
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

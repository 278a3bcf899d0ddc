package engine_test

import (
	"fmt"
	"strings"
)

func postgresGround() *ground {
	types := map[string]string{"INTEGER": "bigint", "DATETIME": "timestamp", "TIMESTAMPTZ": "timestamptz"}
	bad := []string{"infinity", "-infinity", "0001-01-01", "0044-03-15 BC", "9999-12-31", "1970-01-01", "12020-01-01"}
	return &ground{
		bad:     map[string][]string{"DATE": bad, "DATETIME": bad, "TIMESTAMP": bad, "TIMESTAMPTZ": bad},
		offsets: map[string][]string{"DATETIME": {""}, "TIMESTAMP": {""}, "TIMESTAMPTZ": {"", "+00", "+02:00", "-05:30"}},
		session: "SET TIME ZONE '%s';\n", zones: []string{"UTC", "America/New_York", "Asia/Kolkata", "Pacific/Apia"},
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
	bad := []string{"0000-00-00", "0001-01-01", "9999-12-31", "2024-02-30", "1970-01-02"}
	return &ground{
		bad:     map[string][]string{"DATE": bad, "DATETIME": bad, "TIMESTAMP": bad, "TIMESTAMPTZ": {"0000-00-00", "1970-01-02"}},
		offsets: map[string][]string{"DATETIME": {""}, "TIMESTAMP": {""}, "TIMESTAMPTZ": {""}},
		session: "SET time_zone = '%s', sql_mode = 'ALLOW_INVALID_DATES';\n", zones: []string{"+00:00", "-05:00", "+13:00"},
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

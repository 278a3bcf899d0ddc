package engine_test

import (
	"fmt"
	"strings"
)

// ground is an engine that worlds stand on: how the world's text is written for
// it, and how what it stored is read back. Everything else of a world is the
// same on every engine.
type ground struct {
	name string // the driver's
	home string // the schema that reports write before a table, with its dot
	bare bool   // keeps what it is told whatever the column's type: storage classes, rowids, NULL keys
	zone bool   // has timestamps with a zone
	// decl is the engine's own type of a column.
	decl func(c wColumn) string
	// literal is a value as an application writes it into the column.
	literal func(c wColumn, v cell) string
	// read is a stored value in SQL: its kind, and itself (an integer, or text that
	// the oracle reads as SQLite would have stored it).
	read  func(c wColumn, name string) string
	there string // counts the tables of a name
	// session is how an application sets its session's zone, one of zones; empty:
	// sessions have none.
	session string
	zones   []string
	// bad are values of a type that are no plausible moment, and offsets what may
	// end a literal of it.
	bad, offsets map[string][]string
	// split makes statements of the world's text, as many as go in one call.
	split func(text string) []string
	quote func(string) string
}

// groundOf is the engine of that name; none is SQLite.
func groundOf(name string) *ground {
	switch name {
	case "", "sqlite":
		return sqliteGround()
	case "postgres":
		return postgresGround()
	case "mysql":
		return mysqlGround()
	}
	return nil
}

func sqliteGround() *ground {
	return &ground{
		name: "sqlite", home: "main.", bare: true, quote: doubleQuoted,
		decl:    func(c wColumn) string { return c.Decl },
		literal: func(_ wColumn, v cell) string { return v.literal() },
		read: func(_ wColumn, name string) string {
			return fmt.Sprintf("typeof(%[1]s), %[1]s", "+"+name)
		},
		there: "SELECT count(*) FROM sqlite_master WHERE name = ?",
		split: whole,
	}
}

func (g *ground) names(list []string) string {
	var out []string
	for _, s := range list {
		out = append(out, g.quote(s))
	}
	return strings.Join(out, ", ")
}

func whole(text string) []string { return []string{text} }

// oneByOne cuts after each statement, which ends its line.
func oneByOne(text string) []string {
	return strings.SplitAfter(strings.TrimSpace(text), ";\n")
}

func doubleQuoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// typed reads a column by the type that it was drawn with; text is what says
// the types that are neither integer nor text.
func typed(c wColumn, name, text string) string {
	kind, value := "'text'", text
	switch c.Decl {
	case "INTEGER":
		kind, value = "'integer'", name
	case "TEXT":
		value = name
	}
	return fmt.Sprintf("CASE WHEN %s IS NULL THEN 'null' ELSE %s END, %s", name, kind, value)
}

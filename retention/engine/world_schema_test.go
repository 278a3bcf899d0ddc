package engine_test

import (
	"fmt"
	"strings"
)

// schema writes the world's tables and rows, as its engine reads them.
func (w *world) schema() string {
	b := &strings.Builder{}
	g := groundOf(w.On)
	if w.Session != "" {
		fmt.Fprintf(b, g.session, w.Session)
	}
	for _, t := range w.Tables {
		t.write(b, g)
	}
	return b.String()
}

func (t *wTable) write(b *strings.Builder, g *ground) {
	var parts []string
	rowid := g.bare && len(t.Key) == 1 && !t.NoRowid && t.column(t.Key[0]).Decl == "INTEGER"
	for _, c := range t.Columns {
		p := g.quote(c.Name) + " " + g.decl(c)
		switch {
		case rowid && c.Name == t.Key[0]:
			p += " PRIMARY KEY"
		case c.NotNull:
			p += " NOT NULL"
		}
		if c.Unique {
			p += " UNIQUE"
		}
		parts = append(parts, p)
	}
	if !rowid {
		parts = append(parts, "PRIMARY KEY ("+g.names(t.Key)+")")
	}
	for _, f := range t.Foreign {
		parts = append(parts, fmt.Sprintf("FOREIGN KEY (%s) REFERENCES %s (%s) %s", g.names(f.Columns), g.quote(f.To), g.names(f.ToColumns), f.OnDelete))
	}
	end := ""
	if t.NoRowid {
		end = " WITHOUT ROWID"
	}
	fmt.Fprintf(b, "CREATE TABLE %s (\n  %s\n)%s;\n", g.quote(t.Name), strings.Join(parts, ",\n  "), end)
	for i, c := range t.Indexed {
		fmt.Fprintf(b, "CREATE INDEX %s ON %s (%s);\n", g.quote(fmt.Sprintf("ix %s %d", t.Name, i)), g.quote(t.Name), g.quote(c))
	}
	t.fill(b, g)
}

func (t *wTable) fill(b *strings.Builder, g *ground) {
	for _, r := range t.Rows {
		var cells []string
		for i, c := range r {
			cells = append(cells, g.literal(t.Columns[i], c))
		}
		fmt.Fprintf(b, "INSERT INTO %s VALUES (%s);\n", g.quote(t.Name), strings.Join(cells, ", "))
	}
}

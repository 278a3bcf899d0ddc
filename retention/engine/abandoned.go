package engine

import (
	"context"
	"fmt"

	"github.com/retentiond/retentiond/retention"
)

// abandoned lists the tables of archived rows that no vault of the configuration has: the
// vault, or its prefix, was changed, or the table whose rows it has was renamed. Every
// archive ends (L9), so they are told.
func (e *Engine) abandoned(ctx context.Context, v *view) []InventoryItem {
	var out []InventoryItem
	seen := map[string]bool{} // names of one database
	for _, name := range e.sourceNames() {
		schema, id := v.schemas[name], v.servers[name].Gate.SourceUUID
		if schema == nil || v.down[name] != nil || id != "" && seen[id] {
			continue
		}
		seen[id] = true
		found, err := e.abandonedIn(ctx, v, name, schema)
		if out = append(out, found...); err != nil {
			out = append(out, InventoryItem{Source: name, Because: "not counted", Error: "tables of archived rows: " + err.Error(), NotCounted: true})
		}
	}
	return out
}

func (e *Engine) abandonedIn(ctx context.Context, v *view, name string, known *retention.Schema) (out []InventoryItem, err error) {
	src, err := e.source(ctx, name)
	if err != nil {
		return nil, err
	}
	a, ok := src.(retention.Archived)
	if !ok {
		return nil, nil
	}
	tables, err := a.ArchiveTables(ctx, schemasOf(known))
	if err != nil || len(tables) == 0 {
		return nil, err
	}
	found, err := src.Describe(ctx, tables)
	if err != nil {
		return nil, err
	}
	for _, n := range tables {
		t := found.Table(n)
		if t == nil || known.Table(t.Name) != nil {
			continue // told with its rules
		}
		c, err := src.Count(ctx, retention.Selection{Schema: found, Table: t, Clock: retention.ClockTest{Any: true}, Reach: &retention.Reach{Table: t.Name}}, v.holds[name], nil)
		if err != nil {
			return out, fmt.Errorf("counting %q: %w", t.Name, err)
		}
		if c.Classes.Total > 0 {
			out = append(out, InventoryItem{Source: name, Table: t.Name.String(), Classes: c.Classes,
				Because: "archived rows, and no vault of the configuration has this table: nothing will ever end them; give the vault, or the table they came from, its name back, or decide by hand"})
		}
	}
	return out, nil
}

// schemasOf are those that the described tables are in.
func schemasOf(s *retention.Schema) []string {
	var out []string
	for n := range s.Tables {
		if n.Schema != "" {
			out = append(out, n.Schema)
		}
	}
	return out
}

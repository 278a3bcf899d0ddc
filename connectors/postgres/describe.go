package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Describe reads the live catalogue. A bare name is a table of the connection's
// own schema, and of no other: a hold and a rule that write it mean one table.
func (e *engine) Describe(ctx context.Context, q sqlwork.Session, tables []retention.TableName) (*retention.Schema, error) {
	asked := make([]retention.TableName, len(tables))
	for i, n := range tables {
		asked[i] = at(n, e.schema)
	}
	cat, err := readCatalogue(ctx, q, asked)
	if err != nil {
		return nil, fmt.Errorf("%s: read the catalogue: %w", e.name, err)
	}
	out := &retention.Schema{Tables: map[retention.TableName]*retention.Table{}}
	for _, r := range cat.tables {
		t := cat.table(r)
		out.Tables[t.Name] = t
	}
	for i, n := range tables {
		if t := out.Tables[asked[i]]; t != nil {
			out.Tables[n] = t
		}
	}
	if out.Lacks, err = noSchemas(ctx, q, asked); err != nil {
		return nil, fmt.Errorf("%s: read the catalogue: %w", e.name, err)
	}
	return out, nil
}

// noSchemas are the schemas that do not exist.
func noSchemas(ctx context.Context, q sqlwork.Session, tables []retention.TableName) (out []string, err error) {
	var names []string
	for _, t := range tables {
		if !slices.Contains(names, t.Schema) {
			names = append(names, t.Schema)
		}
	}
	err = sqlx.SelectContext(ctx, q, &out, "SELECT s FROM unnest($1::text[]) AS s WHERE NOT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = s)", pq.Array(names))
	return out, err
}

func (cat *catalogue) table(r tableRow) *retention.Table {
	t := &retention.Table{Name: retention.TableName{Schema: r.Schema, Name: r.Name}, Kind: kindOfTable(r.Kind)}
	for _, ix := range cat.indexes[r.OID] {
		t.Indexes = append(t.Indexes, retention.Index{Name: ix.Name, Columns: ix.Columns, Unique: ix.Unique, Partial: ix.Partial})
		if ix.Primary {
			t.Key = ix.Columns
		}
	}
	for _, c := range cat.columns[r.OID] {
		t.Columns = append(t.Columns, cat.column(t, c))
	}
	for _, f := range cat.foreign {
		fk := retention.ForeignKey{
			Name: f.Name, From: retention.TableName{Schema: f.FromSchema, Name: f.FromName}, Columns: f.Columns,
			To: retention.TableName{Schema: f.ToSchema, Name: f.ToName}, ToCols: f.ToCols, OnDelete: f.OnDelete,
		}
		if f.FromOID == r.OID {
			t.References = append(t.References, fk)
		}
		if f.ToOID == r.OID {
			t.Referenced = append(t.Referenced, fk)
		}
	}
	for _, tr := range cat.triggers[r.OID] {
		t.Triggers = append(t.Triggers, events(tr)...)
	}
	if t.Volatile = volatile(t, r); t.Volatile == "" {
		t.Unsafe = unsafe(t, r)
	} else {
		t.Unsafe = t.Volatile
	}
	if r.Guarded {
		t.Hides = hides
	}
	t.RangeKey, t.WholeNot = r.Ranges, wholeNot(r)
	t.Fingerprint = fingerprint(t, r, cat.columns[r.OID])
	return t
}

func kindOfTable(kind string) string {
	switch kind {
	case "p":
		return "partitioned"
	case "v":
		return "view"
	case "m":
		return "materialized view"
	case "f":
		return "foreign table"
	}
	return "table"
}

func (cat *catalogue) column(t *retention.Table, c columnRow) retention.Column {
	out := retention.Column{
		Name: c.Name, Decl: c.Decl, Kind: kindOf(c.TypeSchema, c.Type, c.Category), Nullable: !c.Filled,
		Generated: c.Generated != "" || c.Identity == "a", Numbered: c.Identity != "", Unique: alone(t, c.Name), Typed: true,
	}
	out.Unheld = unheld(&out, c.Category)
	out.Loose = out.Kind == retention.KindText && (textType(&out) != "text" || !c.Exact)
	if (c.Type == "varchar" || c.Type == "bpchar") && c.Mod > 4 {
		out.Length = c.Mod - 4
	}
	return out
}

func alone(t *retention.Table, column string) bool {
	return slices.ContainsFunc(t.Indexes, func(ix retention.Index) bool {
		return ix.Unique && !ix.Partial && len(ix.Columns) == 1 && ix.Columns[0] == column
	})
}

// events are a trigger's events; one may have several.
func events(r triggerRow) []retention.Trigger {
	var out []retention.Trigger
	for _, e := range []struct {
		bit  int
		name string
	}{{4, "INSERT"}, {8, "DELETE"}, {16, "UPDATE"}, {32, "TRUNCATE"}} {
		if r.Type&e.bit != 0 {
			out = append(out, retention.Trigger{Name: r.Name, Event: e.name})
		}
	}
	return out
}

const hides = "row-level security hides rows of it from this role: give the role BYPASSRLS, or make it the owner"

// volatile says why a change of the table may not be taken back, or stay.
func volatile(t *retention.Table, r tableRow) string {
	switch {
	case t.Kind == "foreign table":
		return "it is a foreign table: another server keeps its rows, and could keep a change that was rolled back here; name it as a source of its own"
	case t.Kind != "table" && t.Kind != "partitioned":
		return "it is a " + t.Kind + ", not an ordinary table; name the table beneath"
	case r.Strange:
		return "one of its partitions is a foreign, unlogged or temporary table"
	case r.Persistence == "u":
		return "it is unlogged: what happens to it does not survive a crash; ALTER TABLE … SET LOGGED"
	case r.Persistence == "t":
		return "it is temporary"
	case r.Rules:
		return "it has a rule that rewrites what is done to it; use a trigger, or drop the rule"
	}
	return ""
}

// unsafe says why no row of the table can be acted on, though changes last.
func unsafe(t *retention.Table, r tableRow) string {
	switch {
	case r.Partition:
		return "it is a partition; name the table that it is of, so that holds on that reach its rows"
	case r.Inherits:
		return "it inherits, or is inherited from: its key does not name one row alone; use declared partitions"
	case r.Guarded:
		return hides
	case len(t.Key) == 0:
		return "it has no primary key, so its rows cannot be named exactly; declare one"
	}
	return ""
}

// fingerprint is over what a plan depends on. Indexes are not part of it: they
// change speed, not meaning.
func fingerprint(t *retention.Table, r tableRow, cols []columnRow) string {
	r.OID = 0
	stable := slices.Clone(cols)
	for i := range stable {
		stable[i].OID = 0
	}
	b, err := json.Marshal([]any{r, stable, t.Key, t.References, t.Referenced, t.Triggers})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lib/pq"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// verified is a schema that was found equal to the live one, whose catalogue rows
// had that print.
type verified struct {
	schema *retention.Schema
	print  string
}

// printSQL changes with every change of the tables' definitions: each writes a
// row of the catalogue anew.
const printSQL = `WITH t AS (
  SELECT c.oid, c.xmin::text AS x FROM unnest($1::text[], $2::text[]) AS a(s, n) JOIN pg_namespace ns ON ns.nspname = a.s JOIN pg_class c ON c.relnamespace = ns.oid AND c.relname = a.n),
m AS (SELECT oid FROM t UNION SELECT p.relid FROM t, LATERAL pg_partition_tree(t.oid) AS p)
SELECT md5(coalesce(string_agg(k.x, ',' ORDER BY k.x), '')) FROM (
  SELECT 'c' || t.oid || ':' || t.x AS x FROM t
  UNION ALL SELECT 'm' || oid FROM m
  UNION ALL SELECT 'a' || a.attrelid || '.' || a.attnum || ':' || a.xmin FROM pg_attribute a WHERE a.attrelid IN (SELECT oid FROM t) AND a.attnum > 0
  UNION ALL SELECT 'k' || k.oid || ':' || k.xmin FROM pg_constraint k WHERE k.conrelid IN (SELECT oid FROM m) OR k.confrelid IN (SELECT oid FROM m)
  UNION ALL SELECT 't' || g.oid || ':' || g.xmin FROM pg_trigger g WHERE g.tgrelid IN (SELECT oid FROM m)
  UNION ALL SELECT 'r' || w.oid || ':' || w.xmin FROM pg_rewrite w WHERE w.ev_class IN (SELECT oid FROM t)
  UNION ALL SELECT 'i' || i.inhrelid || ':' || i.inhparent FROM pg_inherits i WHERE i.inhparent IN (SELECT oid FROM m) OR i.inhrelid IN (SELECT oid FROM m)
  UNION ALL SELECT 's' || row_security_active(t.oid) FROM t) AS k`

// Unchanged refuses a batch whose tables are no longer those that were planned.
// The tables are looked at again at the batch's end, when its own locks have kept
// them as they are since it touched them.
func (e *engine) Unchanged(ctx context.Context, q sqlwork.Session, planned *retention.Schema) error {
	print, err := e.print(ctx, q, planned)
	if err != nil {
		return err
	}
	if s, ok := q.(*session); ok {
		s.planned, s.print = planned, print
	}
	now := verified{planned, print}
	e.mu.Lock()
	same := planned != nil && e.verified == now
	e.mu.Unlock()
	if same {
		return nil
	}
	if err := sqlwork.SameSchema(ctx, e, q, planned); err != nil {
		return err
	}
	e.mu.Lock()
	e.verified = now
	e.mu.Unlock()
	return nil
}

// stillSame looks again.
func (e *engine) stillSame(ctx context.Context, s *session) error {
	if s.planned == nil {
		return nil
	}
	print, err := e.print(ctx, s, s.planned)
	if err != nil || print == s.print {
		return err
	}
	if err := sqlwork.SameSchema(ctx, e, s, s.planned); err != nil {
		return err
	}
	e.mu.Lock() // a batch that dropped a partition: the next one finds the catalogue so, if this one commits
	e.verified = verified{s.planned, print}
	e.mu.Unlock()
	return nil
}

func (e *engine) print(ctx context.Context, q sqlwork.Session, planned *retention.Schema) (string, error) {
	if planned == nil {
		return "", nil
	}
	var schemas, names pq.StringArray
	for n := range planned.Tables {
		n = at(n, e.schema)
		schemas, names = append(schemas, n.Schema), append(names, n.Name)
	}
	var out string
	if err := q.GetContext(ctx, &out, printSQL, schemas, names); err != nil {
		return "", fmt.Errorf("%s: read the schema again: %w", e.name, err)
	}
	return out, nil
}

// tableList names tables in a statement, each once.
func (e *engine) tableList(tables []retention.TableName) []string {
	var out []string
	for _, n := range tables {
		if name := e.d.Table(at(n, e.schema)).Text; !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.SortFunc(out, strings.Compare)
	return out
}

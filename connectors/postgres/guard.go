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

// verified is a schema that was found equal to the live one, in these relations,
// whose catalogue rows had that print.
type verified struct {
	schema *retention.Schema
	found  *relations
	print  string
}

// relations are the planned tables, by oid, and all partitions of them, themselves
// among them.
type relations struct{ tables, members pq.Int64Array }

// relationsSQL finds them by name.
const relationsSQL = `WITH t AS (
  SELECT c.oid FROM unnest($1::text[], $2::text[]) AS a(s, n) JOIN pg_namespace ns ON ns.nspname = a.s JOIN pg_class c ON c.relnamespace = ns.oid AND c.relname = a.n)
SELECT ARRAY(SELECT oid::bigint FROM t ORDER BY oid), ARRAY(SELECT oid::bigint FROM t UNION SELECT p.relid::bigint FROM t, LATERAL pg_partition_tree(t.oid) AS p ORDER BY 1)`

// printSQL changes with every change of the tables' definitions, each of which
// writes a row of the catalogue anew, and with every change of which partitions
// there are. A foreign key that refers to a table has triggers there. Names are
// told apart: the same relations under other names are not those planned. Each
// part is found by an index of the catalogue.
const printSQL = `SELECT
  ARRAY(SELECT n.nspname || chr(10) || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY($1::oid[])) AS names,
  concat((SELECT string_agg(concat(c.oid, ':', c.xmin, row_security_active(c.oid)), ',' ORDER BY c.oid) FROM pg_class c WHERE c.oid = ANY($1::oid[])),
    ' a ', (SELECT string_agg(concat(a.attrelid, '.', a.attnum, ':', a.xmin), ',' ORDER BY a.attrelid, a.attnum) FROM pg_attribute a WHERE a.attrelid = ANY($1::oid[]) AND a.attnum > 0),
    ' r ', (SELECT string_agg(concat(w.oid, ':', w.xmin), ',' ORDER BY w.oid) FROM pg_rewrite w WHERE w.ev_class = ANY($1::oid[])),
    ' k ', (SELECT string_agg(concat(k.oid, ':', k.xmin), ',' ORDER BY k.oid) FROM pg_constraint k WHERE k.conrelid = ANY($2::oid[])),
    ' t ', (SELECT string_agg(concat(g.oid, ':', g.xmin), ',' ORDER BY g.oid) FROM pg_trigger g WHERE g.tgrelid = ANY($2::oid[])),
    ' i ', (SELECT string_agg(concat(i.inhrelid, ':', i.inhparent), ',' ORDER BY i.inhrelid, i.inhparent) FROM pg_inherits i WHERE i.inhparent = ANY($2::oid[])),
    ' j ', (SELECT string_agg(concat(i.inhrelid, ':', i.inhparent), ',' ORDER BY i.inhrelid, i.inhparent) FROM pg_inherits i WHERE i.inhrelid = ANY($2::oid[]))) AS print`

// Unchanged refuses a batch whose tables are no longer those that were planned.
// The tables are looked at again at the batch's end, when its own locks have kept
// them as they are since it touched them.
func (e *engine) Unchanged(ctx context.Context, q sqlwork.Session, planned *retention.Schema) error {
	now, err := e.compared(ctx, q, planned, e.known(planned))
	if s, ok := q.(*session); ok && err == nil {
		s.looked = now
	}
	return err
}

// stillSame looks again.
func (e *engine) stillSame(ctx context.Context, s *session) error {
	if s.looked.schema == nil {
		return nil
	}
	_, err := e.compared(ctx, s, s.looked.schema, s.looked)
	return err
}

// known is what was found of the schema before.
func (e *engine) known(planned *retention.Schema) verified {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.verified.schema != planned {
		return verified{}
	}
	return e.verified
}

// compared is the schema as it is found now: the print is compared with that of a
// schema that was compared in full, which is done anew where they differ. A batch
// that drops a partition changes the print for those that follow, if it commits.
func (e *engine) compared(ctx context.Context, q sqlwork.Session, planned *retention.Schema, was verified) (now verified, err error) {
	if planned == nil {
		return now, sqlwork.SameSchema(ctx, e, q, planned)
	}
	if was.found != nil {
		print, err := e.print(ctx, q, planned, was.found)
		if err != nil || print != "" && print == was.print {
			return was, err
		}
	}
	now.schema = planned
	if now.found, err = e.find(ctx, q, planned); err != nil {
		return now, err
	}
	if now.print, err = e.print(ctx, q, planned, now.found); err != nil {
		return now, err
	}
	if err := sqlwork.SameSchema(ctx, e, q, planned); err != nil || now.print == "" {
		return now, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.verified = now
	return now, nil
}

// print is that of the relations; empty where they have not the planned names.
func (e *engine) print(ctx context.Context, q sqlwork.Session, planned *retention.Schema, r *relations) (string, error) {
	var names pq.StringArray
	var print string
	if err := q.QueryRowxContext(ctx, printSQL, r.tables, r.members).Scan(&names, &print); err != nil {
		return "", fmt.Errorf("%s: read the schema again: %w", e.name, err)
	}
	var want []string
	for n := range planned.Tables {
		n = at(n, e.schema)
		want = append(want, n.Schema+"\n"+n.Name)
	}
	slices.Sort(want)
	slices.Sort(names)
	if !slices.Equal(slices.Compact(want), slices.Compact([]string(names))) {
		return "", nil
	}
	return print, nil
}

// find finds the planned tables by name.
func (e *engine) find(ctx context.Context, q sqlwork.Session, planned *retention.Schema) (*relations, error) {
	var schemas, names pq.StringArray
	for n := range planned.Tables {
		n = at(n, e.schema)
		schemas, names = append(schemas, n.Schema), append(names, n.Name)
	}
	var r relations
	if err := q.QueryRowxContext(ctx, relationsSQL, schemas, names).Scan(&r.tables, &r.members); err != nil {
		return nil, fmt.Errorf("%s: find the tables again: %w", e.name, err)
	}
	return &r, nil
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

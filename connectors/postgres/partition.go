package postgres

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

var _ sqlwork.Partitioner = (*engine)(nil)

// wholeNot says why no partition of the table is dropped.
func wholeNot(r tableRow) string {
	switch {
	case !r.Owned:
		return "this role does not own it, and only its owner drops partitions"
	case r.Published:
		return "it is published for logical replication, which does not send drops: the rows would stay with its subscribers"
	}
	return ""
}

// partitionsSQL are the partitions that may go as a whole, as far as the catalogue
// knows: ordinary tables of the role's own, with no trigger, rule, view, row-level
// security, publication or foreign key of their own; never the default one, and
// none where it is the last that is not.
const partitionsSQL = `SELECT n.nspname AS schema, c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bounds, y.partnatts AS columns
FROM pg_namespace pn JOIN pg_class p ON p.relnamespace = pn.oid JOIN pg_partitioned_table y ON y.partrelid = p.oid
JOIN pg_inherits i ON i.inhparent = p.oid JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE pn.nspname = $1 AND p.relname = $2 AND y.partstrat = 'r' AND NOT p.relispartition AND c.relispartition AND c.relkind = 'r' AND c.relpersistence = 'p' AND c.oid <> y.partdefid
  AND to_jsonb(i) ->> 'inhdetachpending' IS DISTINCT FROM 'true' AND pg_has_role(c.relowner, 'USAGE') AND NOT c.relrowsecurity
  AND NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgparentid = 0)
  AND NOT EXISTS (SELECT 1 FROM pg_rewrite w WHERE w.ev_class = c.oid) AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.classid = 'pg_rewrite'::regclass)
  AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = c.oid)
  AND NOT EXISTS (SELECT 1 FROM pg_publication_tables x WHERE (x.schemaname, x.tablename) IN ((pn.nspname, p.relname), (n.nspname, c.relname)))
  AND EXISTS (SELECT 1 FROM pg_inherits o WHERE o.inhparent = p.oid AND o.inhrelid NOT IN (c.oid, y.partdefid))
ORDER BY n.nspname, c.relname`

type partitionRow struct {
	Schema  string `db:"schema"`
	Name    string `db:"name"`
	Bounds  string `db:"bounds"`
	Columns int    `db:"columns"`
}

func (r partitionRow) table() retention.TableName {
	return retention.TableName{Schema: r.Schema, Name: r.Name}
}

// Over compares the upper bounds as the database compares the clock's values: what
// lies below a bound lies before the cutoff, if the last value below it does. The
// bounds only save looking into partitions: what they hold is tested row by row.
func (e *engine) Over(ctx context.Context, q sqlwork.Session, t *retention.Table, m retention.MemberTest) ([]retention.Partition, error) {
	c := t.Column(m.Column)
	if c == nil || len(t.RangeKey) == 0 || t.RangeKey[0] != m.Column || t.WholeNot != "" {
		return nil, nil
	}
	rows, err := e.partitions(ctx, q, t)
	if err != nil {
		return nil, err
	}
	var uppers pq.StringArray
	var known []partitionRow
	for _, r := range rows {
		if upper, ok := upperBound(r.Bounds); ok {
			uppers, known = append(uppers, upper), append(known, r)
		}
	}
	columns := len(t.RangeKey)
	under, ok := bound(lastBelow(cast(sqlgen.Raw("u.v"), bindable(c)), c, columns), c, m)
	if !ok || len(known) == 0 {
		return nil, nil
	}
	x := e.d.Query(sqlgen.Format("SELECT u.n FROM unnest(%s::text[]) WITH ORDINALITY AS u(v, n) WHERE %s ORDER BY "+cast(sqlgen.Raw("u.v"), bindable(c)).Text+", u.n", sqlgen.Arg(uppers), under))
	var over []int
	if err := sqlx.SelectContext(ctx, q, &over, x.Text, x.Args...); err != nil {
		return nil, fmt.Errorf("bounds: %w", err)
	}
	out := make([]retention.Partition, len(over))
	for i, n := range over {
		out[i] = retention.Partition{Name: known[n-1].table(), Upper: uppers[n-1]}
	}
	return out, nil
}

func (e *engine) partitions(ctx context.Context, q sqlwork.Session, t *retention.Table) ([]partitionRow, error) {
	n := at(t.Name, e.schema)
	var rows []partitionRow
	err := sqlx.SelectContext(ctx, q, &rows, partitionsSQL, n.Schema, n.Name)
	return rows, err
}

// upperBound is the first column's upper bound, as the catalogue writes it; ok =
// false: there is none, or it is not understood.
func upperBound(bounds string) (string, bool) {
	m := regexp.MustCompile(`(?s)^FOR VALUES FROM \(.*\) TO \((?:'((?:[^']|'')*)'|(-?[0-9]+))[,)]`).FindStringSubmatch(bounds)
	switch {
	case m == nil:
		return "", false
	case m[2] != "":
		return m[2], true
	}
	return strings.ReplaceAll(m[1], "''", "'"), true
}

// lastBelow is the last value that lies below the bound; the bound itself where
// further columns of the key decide.
func lastBelow(upper sqlgen.SQL, c *retention.Column, columns int) sqlgen.SQL {
	switch {
	case columns > 1:
	case c.Kind == retention.KindTimestamp, c.Kind == retention.KindTimestampTZ:
		return sqlgen.Format("(%s - INTERVAL '1 microsecond')", upper)
	case c.Kind == retention.KindDate, c.Kind == retention.KindInteger:
		return sqlgen.Format("(%s - 1)", upper)
	}
	return upper
}

// scanning takes back what a batch of rows wants of the planner: a partition is
// read through.
const scanning = "SELECT set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'on', true), set_config('enable_sort', 'on', true)"

// Freeze locks the partition alone: whoever reads goes on, and so does whoever
// writes to other partitions. It waits for those who have rows of it locked too
// (SELECT … FOR UPDATE): what they say elsewhere of a locked row, before they let it
// go, has to be seen by the test that follows.
func (e *engine) Freeze(ctx context.Context, q sqlwork.Session, t *retention.Table, part retention.TableName) error {
	if _, err := q.ExecContext(ctx, scanning); err != nil {
		return err
	}
	if _, err := q.ExecContext(ctx, "LOCK TABLE ONLY "+e.d.Table(part).Text+" IN EXCLUSIVE MODE"); err != nil {
		return e.kept(part, err)
	}
	return e.stillPart(ctx, q, t, part)
}

// stillPart looks at the catalogue again.
func (e *engine) stillPart(ctx context.Context, q sqlwork.Session, t *retention.Table, part retention.TableName) error {
	rows, err := e.partitions(ctx, q, t)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.table() == part {
			return nil
		}
	}
	return fmt.Errorf("partition %s is no longer one of table %s that may go: %w", part, t.Name, retention.ErrNotWhole)
}

// How long a drop tries to have the table for itself, and how long it lets others
// wait behind it.
const (
	dropPatience = time.Second
	dropPause    = 5 * time.Millisecond
	dropWait     = "200ms"
)

// Drop takes the table for itself without ever waiting in its line: whoever came
// behind would wait too, and whoever writes to the partition meanwhile waits for us,
// with a lock on the table that we would wait for.
func (e *engine) Drop(ctx context.Context, q sqlwork.Session, t *retention.Table, part retention.TableName) error {
	parent, name := e.d.Table(at(t.Name, e.schema)).Text, e.d.Table(part).Text
	if err := e.alone(ctx, q, parent, name); err != nil {
		return err
	}
	if err := e.stillPart(ctx, q, t, part); err != nil {
		return err
	}
	if _, err := q.ExecContext(ctx, "SELECT set_config('lock_timeout', '"+dropWait+"', true)"); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, "DROP TABLE "+name)
	return e.kept(part, err)
}

// alone takes both locks at once, or gives up: at once where somebody waits for the
// partition.
func (e *engine) alone(ctx context.Context, q sqlwork.Session, parent, part string) error {
	const waiting = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND relation = $1::regclass AND NOT granted)"
	for tries := dropPatience / dropPause; ; tries-- {
		if _, err := q.ExecContext(ctx, "SAVEPOINT retentiond_alone"); err != nil {
			return err
		}
		_, err := q.ExecContext(ctx, "LOCK TABLE ONLY "+parent+", ONLY "+part+" IN ACCESS EXCLUSIVE MODE NOWAIT")
		if err == nil || code(err) != "55P03" {
			return err
		}
		if _, err := q.ExecContext(ctx, "ROLLBACK TO SAVEPOINT retentiond_alone"); err != nil {
			return err
		}
		var others bool
		if err := q.GetContext(ctx, &others, waiting, part); err != nil {
			return err
		}
		if others || tries <= 0 {
			return fmt.Errorf("partition %s: %w", part, retention.ErrLocked)
		}
		if err := sqlwork.Pause(ctx, dropPause); err != nil {
			return err
		}
	}
}

// kept explains why a partition stays: it is gone already, something depends on it,
// or the role may not drop it.
func (e *engine) kept(part retention.TableName, err error) error {
	switch code(err) {
	case "42P01", "2BP01", "42501", "42809", "55000":
		return fmt.Errorf("partition %s: %w: %w", part, retention.ErrNotWhole, scrub(err)) // no privilege is no reason to stop
	}
	return err
}

package postgres

import (
	"context"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// wantedSQL are the relations asked for and those whose foreign keys refer to
// them, by oid. A foreign key to a partition refers to the table that it is of.
const wantedSQL = `WITH asked AS (
  SELECT c.oid FROM unnest($1::text[], $2::text[]) AS a(s, n) JOIN pg_namespace ns ON ns.nspname = a.s JOIN pg_class c ON c.relnamespace = ns.oid AND c.relname = a.n
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')),
members AS (SELECT a.oid AS root, coalesce(p.relid, a.oid) AS oid FROM asked a LEFT JOIN LATERAL pg_partition_tree(a.oid) AS p ON true)
SELECT oid FROM asked UNION SELECT k.conrelid FROM pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid IN (SELECT oid FROM members)`

const tablesSQL = `SELECT c.oid, ns.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relpersistence AS persistence, c.relispartition AS partition,
  row_security_active(c.oid) AS guarded, c.relrowsecurity OR c.relforcerowsecurity AS policies,
  EXISTS (SELECT 1 FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.ev_type <> '1') AS rules,
  c.relkind <> 'p' AND NOT c.relispartition AND EXISTS (SELECT 1 FROM pg_inherits i WHERE c.oid IN (i.inhparent, i.inhrelid)) AS inherits,
  c.relkind = 'p' AND EXISTS (SELECT 1 FROM pg_partition_tree(c.oid) AS p JOIN pg_class m ON m.oid = p.relid WHERE m.relkind = 'f' OR m.relpersistence <> 'p') AS strange,
  ARRAY(SELECT coalesce(a.attname, '')::text FROM pg_partitioned_table y CROSS JOIN LATERAL unnest(y.partattrs::int2[]) WITH ORDINALITY AS k(num, n) LEFT JOIN pg_attribute a ON a.attrelid = y.partrelid AND a.attnum = k.num AND k.num > 0
    WHERE y.partrelid = c.oid AND y.partstrat = 'r' ORDER BY k.n) AS ranges,
  pg_has_role(c.relowner, 'USAGE') AS owned, c.relkind = 'p' AND EXISTS (SELECT 1 FROM pg_publication_tables x WHERE (x.schemaname, x.tablename) IN
    (SELECT mn.nspname, m.relname FROM pg_partition_tree(c.oid) AS p JOIN pg_class m ON m.oid = p.relid JOIN pg_namespace mn ON mn.oid = m.relnamespace)) AS published
FROM pg_class c JOIN pg_namespace ns ON ns.oid = c.relnamespace WHERE c.oid = ANY($1::oid[]) ORDER BY ns.nspname, c.relname`

// columnsSQL looks through domains to the type that is stored.
const columnsSQL = `WITH RECURSIVE stored(id, base, mod, filled) AS (
  SELECT t.oid, t.typbasetype, t.typtypmod, t.typnotnull FROM pg_type t WHERE t.typtype = 'd'
  UNION ALL SELECT s.id, t.typbasetype, CASE WHEN s.mod >= 0 THEN s.mod ELSE t.typtypmod END, s.filled OR t.typnotnull FROM stored s JOIN pg_type t ON t.oid = s.base WHERE t.typtype = 'd'),
domains AS (SELECT s.* FROM stored s JOIN pg_type t ON t.oid = s.base WHERE t.typtype <> 'd')
SELECT a.attrelid AS oid, a.attname AS name, a.attnotnull OR coalesce(d.filled, false) AS filled, a.attidentity AS identity, a.attgenerated AS generated,
  tn.nspname AS typeschema, t.typname AS type, t.typcategory AS category, coalesce(nullif(a.atttypmod, -1), d.mod, -1) AS mod,
  CASE WHEN tn.nspname = 'pg_catalog' AND en.nspname IS NULL OR en.nspname = 'pg_catalog' THEN format_type(t.oid, coalesce(nullif(a.atttypmod, -1), d.mod))
    ELSE quote_ident(coalesce(en.nspname, tn.nspname)) || '.' || quote_ident(coalesce(el.typname, t.typname)) || coalesce(substring(format_type(t.oid, coalesce(nullif(a.atttypmod, -1), d.mod)) FROM '(\([^()"]*\))(?:\[\])*$'), '') || CASE WHEN el.oid IS NULL THEN '' ELSE '[]' END END AS decl,
  a.atttypid::text AS typeid, a.attcollation::text AS collation, coalesce((SELECT l.collisdeterministic FROM pg_collation l WHERE l.oid = a.attcollation), true) AS exact, coalesce(pg_get_expr(x.adbin, x.adrelid), '') AS value
FROM pg_attribute a LEFT JOIN domains d ON d.id = a.atttypid JOIN pg_type t ON t.oid = coalesce(d.base, a.atttypid) JOIN pg_namespace tn ON tn.oid = t.typnamespace
LEFT JOIN pg_type el ON el.oid = t.typelem AND t.typcategory = 'A' AND t.typlen = -1 LEFT JOIN pg_namespace en ON en.oid = el.typnamespace
LEFT JOIN pg_attrdef x ON x.adrelid = a.attrelid AND x.adnum = a.attnum
WHERE a.attrelid = ANY($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum`

// indexesSQL are the ordered indexes that serve queries; an expression has no name.
const indexesSQL = `SELECT i.indrelid AS oid, c.relname AS name, i.indisunique AS unique, i.indisprimary AS primary, i.indpred IS NOT NULL AS partial,
  ARRAY(SELECT coalesce(a.attname, '')::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(num, n) LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num AND k.num > 0 WHERE k.n <= i.indnkeyatts ORDER BY k.n) AS columns
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
WHERE i.indrelid = ANY($1::oid[]) AND i.indisvalid AND i.indisready AND m.amname = 'btree' ORDER BY i.indrelid, c.relname`

const foreignSQL = `WITH members AS (SELECT r.oid AS root, coalesce(p.relid, r.oid) AS oid FROM unnest($1::oid[]) AS r(oid) LEFT JOIN LATERAL pg_partition_tree(r.oid) AS p ON true)
SELECT DISTINCT k.oid AS id, k.conname AS name, k.conrelid AS fromoid, coalesce(m.root, k.confrelid) AS tooid, fs.nspname AS fromschema, f.relname AS fromname, ts.nspname AS toschema, t.relname AS toname,
  CASE k.confdeltype WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END AS ondelete,
  ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS c(num, n) JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.num ORDER BY c.n) AS columns,
  ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS c(num, n) JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = c.num ORDER BY c.n) AS tocols
FROM pg_constraint k LEFT JOIN members m ON m.oid = k.confrelid
JOIN pg_class f ON f.oid = k.conrelid JOIN pg_namespace fs ON fs.oid = f.relnamespace
JOIN pg_class t ON t.oid = coalesce(m.root, k.confrelid) JOIN pg_namespace ts ON ts.oid = t.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND (k.conrelid = ANY($1::oid[]) OR m.root IS NOT NULL)
ORDER BY fromschema, fromname, name, id`

// triggersSQL are those that fire, on the table or on any partition of it, constraint
// triggers (which may fire at the commit) among them; not those by which foreign keys
// work.
const triggersSQL = `WITH members AS (SELECT r.oid AS root, coalesce(p.relid, r.oid) AS oid FROM unnest($1::oid[]) AS r(oid) LEFT JOIN LATERAL pg_partition_tree(r.oid) AS p ON true)
SELECT DISTINCT m.root AS oid, t.tgname AS name, t.tgtype::int AS type FROM members m JOIN pg_trigger t ON t.tgrelid = m.oid
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') ORDER BY oid, name, type`

type tableRow struct {
	OID         int64  `db:"oid"`
	Schema      string `db:"schema"`
	Name        string `db:"name"`
	Kind        string `db:"kind"`
	Persistence string `db:"persistence"`
	Partition   bool   `db:"partition"`
	Guarded     bool   `db:"guarded"`
	Policies    bool   `db:"policies"`
	Rules       bool   `db:"rules"`
	Inherits    bool   `db:"inherits"`
	Strange     bool   `db:"strange"`

	// Of how its partitions may go; no part of the fingerprint.
	Ranges    pq.StringArray `db:"ranges" json:"-"`
	Owned     bool           `db:"owned" json:"-"`
	Published bool           `db:"published" json:"-"`
}

type columnRow struct {
	OID        int64  `db:"oid"`
	Name       string `db:"name"`
	Filled     bool   `db:"filled"`
	Identity   string `db:"identity"`
	Generated  string `db:"generated"`
	TypeSchema string `db:"typeschema"`
	Type       string `db:"type"`
	Category   string `db:"category"`
	Mod        int    `db:"mod"`
	Decl       string `db:"decl"`
	TypeID     string `db:"typeid"`
	Collation  string `db:"collation"`
	Exact      bool   `db:"exact" json:"-"` // the collation follows from its name, in the fingerprint
	Value      string `db:"value"`
}

type indexRow struct {
	OID     int64          `db:"oid"`
	Name    string         `db:"name"`
	Unique  bool           `db:"unique"`
	Primary bool           `db:"primary"`
	Partial bool           `db:"partial"`
	Columns pq.StringArray `db:"columns"`
}

type foreignRow struct {
	ID         int64          `db:"id"`
	Name       string         `db:"name"`
	FromOID    int64          `db:"fromoid"`
	ToOID      int64          `db:"tooid"`
	FromSchema string         `db:"fromschema"`
	FromName   string         `db:"fromname"`
	ToSchema   string         `db:"toschema"`
	ToName     string         `db:"toname"`
	OnDelete   string         `db:"ondelete"`
	Columns    pq.StringArray `db:"columns"`
	ToCols     pq.StringArray `db:"tocols"`
}

type triggerRow struct {
	OID  int64  `db:"oid"`
	Name string `db:"name"`
	Type int    `db:"type"`
}

// catalogue is what the database says of the relations wanted.
type catalogue struct {
	tables   []tableRow
	columns  map[int64][]columnRow
	indexes  map[int64][]indexRow
	foreign  []foreignRow
	triggers map[int64][]triggerRow
}

// readCatalogue asks six times, however many tables there are.
func readCatalogue(ctx context.Context, q sqlwork.Session, names []retention.TableName) (*catalogue, error) {
	var schemas, tables pq.StringArray
	for _, n := range names {
		schemas, tables = append(schemas, n.Schema), append(tables, n.Name)
	}
	var oids pq.Int64Array
	if err := sqlx.SelectContext(ctx, q, &oids, wantedSQL, schemas, tables); err != nil {
		return nil, err
	}
	cat := &catalogue{columns: map[int64][]columnRow{}, indexes: map[int64][]indexRow{}, triggers: map[int64][]triggerRow{}}
	var columns []columnRow
	var indexes []indexRow
	var triggers []triggerRow
	for _, ask := range []struct {
		into any
		text string
	}{{&cat.tables, tablesSQL}, {&columns, columnsSQL}, {&indexes, indexesSQL}, {&cat.foreign, foreignSQL}, {&triggers, triggersSQL}} {
		if err := sqlx.SelectContext(ctx, q, ask.into, ask.text, oids); err != nil {
			return nil, err
		}
	}
	for _, c := range columns {
		cat.columns[c.OID] = append(cat.columns[c.OID], c)
	}
	for _, i := range indexes {
		cat.indexes[i.OID] = append(cat.indexes[i.OID], i)
	}
	for _, t := range triggers {
		cat.triggers[t.OID] = append(cat.triggers[t.OID], t)
	}
	return cat, nil
}

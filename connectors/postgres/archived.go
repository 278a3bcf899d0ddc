package postgres

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

var _ sqlwork.Archived = (*engine)(nil)

// WithColumns asks the catalogue of the database, whatever the schema.
func (e *engine) WithColumns(ctx context.Context, q sqlwork.Session, columns, _ []string) (out []retention.TableName, err error) {
	err = sqlx.SelectContext(ctx, q, &out, `SELECT n.nspname AS schema, c.relname AS name
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attname = ANY ($1::name[]) AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND NOT c.relispartition
GROUP BY n.nspname, c.relname, c.oid
HAVING count(*) = cardinality($1::name[]) AND has_schema_privilege(n.nspname, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
ORDER BY 1, 2`, pq.Array(columns))
	if err != nil {
		return nil, fmt.Errorf("%s: look for tables of archived rows: %w", e.name, err)
	}
	return out, nil
}

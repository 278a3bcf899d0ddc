package mysql

import (
	"context"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

var _ sqlwork.Archived = (*engine)(nil)

// WithColumns asks the catalogue of the server, which shows what this user may read: of
// other databases there, which may be other people's, those alone that are named.
func (e *engine) WithColumns(ctx context.Context, q sqlwork.Session, columns, schemas []string) (out []retention.TableName, err error) {
	text, args, err := sqlx.In("SELECT TABLE_SCHEMA AS `schema`, TABLE_NAME AS name FROM information_schema.COLUMNS "+
		"WHERE TABLE_SCHEMA IN (?) AND COLUMN_NAME IN (?) AND PRIVILEGES LIKE '%select%' GROUP BY 1, 2 HAVING count(*) = ? ORDER BY 1, 2", append(slices.Clone(schemas), e.database), columns, len(columns))
	if err != nil {
		return nil, err
	}
	if err := sqlx.SelectContext(ctx, q, &out, text, args...); err != nil {
		return nil, fmt.Errorf("%s: look for tables of archived rows: %w", e.name, err)
	}
	return out, nil
}

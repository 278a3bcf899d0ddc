package sqlite

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

var _ sqlwork.Archived = (*engine)(nil)

// WithColumns asks the catalogue of the file.
func (s *engine) WithColumns(ctx context.Context, q sqlwork.Session, columns, _ []string) ([]retention.TableName, error) {
	text, args, err := sqlx.In(`SELECT name FROM pragma_table_list AS t WHERE schema = 'main' AND type = 'table'
  AND (SELECT count(*) FROM pragma_table_info(t.name) WHERE name IN (?)) = ? ORDER BY name`, columns, len(columns))
	if err != nil {
		return nil, err
	}
	var names []string
	if err := sqlx.SelectContext(ctx, q, &names, text, args...); err != nil {
		return nil, s.down(fmt.Errorf("sqlite %s: look for tables of archived rows: %w", s.path, err))
	}
	out := make([]retention.TableName, len(names))
	for i, n := range names {
		out[i].Name = n
	}
	return out, nil
}

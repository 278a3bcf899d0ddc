package sqlwork

import (
	"context"

	"github.com/retentiond/retentiond/retention"
)

// Archived is an [Engine] whose catalogue can be asked for columns.
type Archived interface {
	// WithColumns are the tables that have all the columns, and that this user may read;
	// where others have places of their own beside this database, in these schemas too.
	WithColumns(ctx context.Context, q Session, columns, schemas []string) ([]retention.TableName, error)
}

var _ retention.Archived = (*Source)(nil)

// ArchiveTables asks the catalogue; an engine that has none keeps no tables.
func (s *Source) ArchiveTables(ctx context.Context, schemas []string) (out []retention.TableName, err error) {
	e, ok := s.e.(Archived)
	if !ok {
		return nil, nil
	}
	err = s.e.Look(ctx, func(q Session) error {
		out, err = e.WithColumns(ctx, q, added(), schemas)
		return err
	})
	return out, err
}

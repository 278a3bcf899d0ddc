package sqlwork

import (
	"context"
	"database/sql"
	"strconv"

	"github.com/retentiond/retentiond/connectors/sqlgen"
)

// Planner is an engine whose DELETE answers with its rows, and is told no index.
type Planner interface {
	// Walks is whether the statement walks along the index, and looks nothing up anew
	// for each row.
	Walks(ctx context.Context, q Session, x sqlgen.Query, index string) (bool, error)
}

// foresee asks how the range will go, before it is the batch's turn: nothing is locked
// by that, and the batch before is still at work.
func (w *work) foresee(ctx context.Context) error {
	if d := w.e.Dialect(); w.b.Range == nil || !d.Returning || !d.Streams {
		return nil
	}
	ok, err := w.seals()
	if err == nil && ok {
		ok, err = w.selfContained()
	}
	if err == nil && ok {
		ok, err = w.sealsAlone(true)
	}
	if err != nil || !ok {
		return err
	}
	x, ok, err := w.streaming(ctx)
	if ok {
		w.streams = &x
	}
	return err
}

// streaming is a removal of the range's due rows that answers while it goes; ok = false:
// the engine would do it in another way than along an index.
func (w *work) streaming(ctx context.Context) (x sqlgen.Query, ok bool, err error) {
	p, is := w.e.(Planner)
	if !is {
		return x, false, nil
	}
	least, greatest, dense, err := w.span(ctx)
	if err != nil {
		return x, false, err
	}
	if dense {
		x, err = w.render(func(g *sqlgen.Gen) (sqlgen.Query, error) {
			g.Between(least, greatest)
			return g.TakeRange(*w.b.Range, w.keepers(0))
		})
		if err == nil {
			ok, err = p.Walks(ctx, w.q, x, w.e.Dialect().Clustered)
		}
		if err != nil || ok {
			return x, ok, err
		}
	}
	var index string
	x, err = w.render(func(g *sqlgen.Gen) (sqlgen.Query, error) {
		index = g.Along()
		return g.TakeRange(*w.b.Range, w.keepers(0))
	})
	if err == nil {
		ok, err = p.Walks(ctx, w.q, x, index)
	}
	return x, ok, err
}

// span is the least and the greatest key of the range, and whether next to no other rows
// lie between them: then rows are walked as they lie, and none is looked up. A row that
// comes into the range beyond them was not planned, and stays.
func (w *work) span(ctx context.Context) (least, greatest int64, dense bool, err error) {
	g, err := w.gen()
	if err != nil {
		return 0, 0, false, err
	}
	x, ok, err := g.Span(*w.b.Range)
	if err != nil || !ok {
		return 0, 0, false, err
	}
	var low, high sql.NullString
	var n int64
	if err := w.q.QueryRowxContext(ctx, x.Text, x.Args...).Scan(&low, &high, &n); err != nil {
		return 0, 0, false, err
	}
	least, tooLow := strconv.ParseInt(low.String, 10, 64)
	greatest, tooHigh := strconv.ParseInt(high.String, 10, 64)
	between := greatest - least // less than nothing, where that is more than 64 bits take
	return least, greatest, tooLow == nil && tooHigh == nil && between >= 0 && between < n+n/4, nil
}

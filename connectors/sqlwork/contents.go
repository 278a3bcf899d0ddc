package sqlwork

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// Holder is an engine whose rows stand for what has a content, which goes with them
// into a sealed vault.
type Holder interface {
	// Contents readies the contents of the due rows of a batch. More than one batch
	// takes is [retention.ErrTooWide].
	Contents(ctx context.Context, q Session, b *retention.Batch, due []retention.Key) (Contents, error)
}

// Contents are those of a batch's rows.
type Contents interface {
	// Columns are what a row has beside those of its table.
	Columns() []retention.Column
	// Open gives the contents of a row, each with the values of those columns. Where one
	// no longer is what was tested, or changes before its end, that is the error of
	// asking for it, or of reading.
	Open(ctx context.Context, k retention.Key) retention.NextContent
	// Spare counts a row of which a content could not be read. An error: the batch must
	// not go on.
	Spare(err error, left *retention.Spared) error
}

// held gives the due rows to a vault, with their contents. Those whose content is not
// the tested one are spared, and due no longer.
func (w *work) held(ctx context.Context, h Holder, to retention.RowWriter) error {
	fw, ok := to.(retention.FileWriter)
	if !ok {
		return fmt.Errorf("batch %s: its vault takes no files", w.b.Intent)
	}
	c, err := h.Contents(ctx, w.q, w.b, w.due)
	if err != nil {
		return err
	}
	sel := &w.b.Selection
	t := *sel.Table
	t.Columns = append(t.Columns[:len(t.Columns):len(t.Columns)], c.Columns()...)
	if err := fw.Table(retention.SealTable{Table: &t, Files: true, Subjects: sel.Reach.Subjects, Minimums: w.keepers(0)}); err != nil {
		return err
	}
	if err := w.listed(); err != nil {
		return err
	}
	x, err := w.render(func(g *sqlgen.Gen) (sqlgen.Query, error) { return g.Contents(w.list, w.keepers(0)) })
	if err != nil {
		return err
	}
	done, left, err := w.heldRows(ctx, c, fw, x)
	if err != nil {
		return err
	}
	if err := exactly(sel.Table.Name, "read", int64(len(done))+left.Sum(), int64(len(w.due))); err != nil {
		return err
	}
	w.out.Spared.Add(left)
	return w.only(done)
}

func (w *work) heldRows(ctx context.Context, c Contents, to retention.FileWriter, x sqlgen.Query) (done []retention.Key, left retention.Spared, err error) {
	t := w.b.Selection.Table
	rows, err := w.q.QueryxContext(ctx, x.Text, x.Args...)
	if err != nil {
		return nil, left, fmt.Errorf("read rows of table %s: %w", t.Name, err)
	}
	defer rows.Close()
	for rows.Next() {
		vals, err := rows.SliceScan()
		if err != nil {
			return nil, left, err
		}
		for i := range t.Columns {
			vals[i] = w.exact(&t.Columns[i], vals[i])
		}
		n, key := len(t.Columns), keyOf(t, vals)
		lost, err := heldRow(ctx, c, to, key, vals[:n], number(vals[n]), minimums(vals[n+1:]))
		switch {
		case err != nil:
			return nil, left, err
		case lost != nil:
			if err := c.Spare(lost, &left); err != nil {
				return nil, left, err
			}
		default:
			done = append(done, key)
		}
	}
	return done, left, rows.Err()
}

// heldRow gives one row with its contents; lost is why one could not be read.
func heldRow(ctx context.Context, c Contents, to retention.FileWriter, key retention.Key, vals []any, clock int64, minimums []*int64) (lost, err error) {
	next := c.Open(ctx, key)
	err = to.File(ctx, clock, minimums, func() ([]any, io.ReadCloser, error) {
		more, r, err := next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				lost = err
			}
			return nil, nil, err
		}
		if r != nil {
			r = &watched{r, &lost}
		}
		return append(vals[:len(vals):len(vals)], more...), r, nil
	})
	switch {
	case err == nil:
		return nil, nil
	case lost != nil && errors.Is(err, lost):
		return lost, ctx.Err()
	}
	return nil, err
}

// watched remembers what went wrong with reading, which is no fault of the vault's.
type watched struct {
	io.ReadCloser
	lost *error
}

// Read reads on.
func (x *watched) Read(p []byte) (int, error) {
	n, err := x.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		*x.lost = err
	}
	return n, err
}

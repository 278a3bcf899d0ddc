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
	// Open returns the values of those columns, and the content. Where it no longer is
	// the one that was tested, or changes before its end, that is the error of Open, or
	// of reading.
	Open(ctx context.Context, k retention.Key) ([]any, io.ReadCloser, error)
	// Spare counts a row whose content could not be read.
	Spare(err error, left *retention.Spared)
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
	w.due = done
	w.list, err = keyList(sel.Table, done)
	return err
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
			c.Spare(lost, &left)
		default:
			done = append(done, key)
		}
	}
	return done, left, rows.Err()
}

// heldRow gives one row with its content; lost is why that could not be read.
func heldRow(ctx context.Context, c Contents, to retention.FileWriter, key retention.Key, vals []any, clock int64, minimums []*int64) (lost, err error) {
	more, r, err := c.Open(ctx, key)
	if err != nil {
		return err, ctx.Err()
	}
	seen := &watched{r: r}
	err = to.File(ctx, append(vals[:len(vals):len(vals)], more...), clock, minimums, seen)
	if e := r.Close(); err == nil {
		err = e
	}
	if seen.err != nil && errors.Is(err, seen.err) {
		return seen.err, ctx.Err()
	}
	return nil, err
}

// watched remembers what went wrong with reading, which is no fault of the vault's.
type watched struct {
	r   io.Reader
	err error
}

// Read reads on.
func (x *watched) Read(p []byte) (int, error) {
	n, err := x.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		x.err = err
	}
	return n, err
}

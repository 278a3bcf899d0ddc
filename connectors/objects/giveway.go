package objects

import (
	"context"
	"io"
)

// giving reads, or writes, on until a hold waits: then it fails with the cause of its
// context.
type giving struct {
	ctx context.Context //nolint:containedctx // a reader has no other way to hear of it
	r   io.Reader
	w   io.Writer
}

// Read reads on.
func (g giving) Read(p []byte) (int, error) {
	if err := context.Cause(g.ctx); err != nil {
		return 0, err
	}
	return g.r.Read(p)
}

// Write writes on.
func (g giving) Write(p []byte) (int, error) {
	if err := context.Cause(g.ctx); err != nil {
		return 0, err
	}
	return g.w.Write(p)
}

// yielding is a form whose writing ends where a hold waits.
type yielding struct {
	Form
	ctx context.Context //nolint:containedctx // as of giving
}

// Write writes what becomes of src.
func (y yielding) Write(dst io.Writer, src io.Reader) (Rewritten, error) {
	return y.Form.Write(giving{ctx: y.ctx, w: dst}, giving{ctx: y.ctx, r: src})
}

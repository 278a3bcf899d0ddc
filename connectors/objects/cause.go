package objects

import (
	"errors"
	"syscall"

	"github.com/retentiond/retentiond/retention"
)

// causes count why objects could not be acted on, in the system's words: no name of one
// is among them.
type causes struct {
	order []string
	n     map[string]int64
}

func (c *causes) add(err error) {
	why := cause(err)
	if c.n == nil {
		c.n = map[string]int64{}
	}
	if c.n[why] == 0 {
		c.order = append(c.order, why)
	}
	c.n[why]++
}

// tell tells the batch, and whoever reads its report.
func (c *causes) tell(b *retention.Batch, what string) {
	for _, why := range c.order {
		b.Tell(c.n[why], what+": "+why)
	}
}

// Why is what a store said, in words that name no object.
type Why struct {
	Text string
	Err  error
}

// Error is what it said.
func (w *Why) Error() string { return w.Text }

// Unwrap is what it stands for.
func (w *Why) Unwrap() error { return w.Err }

// cause is what the system said, and what it may mean.
func cause(err error) string {
	for _, known := range []error{ErrUnread, ErrUnlike, ErrNoSwap} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	if w, ok := errors.AsType[*Why](err); ok {
		return w.Text
	}
	var e syscall.Errno
	if !errors.As(err, &e) {
		return "the store did not say why"
	}
	switch e {
	case syscall.EPERM:
		return e.Error() + ": the file or its folder has the immutable or append-only attribute (lsattr), or the folder is sticky and another user owns the file"
	case syscall.EACCES:
		return e.Error() + ": this user may not write into their folder"
	case syscall.EROFS:
		return e.Error() + ": it is mounted without the right to write"
	}
	return e.Error()
}

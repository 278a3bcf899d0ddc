package objects

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// Object is a file, or an object, as it was looked at.
type Object struct {
	Path  string
	Size  int64  // bytes
	Nanos int64  // when its content last changed, since 1970
	Far   int64  // where nanoseconds cannot say it: seconds since 1970, and Nanos is the rest
	ID    string // tells it from another of the same name
	More  int    // other names that its content has
	// Sizes are the bytes of each of its contents, the newest first, as decimal numbers
	// with blanks between them; empty: it has one, and Size is its.
	Sizes string
	// Turned is when anything about it last changed, in nanoseconds since 1970, where
	// that cannot be set by anybody; 0: not told.
	Turned int64
	// Content is what was archived of it: a removal compares what is there. nil: it was
	// not archived, and may go whatever its content is.
	Content *Content
}

// Same is whether nothing happened to it in between.
func (o Object) Same(p Object) bool {
	return o.ID == p.ID && o.Size == p.Size && o.Nanos == p.Nanos && o.Far == p.Far
}

// bytes are those of all its contents.
func (o Object) bytes() (all int64) {
	if o.Sizes == "" {
		return o.Size
	}
	for text := range strings.FieldsSeq(o.Sizes) {
		n, _ := strconv.ParseInt(text, 10, 64) // as the tree wrote it
		all += n
	}
	return all
}

// Tree is a place with objects. Its methods never leave it, and follow no link.
type Tree interface {
	// Name is the tree in errors, without secrets.
	Name() string
	// Identity is the same for two names of one tree.
	Identity() string
	// Walk calls f with each object that some pattern matches, those of one folder
	// after the other, and the numbers of the patterns. What cannot be read is an
	// error: nothing is left out in silence.
	Walk(ctx context.Context, p Patterns, f func(o Object, matches []int) error) (Odd, error)
	// Look calls f with each of the paths, in their order, where something is now. What
	// is there and no object, or behind a link, has no ID.
	Look(ctx context.Context, paths []string, f func(i int, o Object)) error
	// Remove removes the objects, each only if it still is what was looked at, and
	// says of each, one at a time and in any order, how it ended: nil, [ErrGone],
	// [ErrChanged] or another error. On return what went is gone for good, a power cut
	// included; an error says that this is not known.
	Remove(ctx context.Context, of []Object, ended func(i int, err error)) error
	// Advise says what a person should change for the tree to be acted on.
	Advise(ctx context.Context) ([]retention.Advice, error)
	// Residuals are the copies that outlive what was removed.
	Residuals() []retention.Residual
	Close() error
}

// How an object ended that was not removed.
var (
	ErrGone    = errors.New("it is no longer there")
	ErrChanged = errors.New("it is no longer what it was")
)

// Odd counts what patterns match and no action ever touches.
type Odd struct {
	Links   int64 // symbolic links
	Special int64 // sockets, pipes, devices
	Mounts  int64 // folders and files of other file systems, or mounted there
	Beside  int64 // files that a removal was cut short at, and whose name another file has
}

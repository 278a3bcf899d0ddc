package objects

import (
	"context"
	"errors"
)

// Why a file is not written anew.
var (
	ErrUnread = errors.New("they are no text, nor text under gzip or zstd")
	ErrUnlike = errors.New("this user may not give what is written anew their owner and attributes: run as root, or as the owner")
	ErrNoSwap = errors.New("their file system cannot put one file in another's place at once")
)

// Rewriter is a tree whose files can be written anew.
type Rewriter interface {
	// Rewrite gives files another form, each only if it still is what was looked at and
	// nobody has it open for writing, as far as the system tells. What becomes of it is
	// written beside it, under a name of its own by the tag and its place, durably and
	// with its owner, permissions, attributes and times; soon is told what that is, and then
	// it takes the file's place at once. A file that changes meanwhile has its place
	// back: [ErrChanged]. now is the file that is there in the end; where there was
	// nothing to change, the same as before. An error of Rewrite itself says that it is
	// not known what is durable.
	Rewrite(ctx context.Context, tag string, of []Object, form Form, soon func(i int, next Object) error, ended func(i int, now Object, r Rewritten, err error)) error
	// Undo takes away what a rewriting of that tag left beside the files, and gives
	// them their place back where it was not completed. next is what soon said of each,
	// or nothing. The files that have their new form say so.
	Undo(ctx context.Context, tag string, of, next []Object) (done []bool, err error)
}

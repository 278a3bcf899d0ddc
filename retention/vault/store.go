package vault

import (
	"context"
	"io"
	"time"
)

// store is where files, or objects, of a vault are. Names have no slash.
type store interface {
	// put writes a new file; one of that name is an error, and never overwritten.
	put(ctx context.Context, name string, content []byte) error
	// sync makes durable what was put.
	sync(ctx context.Context) error
	// get opens a file, as it is on the disk or in the bucket; fs.ErrNotExist.
	get(ctx context.Context, name string) (io.ReadCloser, error)
	// list returns all names, in order; those of files that were never finished too.
	list(ctx context.Context) ([]string, error)
	// remove removes a file; a missing one is no error. Durable on return.
	remove(ctx context.Context, name string) error
	// place says where it is, for errors, without secrets.
	place() string
}

// keeper is a store whose place may keep a file whatever its owner asks: a bucket,
// no disk.
type keeper interface {
	// keep asks for it until then, and does nothing where the place keeps nothing.
	keep(ctx context.Context, name string, until time.Time) error
}

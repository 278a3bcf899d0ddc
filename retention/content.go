package retention

import (
	"context"
	"fmt"
	"io"
)

// Files go into sealed vaults with their content, as rows of the listing with columns
// of their own.

// Columns that a sealed file has beside those of its listing. A content is as many rows
// as it has parts, one after the other; an empty one is one row.
const (
	SealedMode    = "mode"    // permissions, as octal digits
	SealedMtime   = "mtime"   // when its content last changed: seconds since 1970, with nanoseconds
	SealedPart    = "part"    // number of the part, from 0
	SealedSHA256  = "sha256"  // of the whole content, in hex: only the last part has it
	SealedContent = "content" // of the part
)

// Columns that a sealed object has instead of permissions. Each of its versions is a
// content, the newest first; a delete marker is a row without one.
const (
	SealedVersion = "version" // identifier; NULL: its bucket never had versions
	SealedOlder   = "older"   // how many contents of the object are newer; NULL: a delete marker
	SealedBytes   = "bytes"   // of the content
	SealedETag    = "etag"
	SealedHeaders = "headers" // what the object carried, as a JSON object: its type, metadata and the like
	SealedTags    = "tags"    // as a JSON object; NULL: none, or they may not be read
)

// MaxContent is how many bytes of content one batch takes, and one segment has: a
// file with more goes by itself, in several segments.
const MaxContent = 8 << 20

// NextContent gives the contents of a file, or of an object, one after the other, each
// with the values of its row, and [io.EOF] after the last. Without r there is nothing to
// read. Whoever asks closes r.
type NextContent func() (values []any, r io.ReadCloser, err error)

// FileWriter is a [RowWriter] that takes files.
type FileWriter interface {
	RowWriter
	// File takes a file as Row takes a row: the values of each content without the
	// columns that its parts have, and the content to its end. Where one of them cannot
	// be had, nothing of the file is taken.
	File(ctx context.Context, clock int64, minimums []*int64, next NextContent) error
}

// TooWideError is [ErrTooWide], and says how many of the rows may go at once.
type TooWideError struct {
	What string
	Fits int // of the keys that the batch named, the first ones; at least 1
}

// Error says what is too much.
func (e *TooWideError) Error() string { return fmt.Sprintf("%s: %v", e.What, ErrTooWide) }

// Is makes it [ErrTooWide].
func (e *TooWideError) Is(target error) bool { return target == ErrTooWide }

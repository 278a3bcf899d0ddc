package retention

import (
	"context"
	"fmt"
	"io"
)

// Files go into sealed vaults with their content, as rows of the listing with columns
// of their own.

// Columns that a sealed file has beside those of its listing. A file is as many rows
// as it has parts, one after the other; an empty one is one row.
const (
	SealedMode    = "mode"    // permissions, as octal digits
	SealedMtime   = "mtime"   // when its content last changed: seconds since 1970, with nanoseconds
	SealedPart    = "part"    // number of the part, from 0
	SealedSHA256  = "sha256"  // of the whole content, in hex: only the last part has it
	SealedContent = "content" // of the part
)

// MaxContent is how many bytes of content one batch takes, and one segment has: a
// file with more goes by itself, in several segments.
const MaxContent = 8 << 20

// FileWriter is a [RowWriter] that takes files.
type FileWriter interface {
	RowWriter
	// File takes a file as Row takes a row, without the columns that its parts have,
	// and its content up to the end of r. Where r fails nothing of the file is taken.
	File(ctx context.Context, values []any, clock int64, minimums []*int64, r io.Reader) error
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

package retention

import (
	"context"
	"time"
)

// Files say which files, or objects, of a source a dataset is of. They are listed
// as rows: the dataset's table is the pattern.
type Files struct {
	Pattern string       // of paths below the root: *, ? and [a-z] in a name, ** for any folders
	Columns []FileColumn // beside those that every file has
}

// Columns that every listed file has. Modified is in seconds since 1970, rounded up.
const (
	FilePath     = "path" // from the root; the key
	FileName     = "name"
	FileStem     = "stem" // the name without its last extension
	FileSize     = "size"
	FileModified = "modified"
	FileContent  = "content" // redact: what its lines say
)

// FileColumn is a column that rules and subjects ask for: a part of the name, or
// what a related row of a database says.
type FileColumn struct {
	Name  string // in the listing
	Match string // regular expression with one named group, of the name; of the path where it has a /
	Clock bool   // it is read as a time
	Row   *FileRow
}

// FileRow is a row of a database that tells something of a file.
type FileRow struct {
	Source string
	Table  TableName
	On     Pair // its column = the file's path, name or stem
	Column string
	As     ClockType // of a clock: how the column is read; empty: what it says
	Zone   *time.Location
	Days   *time.Location // zone of civil dates
}

// Lister is a source whose tables are listings of files: it has to know what
// datasets ask for before it is described.
type Lister interface {
	// Declare replaces what was declared. rows opens the source of related rows.
	Declare(sets []Files, rows func(ctx context.Context, source string) (RowReader, error)) error
}

// RowReader is a source that tells what its rows say of files. Its sessions are
// held read-only by the database.
type RowReader interface {
	// Related calls f with what each row says whose column is one of the values,
	// nil: each row at all. A clock is in microseconds since 1970, [math.MaxInt64]
	// where it cannot be read, and nil where it is NULL; other values are texts.
	Related(ctx context.Context, r FileRow, clock bool, among []string, f func(by string, value any) error) error
}

// FileChild names the files that a row owns: they go once the row is gone for good.
type FileChild struct {
	Source string
	// Path is the files' path from the source's root, with {column} where the row's
	// value stands; a value that leads out of that place names no file.
	Path string
	Pos  Pos
}

package retention

import (
	"context"
	"fmt"
	"slices"
	"strings"
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
	// FileLocked, of stores that keep objects themselves: until when; NULL: not.
	FileLocked = "locked"
)

// FileColumn is a column that rules and subjects ask for: a part of the name, what
// a related row of a database says, or what an object carries.
type FileColumn struct {
	Name  string // in the listing
	Match string // regular expression with one named group, of the name; of the path where it has a /
	Clock bool   // it is read as a time
	Row   *FileRow
	// Metadata and Tag are keys of what objects carry; without upper and lower case
	// for metadata, and with it for tags.
	Metadata, Tag string
	Locked        bool // it is [FileLocked]
	// Content is a form of the content: 1, where the file is known to have it.
	Content string
}

// ContentForm names the form that a change gives a file's content, and its column.
func ContentForm(c Change) string {
	return fmt.Sprintf("%s as %s [%d, %d]", FileContent, c.Func, c.Bits[0], c.Bits[1])
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
	// Exact: what it says is compared elsewhere, byte by byte. Columns in which one
	// person, or one file, has several spellings are refused (L3).
	Exact bool
	// Roundabout: of all rows, only those whose value may be a path in a roundabout
	// spelling (a//b, a/./b, a/../b, a/, a\b); others may come too. A / or ./ before a path is none.
	Roundabout bool
}

// Unsure is what a row says whose value has no single spelling: whom the file is
// about is not known, and nothing acts on it (L1, L3).
const Unsure = "\x01"

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
	// where it cannot be read, and nil where it is NULL; other values are texts, and
	// of an exact row the one spelling that each has, or [Unsure].
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

// Owner is a dataset whose rows have files, where the rows go: by a rule of its own, as
// child rows of another dataset's, or by a rule of another dataset on their table.
type Owner struct {
	Policy  *Policy
	Dataset *Dataset
	Table   TableName
	Child   int      // place in Act.Children; -1: the rows themselves
	Columns []string // that name files, and tell whom the row is about
	// Reach are all the ways by which holds find its rows, while they are there; Datasets
	// (policy/dataset) are those of every table on the ways.
	Reach    *Reach
	Datasets []string
}

// OwnerRow is a row that is about to go.
type OwnerRow struct {
	Values []*string           // of [Owner.Columns], as texts; nil: NULL
	About  map[string][]string // identifiers by type that other columns and other rows tell
}

// Names is whether the column is one of the dataset's own for that type of subject.
func (o Owner) Names(typ, column string) bool {
	return slices.ContainsFunc(o.Dataset.Subjects, func(s Subject) bool { return s.Type == typ && slices.Contains(s.Columns, column) })
}

// Columns are those of the row that the path names.
func (f FileChild) Columns() []string {
	var out []string
	rest := f.Path
	for {
		_, after, ok := strings.Cut(rest, "{")
		if !ok {
			return out
		}
		name, after, _ := strings.Cut(after, "}")
		out, rest = append(out, name), after
	}
}

// Of is the path for a row's values, by column; ok is false where one of them is
// missing or empty, or would lead to another place.
func (f FileChild) Of(value map[string]*string) (path string, ok bool) {
	path = f.Path
	for _, c := range f.Columns() {
		v := value[c]
		if v == nil || *v == "" {
			return "", false
		}
		for part := range strings.SplitSeq(*v, "/") {
			if part == "" || part == "." || part == ".." || strings.ContainsRune(part, 0) {
				return "", false
			}
		}
		path = strings.Replace(path, "{"+c+"}", strings.ReplaceAll(*v, "{", "{\x00"), 1)
	}
	return strings.ReplaceAll(path, "{\x00", "{"), true
}

// Astray is whether a value would lead out of the place that the path leaves for it: it
// is absolute, or has an empty part, "." or "..". NULL and the empty text name no file,
// and are not astray.
func (f FileChild) Astray(value map[string]*string) bool {
	for _, c := range f.Columns() {
		if v := value[c]; v == nil || *v == "" {
			return false
		}
	}
	_, ok := f.Of(value)
	return !ok
}

// Values are those of a row, by column.
func (o Owner) Values(row []*string) map[string]*string {
	value := map[string]*string{}
	for i, n := range o.Columns {
		value[n] = row[i]
	}
	return value
}

// Astray is the first of the paths that one of the row's values leads out of; none: "".
func (o Owner) Astray(row []*string) string {
	value := o.Values(row)
	for _, c := range o.Dataset.FileChildren {
		if c.Astray(value) {
			return c.Path
		}
	}
	return ""
}

// OwnedFiles are the files of some rows that are about to go, by row.
type OwnedFiles struct {
	Intent       string // of the batch that takes the rows
	Part         int    // from 0, of several of one intent
	Policy, Rule string
	Dataset      string // policy/dataset
	Stage        int
	Table        string  // what they are called in the audit log: [FileChild.Path]
	From         FileRow // where the rows were: a row that still names a file keeps it
	// Datasets (policy/dataset) and Tables are those through which holds found the rows.
	Datasets []string `json:",omitempty"`
	Tables   []string `json:",omitempty"`
	Files    []OwnedFile
}

// OwnedFile is a file of one row, what names it there, and whom the row was about: once it is gone,
// nothing else tells that a hold is about the file.
type OwnedFile struct {
	Path  []byte
	Named string
	About map[string][]string // identifiers by type
	// Was tells the file that was there when its row went from another that comes to
	// have its name; the source's own, "": it could not be looked at.
	Was string `json:",omitempty"`
}

// FilesWaiting counts files whose rows are gone, of one kind and rule, by what they
// wait for.
type FilesWaiting struct {
	Policy, Rule, Dataset, Table string
	Stage                        int
	Held                         int64 // by a hold
	Changed                      int64 // another file has the name: it is not touched
	Odd                          int64 // no plain file, or behind a link
	Ready                        int64 // for the next run, unless another row names them
}

// Folding is a [FileOwner] whose names may have several spellings.
type Folding interface {
	// Folds is whether the place of some of the files takes names of other case, or of
	// another form of Unicode, for the same.
	Folds(ctx context.Context, files []OwnedFile) (bool, error)
}

// Linked is a [FileOwner] in whose place links may lead from one name to a file of
// another.
type Linked interface {
	// Links is whether there may be any.
	Links() bool
	// Linked calls f with where a link leads, from the root, for each of the names that
	// lies behind one.
	Linked(ctx context.Context, names []string, f func(real string)) error
}

// FileOwner is a source with files that rows own. What it is told is private to it,
// and durable on return.
type FileOwner interface {
	// Note writes down files that go once the rows of the intent are gone, beside its
	// other parts, and what they are: only these go. Those that are not there are not noted.
	Note(ctx context.Context, f OwnedFiles) error
	// Confirm says how the intent ended; where rows stayed, their files do too. An
	// intent that noted none is no error.
	Confirm(ctx context.Context, intent string, gone bool) error
	// Noted are the files whose rows are gone and that are there still; what is gone
	// is forgotten.
	Noted(ctx context.Context) ([]OwnedFiles, error)
	// Waiting counts them, and changes nothing. holds is asked where there are some.
	Waiting(ctx context.Context, holds func(ctx context.Context) (*HoldSet, error)) ([]FilesWaiting, error)
	// Outside removes such files, but those that are held or are no longer what they
	// were when their row went, as a batch of that intent does it. named is asked while
	// the gate is kept, of those that would go: which of them a row names by now.
	Outside(intent string, f OwnedFiles, named func(ctx context.Context, f OwnedFiles) (map[string]bool, error)) *Outside
}

// Remote is a source whose batches are a few requests each, however many rows they
// have, and lock nothing that an application waits for.
type Remote interface {
	// Batches are how long one may take, and how many rows it may have; 0: as those of
	// a database.
	Batches() (took time.Duration, rows int)
}

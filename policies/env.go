package policies

import (
	"maps"
	"slices"
)

// SourceKind tells sources of rows from sources of files.
type SourceKind string

// Source kinds.
const (
	SourceSQL   SourceKind = "sql"
	SourceFiles SourceKind = "files"
)

// Env is what the daemon's configuration knows: names that policies may use.
// With nil Sources no name is checked, of vaults neither, as in an editor.
type Env struct {
	Sources map[string]SourceKind
	Vaults  []string
}

// checked reports whether names are checked at all.
func (e Env) checked() bool { return e.Sources != nil }

// sourceNames returns the names of the sources, sorted.
func (e Env) sourceNames() []string { return slices.Sorted(maps.Keys(e.Sources)) }

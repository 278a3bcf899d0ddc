package objects

import (
	"path"
	"slices"
	"strings"
)

// Patterns are what datasets ask for: *, ? and [a-z] within a name, ** for any
// folders.
type Patterns [][]string // names of each

// ParsePatterns takes patterns apart; their form was checked when the policy was
// read.
func ParsePatterns(list []string) Patterns {
	out := make(Patterns, len(list))
	for i, p := range list {
		out[i] = strings.Split(p, "/")
	}
	return out
}

// Folder is what a folder may have.
type Folder struct {
	dir   []string
	p     Patterns
	files []int // patterns whose folders match: their last name decides
}

// In is the folder of that path from the root, which is empty for the root itself.
func (p Patterns) In(dir string) Folder {
	f := Folder{p: p}
	if dir != "" {
		f.dir = strings.Split(dir, "/")
	}
	for i, names := range p {
		if folders(names[:len(names)-1], f.dir, false) {
			f.files = append(f.files, i)
		}
	}
	return f
}

// Matches are the patterns that match a file of the folder. The caller does not change
// them.
func (f Folder) Matches(name string) []int {
	if len(f.files) == 1 && f.matches(f.files[0], name) {
		return f.files
	}
	var out []int
	for _, i := range f.files {
		if len(f.files) > 1 && f.matches(i, name) {
			out = append(out, i)
		}
	}
	return out
}

func (f Folder) matches(i int, name string) bool {
	names := f.p[i]
	pattern := names[len(names)-1]
	if rest, star := strings.CutPrefix(pattern, "*"); star && !strings.ContainsAny(rest, `*?[\`) { // as most are
		return strings.HasSuffix(name, rest)
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// Empty is whether no file of the folder itself can match.
func (f Folder) Empty() bool { return len(f.files) == 0 }

// Enters is whether files below the folder of that name may match.
func (f Folder) Enters(name string) bool {
	dir := append(f.dir[:len(f.dir):len(f.dir)], name)
	for _, names := range f.p {
		if folders(names[:len(names)-1], dir, true) {
			return true
		}
	}
	return false
}

// folders is whether the names of folders match the path, or, with begins, the
// beginning of some path that starts with it. It goes through the path once,
// however many ** there are.
func folders(names, dir []string, begins bool) bool {
	at := make([]bool, len(names)+1) // which names may come next
	at[0] = true
	skip(names, at)
	for _, part := range dir {
		next := make([]bool, len(names)+1)
		for i, n := range names {
			if !at[i] {
				continue
			}
			if n == "**" {
				next[i] = true
			} else if ok, err := path.Match(n, part); ok && err == nil {
				next[i+1] = true
			}
		}
		at = next
		skip(names, at)
	}
	return at[len(names)] || begins && slices.Contains(at, true)
}

// skip: ** also stands for no folder.
func skip(names []string, at []bool) {
	for i, n := range names {
		if at[i] && n == "**" {
			at[i+1] = true
		}
	}
}

// Matching are the patterns that match the path.
func (p Patterns) Matching(file string) []int {
	dir, name := path.Split(file)
	return p.In(strings.TrimSuffix(dir, "/")).Matches(name)
}

// Prefix is what every path of the pattern begins with, up to a slash.
func Prefix(pattern string) string {
	end := strings.IndexAny(pattern, `*?[\`)
	if end < 0 {
		return pattern
	}
	return pattern[:strings.LastIndexByte(pattern[:end], '/')+1]
}

package policies

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// Loaded is what a set of files holds: the policies that may act, and the files
// whose rules stand still until they are put right.
type Loaded struct {
	Policies []*retention.Policy // in order of the paths, files of a directory sorted
	Failed   []Failed
}

// Failed is a file that is no policy, with every reason.
type Failed struct {
	File     string
	Policy   string // its name, where it could be read
	Problems []Problem
}

// Problems returns the problems of all files.
func (l Loaded) Problems() Problems {
	var out Problems
	for _, f := range l.Failed {
		out = append(out, f.Problems...)
	}
	return out
}

// reading is one file with what came of it.
type reading struct {
	file     string
	named    retention.Pos
	name     string
	policy   *retention.Policy
	problems []Problem
}

// Load reads policies from files and directories (their *.yaml and *.yml). A
// file that does not load stops its own rules and no others; of two policies
// with one name neither loads, since it is not clear which one is meant. The
// error is of a path that cannot be read at all.
func Load(paths []string, env Env) (Loaded, error) {
	files, err := list(paths)
	if err != nil {
		return Loaded{}, err
	}
	readings := make([]reading, len(files))
	for i, f := range files {
		readings[i] = read(f, env)
	}
	refuseTwins(readings)
	var out Loaded
	for _, r := range readings {
		if len(r.problems) > 0 {
			out.Failed = append(out.Failed, Failed{r.file, r.name, ordered(r.problems)})
		} else {
			out.Policies = append(out.Policies, r.policy)
		}
	}
	return out, nil
}

// read reads and decodes one file.
func read(file string, env Env) reading {
	d := newDecoder(file, env)
	r := reading{file: file}
	if text, err := readText(file); err != nil {
		d.failAt(1, 1, "", fmt.Sprintf("the file cannot be read: %s", err))
	} else {
		r.policy = d.run(text)
	}
	r.name, r.named, r.problems = d.policy.Name, d.named, d.problems
	return r
}

// readText reads a file up to just over the size that is refused.
func readText(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxText+1))
	return text, errors.Join(err, f.Close())
}

// refuseTwins refuses every policy whose name another one has.
func refuseTwins(rs []reading) {
	for i := range rs {
		for j := range rs {
			if i != j && rs[i].name != "" && rs[i].name == rs[j].name {
				rs[i].problems = append(rs[i].problems, Problem{
					Pos:     rs[i].named,
					Message: fmt.Sprintf("the policy %q is also in %s; neither of them acts", rs[i].name, rs[j].file),
					Hint:    "rename one of them, or move one away",
				})
				break
			}
		}
	}
}

// list returns the policy files of the paths, each once.
func list(paths []string) ([]string, error) {
	var out []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, fmt.Errorf("policies %s: %w", p, err)
		}
		files := []string{filepath.Clean(p)}
		if info.IsDir() {
			if files, err = listDir(p); err != nil {
				return nil, fmt.Errorf("policies %s: %w", p, err)
			}
		}
		for _, f := range files {
			if !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out, nil
}

// listDir returns the policy files of a directory, sorted; hidden ones are not
// meant.
func listDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		ext := strings.ToLower(filepath.Ext(e.Name()))
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") || (ext != ".yaml" && ext != ".yml") {
			continue
		}
		out = append(out, filepath.Join(dir, e.Name()))
	}
	return out, nil
}

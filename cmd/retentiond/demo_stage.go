package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// stageMarker names, in a directory that a demo made, everything that it made
// there: a rerun removes that and nothing else.
const stageMarker = ".retentiond-demo"

const stageHead = "made by retentiond demo; a rerun replaces these:"

// stage is a directory that a demo builds in: its own, or that of the person who has
// the key of the archives.
type stage struct {
	dir  string
	ours func(name string) bool // whether a demo makes files of that name there
}

// stages are the directories of a demo in dir.
func stages(dir string) []stage {
	return []stage{{dir, ours}, {keysOf(dir), func(name string) bool { return name == identityName || name == restoredName }}}
}

// clearStages makes room for a demo: directories that are new or empty, or have what
// an earlier demo made. Where one is any other, nothing is changed.
func clearStages(all []stage, keep bool) error {
	made := make([][]string, len(all))
	for i, s := range all {
		var err error
		if made[i], err = s.made(keep); err != nil {
			return err
		}
	}
	for i, s := range all {
		for _, name := range made[i] {
			if err := os.RemoveAll(filepath.Join(s.dir, name)); err != nil {
				return fmt.Errorf("replace the demo in %s: %w", s.dir, err)
			}
		}
	}
	return nil
}

// made lists what an earlier demo made.
func (s stage) made(keep bool) ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0:
		return nil, nil
	case err != nil:
		return nil, usage("choose another --dir", "%v", err)
	}
	made, err := s.readMarker()
	if err != nil {
		return nil, usage("choose another --dir, or an empty one", "%s is there already, and no demo made it; nothing was changed", s.dir)
	}
	if keep {
		return nil, usage("choose another --dir, or leave --keep out", "%s has a demo, and --keep keeps it", s.dir)
	}
	return made, nil
}

// readMarker returns the names that the demo made: plain names in the directory, nothing
// that leads elsewhere.
func (s stage) readMarker() ([]string, error) {
	file := filepath.Join(s.dir, stageMarker)
	if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no marker", file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if lines[0] != stageHead {
		return nil, fmt.Errorf("%s is no marker", file)
	}
	for _, name := range lines[1:] {
		if !s.ours(name) {
			return nil, fmt.Errorf("%s names %q", file, name)
		}
	}
	return lines[1:], nil
}

// ours reports whether a demo makes files of that name.
func ours(name string) bool {
	if madeHere(name) || name == "policies" || name == "gates" || name == "retentiond.yaml" || name == "audit.key" || name == "audit.key.checkpoint" {
		return true
	}
	for _, end := range []string{"", "-wal", "-shm", "-journal"} {
		stem := strings.TrimSuffix(name, ".db"+end)
		if stem != name && (stem == "state" || slices.ContainsFunc(systems(), func(s system) bool { return s.policy == stem })) {
			return true
		}
	}
	return false
}

// mark writes down what the demo made.
func (s stage) mark() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("mark the demo: %w", err)
	}
	text := stageHead + "\n"
	for _, e := range entries {
		if s.ours(e.Name()) {
			text += e.Name() + "\n"
		}
	}
	if err := os.WriteFile(filepath.Join(s.dir, stageMarker), []byte(text), 0o644); err != nil {
		return fmt.Errorf("mark the demo: %w", err)
	}
	return nil
}

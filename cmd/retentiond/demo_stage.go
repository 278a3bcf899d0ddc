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

// clearStage makes room for a demo in dir: new or empty, or with what an
// earlier demo made. Any other directory is refused.
func clearStage(dir string, keep bool) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0:
		return nil
	case err != nil:
		return usage("choose another --dir", "%v", err)
	}
	made, err := readMarker(dir)
	if err != nil {
		return usage("choose another --dir, or an empty one", "%s is there already, and no demo made it; nothing was changed", dir)
	}
	if keep {
		return usage("choose another --dir, or leave --keep out", "%s has a demo, and --keep keeps it", dir)
	}
	for _, name := range made {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("replace the demo in %s: %w", dir, err)
		}
	}
	return nil
}

// readMarker returns the names that the demo made: plain names in dir, nothing
// that leads elsewhere.
func readMarker(dir string) ([]string, error) {
	file := filepath.Join(dir, stageMarker)
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
		if !ours(name) {
			return nil, fmt.Errorf("%s names %q", file, name)
		}
	}
	return lines[1:], nil
}

// ours reports whether a demo makes files of that name.
func ours(name string) bool {
	if name == "policies" || name == "retentiond.yaml" || name == "audit.key" || name == "audit.key.checkpoint" {
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

// markStage writes down what the demo made in dir.
func markStage(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("mark the demo: %w", err)
	}
	text := stageHead + "\n"
	for _, e := range entries {
		if ours(e.Name()) {
			text += e.Name() + "\n"
		}
	}
	if err := os.WriteFile(filepath.Join(dir, stageMarker), []byte(text), 0o644); err != nil {
		return fmt.Errorf("mark the demo: %w", err)
	}
	return nil
}

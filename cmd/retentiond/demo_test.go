package main

import (
	"os"
	"path/filepath"
	"testing"
)

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func there(dir, name string) bool {
	_, err := os.Lstat(filepath.Join(dir, name))
	return err == nil
}

func TestStageReplacesOnlyWhatItMade(t *testing.T) {
	dir := t.TempDir()
	if err := clearStages(stages(dir), false); err != nil {
		t.Fatalf("an empty directory: %v", err)
	}
	for _, name := range []string{"cartesia.db", "cartesia.db-wal", "retentiond.yaml", "state.db", "audit.key", "mine.db", "notes.txt"} {
		put(t, dir, name, "x")
	}
	if err := clearStages(stages(dir), false); err == nil {
		t.Fatal("a directory that no demo made was accepted")
	}
	if err := stages(dir)[0].mark(); err != nil {
		t.Fatal(err)
	}
	if err := clearStages(stages(dir), true); err == nil {
		t.Fatal("--keep kept nothing")
	}
	if err := clearStages(stages(dir), false); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"cartesia.db": false, "cartesia.db-wal": false, "retentiond.yaml": false, "state.db": false,
		"audit.key": false, "mine.db": true, "notes.txt": true} {
		if there(dir, name) != want {
			t.Errorf("%s there: %v, want %v", name, !want, want)
		}
	}
}

// A marker that somebody edited never leads outside, or to other files.
func TestStageRefusesAForgedMarker(t *testing.T) {
	for _, name := range []string{"..", "../x", "/etc", "notes.txt", "policies/../../x", ""} {
		dir := t.TempDir()
		put(t, dir, "notes.txt", "x")
		put(t, dir, stageMarker, stageHead+"\n"+name+"\nstate.db\n")
		if err := clearStages(stages(dir), false); err == nil {
			t.Errorf("a marker with %q was accepted", name)
		}
		if !there(dir, "notes.txt") {
			t.Errorf("a marker with %q removed a file", name)
		}
	}
}

func TestStageRefusesALinkedMarker(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	put(t, other, "marker", stageHead+"\nstate.db\n")
	put(t, dir, "state.db", "x")
	if err := os.Symlink(filepath.Join(other, "marker"), filepath.Join(dir, stageMarker)); err != nil {
		t.Fatal(err)
	}
	if err := clearStages(stages(dir), false); err == nil || !there(dir, "state.db") {
		t.Error("a marker that is a link was followed")
	}
}

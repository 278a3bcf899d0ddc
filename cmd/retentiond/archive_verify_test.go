package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/retention/vault"
)

// TestArchiveVerifies: whatever is done to a vault's files is found, and named.
func TestArchiveVerifies(t *testing.T) {
	tp := worldNamed("sealed").make(t)
	tp.commandIn(t, tp.dir, exitOK, tp.runArgs(t, tp.dir, false)...)
	flip := func(t *testing.T, path string, at int) {
		t.Helper()
		b, err := os.ReadFile(path)
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil {
			t.Fatal(err)
		}
		b[(at+len(b))%len(b)] ^= 1
		writeFile(t, path, string(b))
	}
	tests := []struct {
		name string
		do   func(t *testing.T, rows, manifest string)
		want vault.Trouble
	}{
		{"a bit of the rows", func(t *testing.T, rows, _ string) { flip(t, rows, 400) }, vault.Damaged},
		{"a bit of the manifest", func(t *testing.T, _, manifest string) { flip(t, manifest, 200) }, vault.Damaged},
		{"a bit of the index", func(t *testing.T, _, manifest string) { flip(t, manifest, -1) }, vault.Damaged},
		{"cut", func(t *testing.T, rows, _ string) {
			if err := os.Chmod(rows, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(rows, 300); err != nil {
				t.Fatal(err)
			}
		}, vault.Damaged},
		{"no rows", func(t *testing.T, rows, _ string) { remove(t, rows) }, vault.Missing},
		{"no manifest", func(t *testing.T, _, manifest string) { remove(t, manifest) }, vault.Missing},
		{"nothing", func(t *testing.T, rows, manifest string) { remove(t, rows); remove(t, manifest) }, vault.Missing},
		{"a stranger's file", func(t *testing.T, rows, _ string) {
			writeFile(t, filepath.Join(filepath.Dir(rows), "x.txt"), "hello")
		}, vault.Foreign},
		{"a copy under another name", func(t *testing.T, rows, manifest string) {
			for _, f := range []string{rows, manifest} {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				writeFile(t, filepath.Join(filepath.Dir(f), "1999-"+filepath.Base(f)), string(b))
			}
		}, vault.Replayed},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			dir := tp.copy(t)
			files, err := filepath.Glob(filepath.Join(dir, "vault", "*.age"))
			if err != nil || len(files) < 2 {
				t.Fatalf("%v, %v", files, err)
			}
			x.do(t, files[1], strings.TrimSuffix(files[1], ".jsonl.zst.age")+".manifest")
			var v struct {
				OK       bool
				Findings []vault.Finding
			}
			if err := json.Unmarshal(tp.commandIn(t, dir, exitVerify, "archive", "verify"), &v); err != nil {
				t.Fatal(err)
			}
			if v.OK || !slices.ContainsFunc(v.Findings, func(f vault.Finding) bool { return f.Trouble == x.want }) {
				t.Errorf("%+v, want %s", v, x.want)
			}
			if x.want == vault.Damaged { // nothing of it is given out
				code, out := (&template{dir: dir}).tries(t, "archive", "restore", "--identity", identityFile(t, dir), "--by", "Ada", "--reason", "a test", "--to", filepath.Join(dir, "out"))
				if _, err := os.Stat(filepath.Join(dir, "out")); code != exitVerify || err == nil {
					t.Errorf("restore: exit code %d, %v: %s", code, err, out)
				}
			}
		})
	}
}

// TestEndedSegmentIsNotReplayed: a segment that ended and is put back counts for
// nothing, and is found.
func TestEndedSegmentIsNotReplayed(t *testing.T) {
	tp := worldNamed("sealed").make(t)
	tp.commandIn(t, tp.dir, exitOK, tp.runArgs(t, tp.dir, false)...)
	dir := tp.copy(t)
	kept := t.TempDir()
	if err := os.CopyFS(filepath.Join(kept, "vault"), os.DirFS(filepath.Join(dir, "vault"))); err != nil {
		t.Fatal(err)
	}
	tp.commandIn(t, dir, exitOK, "archive", "expire")
	if files, err := os.ReadDir(filepath.Join(dir, "vault")); err != nil || len(files) != 2 || files[0].Name() != ".retentiond-seen" || files[1].Name() != ".retentiond-vault" {
		t.Fatalf("files %v are left, %v", files, err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "vault")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "vault"), os.DirFS(filepath.Join(kept, "vault"))); err != nil {
		t.Fatal(err)
	}
	if out := tp.commandIn(t, dir, exitVerify, "archive", "verify"); !strings.Contains(string(out), string(vault.Replayed)) {
		t.Errorf("%s", out)
	}
	code, out := (&template{dir: dir}).tries(t, "archive", "restore", "--identity", identityFile(t, dir), "--by", "Ada", "--reason", "a test", "--to", filepath.Join(dir, "out"))
	if code == exitOK {
		t.Errorf("rows that ended were restored: %s", out)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

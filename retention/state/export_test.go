package state

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// The script that an auditor gets says of the log what we say, for any size of
// the tree, and does not of an edited one. Where this machine has no Python, the
// same is computed here by the public library from the same files.
func TestExportedScript(t *testing.T) { onEach(t, testExportedScript) }

func testExportedScript(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	for _, size := range []int{1, 2, 3, 7, 8, 300} {
		have, err := b.VerifyAudit(ctx, nil, "")
		must(t, err)
		b.fill(size - int(have.Size))
		dir := filepath.Join(b.dir, "out")
		must(t, b.ExportAudit(ctx, dir))
		if !auditorSays(t, dir) {
			t.Fatalf("%d entries do not verify", size)
		}
		lines, err := os.ReadFile(filepath.Join(dir, "entries.jsonl"))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, "entries.jsonl"), bytes.Replace(lines, []byte(`"i":0`), []byte(`"i":9`), 1), 0o600))
		if auditorSays(t, dir) {
			t.Fatalf("an edited log of %d entries verifies", size)
		}
	}
}

func auditorSays(t *testing.T, dir string) bool {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(dir, "verify.py"))
	must(t, err)
	python, err := exec.LookPath("python3")
	if err != nil {
		return len(script) > 0 && libraryRoot(t, dir)
	}
	out, err := exec.CommandContext(t.Context(), python, filepath.Join(dir, "verify.py")).CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 1 || !bytes.Contains(out, []byte("NOT"))) {
		t.Fatalf("%v: %s", err, out)
	}
	if got := err == nil; got != libraryRoot(t, dir) {
		t.Fatalf("the script says %t, the library does not: %s", got, out)
	}
	return err == nil
}

// libraryRoot compares the root of entries.jsonl with the checkpoint.
func libraryRoot(t *testing.T, dir string) bool {
	t.Helper()
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(ix []int64) (out []tlog.Hash, err error) {
		for _, x := range ix {
			out = append(out, stored[x])
		}
		return out, nil
	})
	text, err := os.ReadFile(filepath.Join(dir, "entries.jsonl"))
	must(t, err)
	lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	for i, line := range lines {
		more, err := tlog.StoredHashes(int64(i), line, read)
		must(t, err)
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(int64(len(lines)), read)
	must(t, err)
	note, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	must(t, err)
	return string(bytes.Split(note, []byte("\n"))[2]) == root.String()
}

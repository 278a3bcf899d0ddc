package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// identityFile is a file with the identity of the tests' recipient.
func identityFile(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "identity.txt")
	writeFile(t, path, crashIdentity+"\n")
	return path
}

// newestRun are the segments that the last run sealed.
func newestRun(t *testing.T, dir string) (out []string) {
	t.Helper()
	var l struct {
		Segments []struct {
			Segment  string
			SealedAt string `json:"sealed_at"`
		}
	}
	if err := json.Unmarshal(roundtripCommand(t, dir, "archive", "list"), &l); err != nil {
		t.Fatal(err)
	}
	last := ""
	for _, s := range l.Segments {
		last = max(last, s.SealedAt)
	}
	for _, s := range l.Segments {
		if s.SealedAt == last {
			out = append(out, s.Segment)
		}
	}
	return out
}

// moveAway puts a file where the vault was: nobody can write there, whoever they are.
func moveAway(t *testing.T, dir string) {
	t.Helper()
	if err := os.Rename(filepath.Join(dir, "vault"), filepath.Join(dir, "vault.away")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "vault"), "not a directory")
}

func moveBack(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "vault")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "vault.away"), filepath.Join(dir, "vault")); err != nil {
		t.Fatal(err)
	}
}

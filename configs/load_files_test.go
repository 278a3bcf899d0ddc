package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStateFromAFile(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "state")
	if err := os.WriteFile(secret, []byte("postgres://u:pw@db/state\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := "state_file: " + secret + "\n"
	if c := load(t, text); c.State.Reveal() != "postgres://u:pw@db/state" {
		t.Errorf("state is %q", c.State.Reveal())
	}
	if c := load(t, text, "RETENTIOND_STATE", "sqlite:/elsewhere/state.db"); c.State.Reveal() != "sqlite:/elsewhere/state.db" {
		t.Errorf("the environment does not go first: %q", c.State.Reveal())
	}
	_, err := Load(write(t, text+"state: sqlite:./x.db\n"), env())
	if err == nil || !strings.Contains(err.Error(), "both set") {
		t.Errorf("state and state_file: %v", err)
	}
	if _, err := Load(write(t, "state_file: /nonexistent/state\n"), env()); err == nil || strings.Contains(err.Error(), "pw") {
		t.Errorf("a file that is missing: %v", err)
	}
}

func TestCheckpointFileStartsAtTheConfiguration(t *testing.T) {
	c := load(t, "audit: {checkpoint_file: here/last}\n")
	if want := filepath.Join(filepath.Dir(c.File), "here", "last"); c.Audit.CheckpointFile != want {
		t.Errorf("%q, want %q", c.Audit.CheckpointFile, want)
	}
}

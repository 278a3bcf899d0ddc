package engine_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// worldsAtLeast is how many worlds an ordinary `go test` draws;
// RETENTIOND_WORLDS=5000 asks for more.
const worldsAtLeast = "120"

// TestWorlds draws whole worlds and compares plan, inventory, run, audit log and
// final tables with the oracle's. A failing world is printed, and kept as files
// under the directory that RETENTIOND_KEEP names.
func TestWorlds(t *testing.T) {
	n := worldsAtLeast
	if v := os.Getenv("RETENTIOND_WORLDS"); v != "" {
		n = v
	}
	set(t, "rapid.checks", n)
	set(t, "rapid.nofailfile", "true")
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(rt)
		if err := checkIn(t.Context(), dir, w, w.policy(), w.schema()); err != nil {
			keep(rt, w)
			rt.Fatalf("%v\n\n%s\n%s\nholds %s\nas-of %s later %d by plan %v approve %v", err, w.policy(), w.schema(), flow(w.Holds), w.AsOf, w.Later, w.ByPlan, w.Approve)
		}
	})
}

// TestKeptWorlds replays every world that once showed a bug.
func TestKeptWorlds(t *testing.T) {
	root := filepath.Join("..", "..", "testdata", "worlds")
	dirs, err := os.ReadDir(root)
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no worlds in %s: %v", root, err)
	}
	for _, d := range dirs {
		t.Run(d.Name(), func(t *testing.T) {
			var w world
			if err := json.Unmarshal(read(t, root, d.Name(), "world.json"), &w); err != nil {
				t.Fatal(err)
			}
			policy, schema := string(read(t, root, d.Name(), "policy.yaml")), string(read(t, root, d.Name(), "schema.sql"))
			if policy != w.policy() || schema != w.schema() {
				t.Fatalf("world.json does not say what policy.yaml and schema.sql say")
			}
			if err := checkIn(t.Context(), t.TempDir(), &w, policy, schema); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func set(t *testing.T, name, value string) {
	t.Helper()
	old := flag.Lookup(name).Value.String()
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set(name, old) })
}

// checkIn checks the world in a directory of its own below dir.
func checkIn(ctx context.Context, dir string, w *world, policy, schema string) error {
	dir, err := os.MkdirTemp(dir, "world")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return check(ctx, dir, w, policy, schema)
}

// keep writes the world where a person asked for it.
func keep(rt *rapid.T, w *world) {
	dir := os.Getenv("RETENTIOND_KEEP")
	if dir == "" {
		return
	}
	b, err := json.MarshalIndent(w, "", " ")
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	for name, text := range map[string]string{"world.json": string(b) + "\n", "policy.yaml": w.policy(), "schema.sql": w.schema()} {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
		}
	}
	if err != nil {
		rt.Errorf("keeping the world: %v", err)
	}
}

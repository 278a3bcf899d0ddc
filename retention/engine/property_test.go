package engine_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/retentiond/retentiond/connectors"
)

// worldsAtLeast is how many worlds an ordinary `go test` draws for SQLite;
// RETENTIOND_WORLDS=5000 asks for more. A server's share is a part of it: its
// worlds cost more, and most of what a world tests is the same on every engine.
const (
	worldsAtLeast = 400
	serverShare   = 20
)

// worldsOn are the engines to draw for: those that this build has a connector
// of, or what RETENTIOND_WORLDS_ON=sqlite,postgres,mysql says.
func worldsOn() []string {
	if v := os.Getenv("RETENTIOND_WORLDS_ON"); v != "" {
		return strings.Split(v, ",")
	}
	var out []string
	for _, on := range connectors.Default().Drivers() {
		if groundOf(on) != nil {
			out = append(out, on)
		}
	}
	return out
}

func startOfWorlds() time.Time { return time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC) }

// TestWorlds draws whole worlds and compares plan, inventory, run, audit log and
// final tables with the oracle's. A failing world is printed, and kept as files
// under the directory that RETENTIOND_KEEP names.
func TestWorlds(t *testing.T) {
	set(t, "rapid.nofailfile", "true")
	old := debug.SetGCPercent(400) // worlds are small, and many
	t.Cleanup(func() { debug.SetGCPercent(old) })
	for _, on := range worldsOn() {
		t.Run(on, func(t *testing.T) {
			n := worldsWanted(t)
			if on != "sqlite" {
				n = max(1, n/serverShare)
			}
			drawWorlds(t, newYard(t, on), n, drawWorld)
		})
	}
}

// vaultShare is the part of all worlds whose rows go to a vault that is away.
const vaultShare = 4

// TestVaultWorlds draws worlds whose rows go to tables in another source, or are sealed:
// each row is in its table, in the vault, or ended, and what is restored is what left.
func TestVaultWorlds(t *testing.T) {
	set(t, "rapid.nofailfile", "true")
	for _, on := range worldsOn() {
		t.Run(on, func(t *testing.T) {
			n := max(1, worldsWanted(t)/vaultShare)
			if on != "sqlite" {
				n = max(1, n/serverShare*2)
			}
			y := newYard(t, on)
			drawWorlds(t, y, n, drawVaultWorld)
			y.sawVaults(t, n)
		})
	}
}

// sawVaults tests that what was drawn had vaults of each kind, which took rows and
// ended: what is refused or never due proves nothing.
func (y *yard) sawVaults(t *testing.T, n int) {
	t.Helper()
	t.Logf("worlds with archived rows %v, with ended ones %v, with refused rules %v", y.archived.of, y.ended.of, y.barred.of)
	if n < worldsAtLeast/vaultShare || t.Failed() || flag.Lookup("rapid.seed").Value.String() != "0" {
		return
	}
	for _, kind := range []string{"elsewhere", "sealed"} {
		if y.archived.of[kind] == 0 || y.ended.of[kind] == 0 {
			t.Errorf("vault %q: no world in which rows went there, or ended there", kind)
		}
	}
}

func worldsWanted(t *testing.T) int {
	v := os.Getenv("RETENTIOND_WORLDS")
	if v == "" {
		return worldsAtLeast
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		t.Fatalf("RETENTIOND_WORLDS=%s is no number of worlds", v)
	}
	return n
}

// drawWorlds draws n worlds, shared among the processors. With a seed they are
// those of the one draw that the seed was printed for.
func drawWorlds(t *testing.T, y *yard, n int, draw func(*rapid.T, *ground) *world) {
	hands := min(n, runtime.GOMAXPROCS(0))
	if flag.Lookup("rapid.seed").Value.String() != "0" {
		hands = 1
	}
	set(t, "rapid.checks", strconv.Itoa((n+hands-1)/hands))
	t.Run("drawn", func(t *testing.T) {
		for i := range hands {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(rt *rapid.T) {
					w := draw(rt, y.ground)
					if err := y.checkWorld(t.Context(), w, w.policies(), w.schema()); err != nil {
						keep(rt, w)
						rt.Fatalf("%v\n\n%s\n%s\nholds %s\nas-of %s later %d by plan %v approve %v", err, strings.Join(w.policies(), "\n"), w.schema(), flow(w.Holds), w.AsOf, w.Later, w.ByPlan, w.Approve)
					}
				})
			})
		}
	})
}

// TestKeptWorlds replays every world that once showed a bug, on SQLite.
func TestKeptWorlds(t *testing.T) {
	root := filepath.Join("..", "..", "testdata", "worlds")
	dirs, err := os.ReadDir(root)
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no worlds in %s: %v", root, err)
	}
	y := newYard(t, "sqlite")
	for _, d := range dirs {
		t.Run(d.Name(), func(t *testing.T) {
			var w world
			if err := json.Unmarshal(read(t, root, d.Name(), "world.json"), &w); err != nil {
				t.Fatal(err)
			}
			for name, text := range w.files() {
				if string(read(t, root, d.Name(), name)) != text {
					t.Fatalf("world.json does not say what %s says", name)
				}
			}
			if err := y.checkWorld(t.Context(), &w, w.policies(), w.schema()); err != nil {
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

// files are the world's texts by file name, beside world.json.
func (w *world) files() map[string]string {
	out := map[string]string{"schema.sql": w.schema()}
	for i, text := range w.policies() {
		name := "policy.yaml"
		if i > 0 {
			name = "second.yaml"
		}
		out[name] = text
	}
	return out
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
	files := w.files()
	files["world.json"] = string(b) + "\n"
	for name, text := range files {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
		}
	}
	if err != nil {
		rt.Errorf("keeping the world: %v", err)
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

// This test's own binary tells its modules too: the document names each.
func TestEveryLinkedModuleIsNamed(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "b")
	build := exec.Command("go", "build", "-ldflags", "-s", "-o", bin, "../../../cmd/retentiond")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var one, two bytes.Buffer
	for _, out := range []*bytes.Buffer{&one, &two} {
		if err := run([]string{bin, "v1.2.3+x"}, out); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("two documents of one binary differ")
	}
	var b BOM
	if err := json.Unmarshal(one.Bytes(), &b); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	refs := map[string]bool{b.Metadata.Component.Ref: true}
	for _, c := range b.Components {
		if c.Name != "std" && (!strings.Contains(string(mod), c.Name+" "+c.Version) || len(c.Hashes) != 1) {
			t.Errorf("%s %s (%v) is not what go.mod says", c.Name, c.Version, c.Hashes)
		}
		refs[c.Ref] = true
	}
	for _, want := range []string{"std", "modernc.org/sqlite", "github.com/lib/pq", "go.uber.org/zap"} {
		if !strings.Contains(one.String(), `"name": "`+want+`"`) {
			t.Errorf("%s is not named", want)
		}
	}
	for _, d := range append(b.Dependencies, Dependency{On: b.Dependencies[0].On}) {
		for _, r := range d.On {
			if !refs[r] {
				t.Errorf("%s is nowhere", r)
			}
		}
	}
	if c := b.Metadata.Component; c.Version != "v1.2.3+x" || !strings.HasSuffix(c.PURL, "@v1.2.3%2Bx") {
		t.Errorf("the binary is %+v", c)
	}
}

func TestReplacedModuleIsTheOneThatIsLinked(t *testing.T) {
	c := library(&debug.Module{Path: "a.example/x", Version: "v1.0.0", Replace: &debug.Module{Path: "b.example/y", Version: "v2.0.0"}})
	if c.Name != "b.example/y" || c.Version != "v2.0.0" {
		t.Errorf("%+v", c)
	}
}

func TestWhatIsNoGoBinary(t *testing.T) {
	if err := run([]string{"../sysusers.conf", "v1"}, &bytes.Buffer{}); err == nil {
		t.Error("a text file has modules")
	}
	if err := run(nil, &bytes.Buffer{}); err == nil {
		t.Error("no binary, and no error")
	}
}

package policies

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// folder writes files into a new directory.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tiny is a policy of that name.
func tiny(name string) string {
	return "version: 1\npolicy: " + name + "\ntitle: T\ncontroller: C\ntimezone: UTC\nsource: crm\n" +
		"datasets: {d: {table: d, subject: {person: id}}}\nrules: []\n"
}

// outcome is what loaded, and what failed with how many problems.
func outcome(l Loaded) (good []string, failed map[string]int) {
	failed = map[string]int{}
	for _, p := range l.Policies {
		good = append(good, p.Name)
	}
	for _, f := range l.Failed {
		failed[filepath.Base(f.File)] = len(f.Problems)
	}
	return good, failed
}

func TestLoadDirectory(t *testing.T) {
	dir := folder(t, map[string]string{
		"b.yaml": tiny("b"), "a.yml": tiny("a"), "c.yaml": "version: 1\n", "note.txt": "x", ".hidden.yaml": "x",
	})
	if err := os.Mkdir(filepath.Join(dir, "d.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := Load([]string{dir, filepath.Join(dir, "b.yaml")}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	good, failed := outcome(l)
	if diff := cmp.Diff([]string{"a", "b"}, good); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{"c.yaml": 6}, failed); diff != "" {
		t.Error(diff)
	}
	if n := len(l.Problems()); n != 6 {
		t.Errorf("%d problems in all", n)
	}
}

// Of two policies with one name neither acts, even where one is broken.
func TestLoadRefusesTwins(t *testing.T) {
	dir := folder(t, map[string]string{
		"a.yaml": tiny("p"), "b.yaml": strings.Replace(tiny("p"), "timezone: UTC", "timezone: Here", 1), "c.yaml": tiny("q"),
	})
	l, err := Load([]string{dir}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	good, failed := outcome(l)
	if diff := cmp.Diff([]string{"q"}, good); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{"a.yaml": 1, "b.yaml": 2}, failed); diff != "" {
		t.Error(diff)
	}
	if f := l.Failed[0]; f.Policy != "p" || !strings.HasSuffix(f.Problems[0].Error(), "b.yaml; neither of them acts") ||
		!strings.Contains(f.Problems[0].Error(), "a.yaml:2:9: ") {
		t.Errorf("got %+v", f)
	}
}

func TestLoadMissingPath(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone")
	if _, err := Load([]string{gone}, Env{}); err == nil || !strings.Contains(err.Error(), gone) {
		t.Errorf("got %v", err)
	}
}

// A file that cannot be read stops itself alone.
func TestLoadBrokenLink(t *testing.T) {
	dir := folder(t, map[string]string{"a.yaml": tiny("a")})
	if err := os.Symlink(filepath.Join(dir, "gone"), filepath.Join(dir, "b.yaml")); err != nil {
		t.Fatal(err)
	}
	l, err := Load([]string{dir}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Policies) != 1 || len(l.Failed) != 1 || !strings.Contains(l.Failed[0].Problems[0].Message, "cannot be read") {
		t.Errorf("got %+v", l)
	}
}

func TestLoadRefusesHugeFiles(t *testing.T) {
	dir := folder(t, map[string]string{"a.yaml": strings.Repeat("# fill\n", 200_000)})
	l, err := Load([]string{dir}, Env{})
	if err != nil || len(l.Failed) != 1 || !strings.Contains(l.Failed[0].Problems[0].Message, "1 MiB") {
		t.Errorf("got %+v, %v", l, err)
	}
}

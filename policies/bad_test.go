package policies

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

const fixtures = "../testdata/policies"

// fixtureEnv is the configuration that the fixtures are written against.
func fixtureEnv() Env {
	return Env{
		Sources: map[string]SourceKind{"crm": SourceSQL, "billing": SourceSQL, "weblogs": SourceFiles, "media": SourceFiles},
		Vaults:  []string{"cold", "sealed"},
	}
}

// glob lists fixtures; none at all is a broken test.
func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(fixtures, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures %s: %v", pattern, err)
	}
	return files
}

func readFile(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// golden compares with a file, or rewrites it under -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(readFile(t, file)), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// messages renders problems as the fixtures hold them.
func messages(ps []Problem) string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(p.Error() + "\n")
		if p.Hint != "" {
			b.WriteString("    " + p.Hint + "\n")
		}
	}
	return b.String()
}

// Every bad policy is refused with exactly the messages beside it.
func TestBadPolicies(t *testing.T) {
	for _, file := range glob(t, "bad/*.yaml") {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			p, problems := Decode(filepath.Base(file), readFile(t, file), fixtureEnv())
			if p != nil || len(problems) == 0 {
				t.Fatal("the policy loads")
			}
			for _, pr := range problems {
				if pr.Pos.Line < 1 || pr.Pos.Col < 1 || pr.Message == "" {
					t.Errorf("no place or message: %+v", pr)
				}
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", messages(problems))
		})
	}
}

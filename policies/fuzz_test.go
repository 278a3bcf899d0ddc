package policies

import (
	"os"
	"path/filepath"
	"testing"
)

// Whatever the text, decoding ends without a panic, and either the policy loads
// or every problem has a place and a message.
func FuzzDecode(f *testing.F) {
	for _, dir := range []string{"good", "bad"} {
		files, err := filepath.Glob(filepath.Join(fixtures, dir, "*.yaml"))
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, problems := Decode("fuzz.yaml", text, fixtureEnv())
		if (p == nil) != (len(problems) > 0) {
			t.Fatalf("policy %v beside %d problems", p, len(problems))
		}
		for _, pr := range problems {
			if pr.Pos.File != "fuzz.yaml" || pr.Pos.Line < 1 || pr.Pos.Col < 1 || pr.Message == "" {
				t.Errorf("no place or message: %+v", pr)
			}
		}
		if p == nil {
			return
		}
		again, _ := Decode("fuzz.yaml", text, fixtureEnv())
		if again == nil || again.Digest != p.Digest {
			t.Error("the digest is not the same twice")
		}
		Describe(p, "fr")
	})
}

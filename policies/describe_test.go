package policies

import (
	"path/filepath"
	"strings"
	"testing"
)

// The tables for people are pinned, in both languages.
func TestDescribe(t *testing.T) {
	for _, file := range glob(t, "good/*.yaml") {
		p := good(t, filepath.Base(file), readFile(t, file), fixtureEnv())
		for _, lang := range []string{"fr", "en"} {
			table := Describe(p, lang)
			lines := []string{table.Title, strings.Join(table.Header, " | ")}
			for _, row := range table.Rows {
				if len(row) != len(table.Header) {
					t.Errorf("%s: %d cells under %d heads", file, len(row), len(table.Header))
				}
				lines = append(lines, strings.Join(row, " | "))
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+"."+lang+".txt", strings.Join(lines, "\n")+"\n")
		}
	}
}

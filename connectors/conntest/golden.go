package conntest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Golden compares a statement, and each argument after its mark ("$1", "?1"), with
// the file testdata/sql/NAME.golden, or writes the file.
func Golden(t *testing.T, update bool, name, text, mark string, args []any) {
	t.Helper()
	var got strings.Builder
	got.WriteString(text + "\n\n")
	for i, a := range args {
		fmt.Fprintf(&got, "%s%d = %T %v\n", mark, i+1, a, a)
	}
	file := filepath.Join("..", "..", "testdata", "sql", name+".golden")
	if update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("run with -update if this is meant:\n%s", diff)
	}
}

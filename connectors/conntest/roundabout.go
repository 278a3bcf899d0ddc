package conntest

import (
	"path"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// roundaboutCases are rows that name files in a roundabout way.
func roundaboutCases() []testCase {
	return []testCase{{name: "EachIsFound", run: roundabout}}
}

// roundabout: a row that may name a file in a roundabout way is found by the database,
// and of the many others none comes (L13).
func roundabout(t *testing.T, h Harness) {
	plain := []string{"a", "a/b.pdf", "/a/b.pdf", "./a/b.pdf", ".a/.b", "..a/..b", "a./b.", "a../b..", "A/B", "a%b/_c", ""}
	odd := []string{"a//b", "//a", "a/./b", "a/../b", "../a", "a/..", "a/.", "a/", ".", "..", "/", "/../a", "/./a", "././a", ".//a", "./", "a/b/../../c", "Z//%", "a\\b", "\\"}
	f := setup(t, h, "CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, name {text}, other {int})")
	for i, name := range append(append([]string{}, plain...), odd...) {
		f.run("INSERT INTO p VALUES (" + cell(int64(i)) + ", '" + name + "', 1)")
	}
	f.run("INSERT INTO p VALUES (100, NULL, 1)")
	reader, ok := f.s.(retention.RowReader)
	if !ok {
		t.Fatal("it does not read rows of files")
	}
	seen := map[string]bool{}
	row := retention.FileRow{Table: tn("p"), On: retention.Pair{Theirs: "name"}, Column: "name", Roundabout: true}
	if err := reader.Related(t.Context(), row, false, nil, func(by string, _ any) error { seen[by] = true; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, name := range odd {
		if !seen[name] {
			t.Errorf("%q is not found", name)
		}
		delete(seen, name)
	}
	for name := range seen {
		t.Errorf("%q came, which is %q", name, path.Clean(name))
	}
	row.On.Theirs, row.Column = "other", "other"
	if err := reader.Related(t.Context(), row, false, nil, func(by string, _ any) error { t.Errorf("the number %q came", by); return nil }); err != nil {
		t.Fatal(err)
	}
}

package objects

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// What settles an intent reads the objects as they were written down, whatever their
// names and times: another one would count as changed (L7).
func TestJournalKeepsObjects(t *testing.T) {
	t.Parallel()
	j := journal{t.TempDir()}
	rapid.Check(t, func(r *rapid.T) {
		of, dirs := make([]Object, rapid.IntRange(0, 3).Draw(r, "n")), []string{}
		for i := range of {
			of[i] = Object{
				Path: string(rapid.SliceOf(rapid.Byte()).Draw(r, "path")), ID: rapid.StringMatching("[a-z0-9]*").Draw(r, "id"),
				Size: rapid.Int64Min(0).Draw(r, "size"), Nanos: rapid.Int64().Draw(r, "nanos"), Far: rapid.Int64Range(math.MinInt64, math.MaxInt64).Draw(r, "far"),
			}
			dirs = append(dirs, "d")
		}
		if err := j.write(entry{Intent: "i"}, of, dirs); err != nil {
			r.Fatal(err)
		}
		_, got, _, ok, err := j.read("i")
		if err != nil || !ok || len(got) != len(of) {
			r.Fatalf("%d of %d are read back: %v, %v", len(got), len(of), ok, err)
		}
		for i := range got {
			if !got[i].Same(of[i]) || got[i].Path != of[i].Path {
				r.Fatalf("%+v came back as %+v", of[i], got[i])
			}
		}
	})
}

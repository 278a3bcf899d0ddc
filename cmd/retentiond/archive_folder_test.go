package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

// Files come back with the time that they had, however far it is (L9).
func TestRestoreSetsFarTimes(t *testing.T) {
	t.Parallel()
	root, err := os.OpenRoot(t.TempDir())
	must(t, err)
	t.Cleanup(func() { must(t, root.Close()) })
	must(t, root.Mkdir("own", 0o700))
	d := &folder{root: root}
	for _, text := range []string{"10413792000.123456789", "9223372037.000000000", "-1.999999999", "-1500000000.000000001", "1600000000.000000007"} {
		want, err := timeOf(text)
		must(t, err)
		temp := filepath.Join("own", text)
		must(t, root.WriteFile(temp, nil, 0o600))
		must(t, d.name(&arriving{path: "at" + text, temp: temp, mode: 0o600, changed: want}))
		if st, err := root.Stat("at" + text); err != nil || !st.ModTime().Equal(want) {
			t.Errorf("%s came back as %v, %v", text, st.ModTime(), err)
		}
	}
}

// Of a path that was archived more than once the newest content comes first, and the
// parts of a file stay together, in their order.
func TestRestoreTakesTheNewestFirst(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	one := func(intent, name string, hours int) chosen {
		return chosen{segment: &retention.Segment{Vault: "v", Intent: intent, Name: name, SealedAt: at.Add(time.Duration(hours) * time.Hour)}}
	}
	var got []string
	for _, c := range inOrder([]chosen{one("a", "a1", 0), one("c", "c2", 9), one("b", "b1", 5), one("c", "c1", 1)}) {
		got = append(got, c.segment.Name)
	}
	if diff := cmp.Diff([]string{"c1", "c2", "b1", "a1"}, got); diff != "" {
		t.Error(diff)
	}
}

// A file whose folder has the name of a file is left, and so told.
func TestRestoreLeavesWhatHasNoFolder(t *testing.T) {
	t.Parallel()
	root, err := os.OpenRoot(t.TempDir())
	must(t, err)
	t.Cleanup(func() { must(t, root.Close()) })
	must(t, root.WriteFile("a", nil, 0o600))
	must(t, root.WriteFile("temp", []byte("x"), 0o600))
	d := &folder{root: root, ready: []arriving{{path: "a/b/c", temp: "temp", mode: 0o600, changed: time.Unix(1, 0)}}}
	must(t, d.publish())
	if d.there != 1 || d.files != 0 {
		t.Errorf("%+v", d.restored)
	}
}

// Of objects the newest content is restored, and older ones beside it where they are
// asked for; a name that is no path below a folder is left and counted (L9).
func TestRestoreOfObjects(t *testing.T) {
	t.Parallel()
	table := &retention.SegmentTable{Files: true}
	for _, n := range []string{retention.FilePath, retention.SealedMtime, retention.SealedVersion, retention.SealedOlder, retention.SealedBytes, retention.SealedETag, retention.SealedPart, retention.SealedSHA256, retention.SealedContent} {
		table.Columns = append(table.Columns, retention.SegmentColumn{Name: n})
	}
	const x = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" // SHA-256 of x
	row := func(name, version string, older any, content any) []any {
		if content == nil {
			return []any{name, "1.0", version, nil, nil, nil, int64(0), nil, nil}
		}
		return []any{name, "1.0", version, older, int64(1), "e", int64(0), x, content}
	}
	rows := [][]any{
		row("a", "m", nil, nil), row("a", "2", int64(0), []byte("x")), row("a", "../1/", int64(1), []byte("x")), row("a", "0", int64(2), []byte("x")),
		row("/etc/b", "1", int64(0), []byte("x")), row("c/../../d", "1", int64(0), []byte("x")), row("e/", "1", int64(0), []byte("x")),
		row(strings.Repeat("n", 300), "1", int64(0), []byte("x")),
	}
	for _, all := range []bool{false, true} {
		root, err := os.OpenRoot(t.TempDir())
		must(t, err)
		must(t, root.Mkdir("own", 0o700))
		d := &folder{root: root, staging: "own", all: all}
		for _, r := range rows {
			must(t, d.take(table, r))
		}
		must(t, d.publish())
		want, names := restored{files: 1, older: 2, odd: 4, bytes: 1}, []string{"a"}
		if all {
			want, names = restored{files: 3, odd: 4, bytes: 3}, []string{"a", "a@0", "a@ec52a180ad4060c1dc02b3c3ad608f73"}
		}
		if d.restored != want {
			t.Errorf("%+v, want %+v", d.restored, want)
		}
		for _, n := range names {
			if b, err := root.ReadFile(n); err != nil || string(b) != "x" {
				t.Errorf("%s has %q, %v", n, b, err)
			}
		}
		must(t, root.Close())
	}
}

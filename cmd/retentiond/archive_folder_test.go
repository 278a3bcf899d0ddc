package main

import (
	"os"
	"path/filepath"
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

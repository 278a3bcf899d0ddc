//go:build unix

package files

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/retentiond/retentiond/connectors/objects"
	"github.com/retentiond/retentiond/retention"
)

func anyGate(context.Context, retention.Gate) error { return nil }

func sourceOf(t *testing.T, root, dir string) *objects.Source {
	t.Helper()
	s, err := Open(t.Context(), root, dir)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// A gate file that was copied, or restored, with its state says what the folder itself
// has seen since: a hold, and a run that ended. One that is missing says it too (L3).
func TestFolderRemembersItsStore(t *testing.T) {
	t.Parallel()
	root, live, copied := t.TempDir(), t.TempDir(), t.TempDir()
	s := sourceOf(t, root, live)
	_, err := s.Install(t.Context(), "store")
	must(t, err)
	must(t, os.CopyFS(copied, os.DirFS(live)))
	_, err = s.Pass(t.Context(), "store", 1, retention.Witness{Size: 10, Root: "r/10"}, anyGate)
	must(t, err)
	must(t, s.Witness(t.Context(), "store", 12, "r+12"))
	other := sourceOf(t, root, copied)
	for name, s := range map[string]*objects.Source{"live": s, "copied": other, "missing": sourceOf(t, root, t.TempDir())} {
		srv, err := s.Server(t.Context())
		must(t, err)
		if got, want := srv.Gate.Seen(), (retention.Seen{Holds: 1, Log: 12, Root: "r+12"}); got != want || srv.Gate.StoreUUID != "store" || srv.Gate.Installed == (name == "missing") {
			t.Errorf("%s: the gate says %+v, want %v", name, srv.Gate, want)
		}
	}
	if err := other.Witness(t.Context(), "store", 12, "another"); !mismatched(err) {
		t.Errorf("the copy ends a run with another log: %v", err)
	}
	must(t, other.Adopt(t.Context(), "store", 0, 5, "r5"))
	if srv, err := s.Server(t.Context()); srv.Gate.LogSize != 5 || srv.Gate.LogRoot != "r5" || err != nil {
		t.Errorf("after an adoption the other says %+v, %v", srv.Gate, err)
	}
}

// Where the file system keeps no attributes, a file says the same; what cannot be read
// is beyond every store.
func TestMarkInAFile(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]retention.Seen{
		"store": {}, "store 3.40.r-40": {Holds: 3, Log: 40, Root: "r+40"}, "store rubbish": {Holds: 1<<63 - 1}, "another 3.40.r": {},
	} {
		root := t.TempDir()
		tree := opened(t, root)
		must(t, tree.markFile(text))
		if got, err := tree.Seen(t.Context(), "store"); got != want || err != nil {
			t.Errorf("%q says %v, want %v (%v)", text, got, want, err)
		}
		if place, err := tree.Place(); err != nil || len(place) > 60 {
			t.Errorf("%q: the place is %q, %v", text, place, err)
		}
		write(t, filepath.Join(root, "a"))
		if list, _ := walked(t, tree, "**/*"); len(list) != 1 {
			t.Errorf("%q: it lists %v", text, list)
		}
	}
}

package objects

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// A file that is made anew while its folder is read is met twice; it is one file.
func TestListedTwice(t *testing.T) {
	all, err := newSets([]retention.Files{{Pattern: "*"}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLine(t.Context(), filepath.Join(t.TempDir(), "gate.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	f, err := (&engine{line: l}).newFiller(t.Context(), l.conn, all[0])
	for i := 0; i < 2*many+1 && err == nil; i++ {
		err = f.add(t.Context(), Object{Path: "a", ID: "1"})
	}
	if err == nil {
		err = f.end(t.Context())
	}
	var n int
	if err == nil {
		err = l.conn.GetContext(t.Context(), &n, "SELECT count(*) FROM main."+quote("*"))
	}
	if err != nil || n != 1 {
		t.Errorf("%d files: %v", n, err)
	}
}

// A pattern with many ** is compared in one pass.
func TestManyFolders(t *testing.T) {
	p := ParsePatterns([]string{strings.Repeat("**/a/", 12) + "*.log"})
	done := make(chan bool)
	go func() {
		dir := strings.TrimSuffix(strings.Repeat("a/", 60), "/") + "/b"
		done <- len(p.Matching(dir+"/x.log")) == 0 && p.In(dir).Enters("c") && len(p.Matching(strings.Repeat("a/", 12)+"x.log")) == 1 && len(p.Matching(strings.Repeat("a/", 11)+"x.log")) == 0
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case ok := <-done:
		if !ok {
			t.Error("the pattern matches other paths")
		}
	case <-ctx.Done():
		t.Fatal("it takes a minute and more")
	}
}

// A time that nanoseconds cannot say is no time (L1).
func TestFarTimes(t *testing.T) {
	if got := seconds(Object{Far: 19_763_000_000}); got != math.MaxInt64 {
		t.Errorf("the year 2596 is %d", got)
	}
	if (Object{Far: 1}).Same(Object{Far: 2}) {
		t.Error("two times are one")
	}
}

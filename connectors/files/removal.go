//go:build unix

package files

import (
	"context"
	"path"
	"runtime"
	"sync"

	"github.com/retentiond/retentiond/connectors/objects"
)

// RemoveAs removes names. A file that takes the name between the last look and the
// removal is never what is removed: what is looked at has a name of its own then.
// Folders are worked on side by side; ended is called by one at a time, in no order.
func (t *Tree) RemoveAs(_ context.Context, tag string, of []objects.Object, ended func(i int, err error)) error {
	var (
		told  sync.Mutex
		all   sync.WaitGroup
		to    touched
		parts = make(chan stretch)
	)
	for range min(mostRemovers, runtime.GOMAXPROCS(0), len(of)/apiece+1) {
		all.Go(func() {
			for s := range parts {
				r := t.reach()
				r.to = &to
				for i := s.from; i < s.to; i++ {
					err := r.remove(of[i], claim(tag, i))
					told.Lock()
					ended(i, err)
					told.Unlock()
				}
				r.leave()
			}
		})
	}
	stretches(of, func(s stretch) { parts <- s })
	close(parts)
	all.Wait()
	return to.end(t)
}

const (
	// mostRemovers is how many work side by side.
	mostRemovers = 4
	// apiece is the most files that one takes at once: the file system frees what a
	// name led to outside of the folder's lock.
	apiece = 256
)

// stretch is some files of one folder, by their places.
type stretch struct{ from, to int }

func stretches(of []objects.Object, f func(stretch)) {
	for from := 0; from < len(of); {
		dir, _ := path.Split(of[from].Path)
		to := from + 1
		for to < len(of) && to-from < apiece {
			if d, _ := path.Split(of[to].Path); d != dir {
				break
			}
			to++
		}
		f(stretch{from, to})
		from = to
	}
}

//go:build unix

package files

import (
	"io/fs"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/retentiond/retentiond/connectors/objects"
)

// looked is a file that was looked at.
type looked struct {
	matches []int // patterns; none: it was not looked at
	st      unix.Stat_t
	err     error
}

const (
	// lookers is how many look at a folder's files side by side: a disk has several
	// requests to serve then, and a processor does not wait for the other.
	lookers = 4
	// looksApiece is the fewest files that are worth another one.
	looksApiece = 128
)

// room is for what is looked at in one folder. Those around it have theirs, which they
// go on with once it is walked; give gives it back.
func (w *walk) room() (room *[]looked, give func()) {
	if n := len(w.spare); n > 0 {
		room, w.spare = w.spare[n-1], w.spare[:n-1]
	} else {
		room = &[]looked{}
	}
	return room, func() { w.spare = append(w.spare, room) }
}

// look looks at the files of a folder that some pattern matches.
func (w *walk) look(fd int, entries []fs.DirEntry, in objects.Folder, room *[]looked) []looked {
	if cap(*room) < len(entries) {
		*room = make([]looked, len(entries))
	}
	out := (*room)[:len(entries)]
	some := func(from, to int) {
		for i := from; i < to; i++ {
			out[i].matches, out[i].err = nil, nil
			if e := entries[i]; !e.IsDir() && !in.Empty() && !ours(e.Name()) {
				out[i].matches = in.Matches(e.Name())
			}
			if len(out[i].matches) > 0 {
				out[i].err = unix.Fstatat(fd, entries[i].Name(), &out[i].st, unix.AT_SYMLINK_NOFOLLOW)
			}
		}
	}
	n := min(lookers, runtime.GOMAXPROCS(0), len(entries)/looksApiece+1)
	var all sync.WaitGroup
	for i := range n - 1 {
		all.Go(func() { some(i*len(entries)/n, (i+1)*len(entries)/n) })
	}
	some((n-1)*len(entries)/n, len(entries))
	all.Wait()
	return out
}

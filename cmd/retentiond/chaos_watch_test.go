package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// takeovers measures how long the slots of a dead or stopped daemon wait for another,
// by the clock of the machine, which is the store's.
type takeovers struct {
	c       *chaos
	mu      sync.Mutex
	dead    map[string]time.Time // by the daemon's mark
	waiting map[string]*orphan   // slots of dead daemons
	clean   []time.Duration      // while the store answered and some daemon worked
	other   []time.Duration
}

// orphan is a claim whose daemon is dead.
type orphan struct {
	mark    string
	attempt int64
	since   time.Time
	clean   bool
	seen    bool
}

// lost notes that a daemon is dead, or stopped, from now on.
func (w *takeovers) lost(mark string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead == nil {
		w.dead, w.waiting = map[string]time.Time{}, map[string]*orphan{}
	}
	w.dead[mark] = time.Now()
}

// back notes that a stopped daemon goes on.
func (w *takeovers) back(mark string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.dead, mark)
	for slot, o := range w.waiting {
		if o.mark == mark {
			delete(w.waiting, slot)
		}
	}
}

// run looks until ctx is done.
func (w *takeovers) run(ctx context.Context) {
	db, err := sql.Open("postgres", w.c.state)
	if err != nil {
		w.c.Error(err)
		return
	}
	defer db.Close()
	for nap(ctx, 100*time.Millisecond, 100*time.Millisecond) {
		w.look(ctx, db)
	}
}

// look looks once at the slots that are claimed.
func (w *takeovers) look(ctx context.Context, db *sql.DB) {
	ask, done := context.WithTimeout(ctx, time.Second)
	defer done()
	rows, err := db.QueryContext(ask, "SELECT policy || ' ' || slot, attempt, process FROM retentiond.slots WHERE state = 'running'")
	w.mu.Lock()
	defer w.mu.Unlock()
	works := slices.ContainsFunc(w.c.replicas, (*chaosReplica).works)
	if err != nil || !works {
		for _, o := range w.waiting {
			o.clean = false
		}
	}
	if err != nil {
		return
	}
	defer rows.Close()
	for _, o := range w.waiting {
		o.seen = false
	}
	for rows.Next() {
		var slot, process string
		var attempt int64
		if rows.Scan(&slot, &attempt, &process) == nil {
			w.claimed(slot, attempt, process)
		}
	}
	if rows.Err() != nil {
		return
	}
	for slot, o := range w.waiting {
		if !o.seen {
			w.taken(slot, o)
		}
	}
}

// claimed is told of each slot that is claimed.
func (w *takeovers) claimed(slot string, attempt int64, process string) {
	if o := w.waiting[slot]; o != nil && o.attempt == attempt {
		o.seen = true
		return
	} else if o != nil {
		w.taken(slot, o)
	}
	for mark, since := range w.dead {
		if strings.Contains(process, mark) {
			w.waiting[slot] = &orphan{mark: mark, attempt: attempt, since: since, clean: true, seen: true}
		}
	}
}

func (w *takeovers) taken(slot string, o *orphan) {
	took := time.Since(o.since)
	if o.clean {
		w.clean = append(w.clean, took)
	} else {
		w.other = append(w.other, took)
	}
	delete(w.waiting, slot)
}

// takeoverLimit is what the daemon promises, and how late this machine may be.
const takeoverLimit = 30*time.Second + 10*time.Second

// report prints the times, and fails where one is too long though nothing else was
// in the way.
func (w *takeovers) report(t *testing.T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for what, all := range map[string][]time.Duration{"with nothing else in the way": w.clean, "with the store down, or no daemon": w.other} {
		if len(all) == 0 {
			continue
		}
		slices.Sort(all)
		t.Logf("takeovers %s: %d, half within %s, the longest %s", what, len(all), all[len(all)/2].Round(time.Millisecond), all[len(all)-1].Round(time.Millisecond))
	}
	if n := len(w.clean); n > 0 && w.clean[n-1] > takeoverLimit {
		t.Errorf("a slot of a dead daemon waited for %s, at most 30 s are promised", w.clean[n-1])
	}
}

// chaosHolds places holds beside it all.
type chaosHolds struct {
	c      *chaos
	people []int64
}

// firstHeld is the first person that a hold is about.
const firstHeld = 1 << 40

// run places one hold after the other, each about a person with rows in every
// source, until ctx is done; the last one is placed to its end.
func (h *chaosHolds) run(ctx context.Context) {
	for nap(ctx, time.Second, 5*time.Second) {
		person := int64(firstHeld + len(h.people))
		h.people = append(h.people, person)
		for _, a := range h.c.apps {
			for _, i := range a.tables[:3] {
				h.try(func() error { return a.insert(i, 10, person) })
			}
		}
		h.try(func() error { return h.place(person) })
		for _, a := range h.c.apps {
			h.try(func() error { return a.remembers(person) })
			h.try(func() error { return a.insert(a.tables[0], 5, person) })
			h.try(func() error { return a.remembers(person) })
		}
		h.c.counts.add("hold in force")
	}
}

// try tries for two minutes: servers come back.
func (h *chaosHolds) try(do func() error) {
	var err error
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(300 * time.Millisecond) {
		if err = do(); err == nil {
			return
		}
		h.c.counts.add("hold: tried again")
	}
	h.c.Errorf("a hold was never in force: %v", err)
}

func (h *chaosHolds) place(person int64) error {
	cmd, _ := retentiondProcess(h.c.T, h.c.dir, "hold", "place", "--matter", fmt.Sprint("M", person), "--subject", fmt.Sprint("person:", person),
		"--reason", "claim", "--by", "Ada", "--allow-unmatched", "--wait", "10s")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	switch code := exitCode(cmd.Run()); code {
	case exitOK:
		return nil
	case exitError, exitRefused: // a server is down, or a stopped daemon has the gate
		return fmt.Errorf("hold place: exit code %d: %s", code, out.String())
	default:
		h.c.Errorf("hold place: exit code %d: %s", code, out.String())
		return nil
	}
}

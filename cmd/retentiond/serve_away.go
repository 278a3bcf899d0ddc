package main

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/retentiond/retentiond/policies"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/retentiond/retentiond/retention/schedule"
)

// awayTime is how long a policy must be missing before it counts as gone. A file or
// a directory that is being replaced is missing for a moment; until then the policy
// is a guard: its minimums protect, its own rules stand still.
const awayTime = time.Minute

// guardAway adds the policies that were in force or on guard and are in no file
// now, unless they have been missing for long. Where a path cannot be read at all,
// nobody knows what it would hold: then none counts as gone.
func (k *keeper) guardAway(next, old *engine.Engine, unreadable bool) {
	named := func(all []*retention.Policy, name string) bool {
		return slices.ContainsFunc(all, func(p *retention.Policy) bool { return p.Name == name })
	}
	since := map[string]time.Time{}
	for _, p := range slices.Concat(old.Policies, old.Guards) {
		if named(next.Policies, p.Name) || named(next.Guards, p.Name) {
			continue
		}
		at, was := k.away[p.Name]
		if !was || unreadable || k.unread {
			at = time.Now() // of this machine alone: its monotonic clock does not jump
		}
		if time.Since(at) < awayTime {
			since[p.Name], next.Guards = at, append(next.Guards, p)
		}
	}
	k.next = since
}

// awayOver reports whether a policy has been missing for long enough to be gone.
func (k *keeper) awayOver() bool {
	k.reloads.Lock()
	defer k.reloads.Unlock()
	for _, at := range k.away {
		if time.Since(at) >= awayTime {
			return true
		}
	}
	return false
}

// tellAway tells which policies went missing, came back, or are gone, and remembers
// it; called once next is in force.
func (k *keeper) tellAway(d changes) {
	tell := func(kind schedule.Kind, policy string) {
		k.observe(schedule.Event{Kind: kind, Slot: retention.SlotID{Policy: policy}})
	}
	for name := range k.next {
		if _, told := k.away[name]; !told {
			k.house.log.Warn("the policy is in no file now: its rules stand still, and its minimums protect until it has been missing for long",
				zap.String("policy", name), zap.Duration("for", awayTime))
			tell(schedule.PolicyAway, name)
		}
	}
	for _, name := range d.back {
		tell(schedule.PolicyBack, name)
	}
	for _, name := range d.gone {
		tell(schedule.PolicyGone, name)
	}
	k.away = k.next
}

// loadThere loads what can be read; unreadable: some path cannot be read at all.
func (k *keeper) loadThere() (loaded policies.Loaded, print string, unreadable bool, err error) {
	paths := k.house.cfg.Policies
	print, away := k.filesPrint()
	there := slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return slices.Contains(away, p) })
	loaded, err = loadFiles(there, envOf(k.cfg))
	return loaded, print, len(away) > 0, err
}

package schedule

import (
	"fmt"
	"iter"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// CatchUp says what becomes of slots that nobody was there to run.
type CatchUp string

// Ways to catch up.
const (
	CatchUpSkip CatchUp = "skip" // none of them is run
	CatchUpOne  CatchUp = "one"  // the newest is run: it does the work of all
	CatchUpAll  CatchUp = "all"  // each is run, the newest thousand at most
)

// ParseCatchUp reads skip, one or all; empty is one.
func ParseCatchUp(text string) (CatchUp, error) {
	switch c := CatchUp(text); c {
	case "":
		return CatchUpOne, nil
	case CatchUpSkip, CatchUpOne, CatchUpAll:
		return c, nil
	}
	return "", fmt.Errorf("%q is no way to catch up: write skip, one or all", text)
}

const (
	late = time.Minute // a slot that was fired later than that was missed
	most = 1000        // slots that are caught up at once
)

// Sort parts the slots that came up to now into those to run and those that were
// missed.
func (c CatchUp) Sort(slots iter.Seq[time.Time], now time.Time) (run []time.Time, missed retention.MissedSlots) {
	keep := 1
	if c == CatchUpAll {
		keep = most
	}
	miss := func(t time.Time) {
		if missed.Count == 0 {
			missed = retention.MissedSlots{First: t, Why: retention.MissedDown}
		}
		missed.Last, missed.Count = t, missed.Count+1
	}
	for t := range slots {
		if run = append(run, t); len(run) > keep {
			miss(run[0])
			run = run[1:]
		}
	}
	if c == CatchUpSkip && len(run) > 0 && now.Sub(run[0]) > late {
		miss(run[0])
		run = nil
	}
	return run, missed
}

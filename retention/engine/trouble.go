package engine

import (
	"fmt"
	"strings"
)

// trouble is what rows or files of a step ran into that stay, and how many.
type trouble struct {
	n    int64
	what string
}

// mostTroubles is how many kinds of them a report tells; others are few, and counted
// among the rows that were left.
const mostTroubles = 5

// trouble adds what a batch told.
func (sw *stepWork) trouble(n int64, what string) {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	for i := range sw.troubles {
		if t := &sw.troubles[i]; t.what == what {
			t.n += n
			return
		}
	}
	if len(sw.troubles) < mostTroubles {
		sw.troubles = append(sw.troubles, trouble{n, what})
	}
}

// tell puts them into the report, which is partial then: a person has to look.
func (sw *stepWork) tell() {
	var all []string
	if sw.report.Error != "" {
		all = append(all, sw.report.Error)
	}
	for _, t := range sw.troubles {
		all = append(all, fmt.Sprintf("%d %s", t.n, t.what))
	}
	sw.report.Error = strings.Join(all, "; ")
}

package state

import (
	"cmp"
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// inTurn orders slots so that policies take turns: first the one whose last claim
// is longest ago, and of each the oldest slot. A policy with a thousand slots to
// catch up does not keep the others waiting.
func inTurn(rows []slotRow, sets map[retention.RuleSetID]scheduleRow) []slotRow {
	last := map[string]int64{}
	for id, s := range sets {
		last[id.Policy] = max(last[id.Policy], s.Claimed)
	}
	slices.SortStableFunc(rows, func(a, b slotRow) int {
		return cmp.Or(cmp.Compare(last[a.Policy], last[b.Policy]), cmp.Compare(a.Slot, b.Slot),
			cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.Set, b.Set))
	})
	return rows
}

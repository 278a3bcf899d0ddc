package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// spoolSet is a step's planned keys, by hash; each is taken once.
type spoolSet struct {
	hashes []uint64
	taken  []bool
}

func (s *spoolSet) take(h uint64) bool {
	i, ok := slices.BinarySearch(s.hashes, h)
	if !ok || s.taken[i] {
		return false
	}
	s.taken[i] = true
	return true
}

func (sw *stepWork) loadSpool(ctx context.Context) (*spoolSet, error) {
	out := &spoolSet{hashes: make([]uint64, 0, sw.step.Classes.Due)}
	for seq := 0; ; seq++ {
		page, err := sw.Store.SpoolPage(ctx, sw.plan.ID, sw.index, seq)
		if errors.Is(err, retention.ErrNotFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading the plan's keys: %w", err)
		}
		out.hashes = append(out.hashes, page.Hashes...)
	}
	slices.Sort(out.hashes)
	out.taken = make([]bool, len(out.hashes))
	return out, nil
}

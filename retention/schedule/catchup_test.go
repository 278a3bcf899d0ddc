package schedule

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/retentiond/retentiond/retention"
)

// Every slot is run or missed, none both; what is run is what was asked for.
func TestCatchUpSorts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom([]CatchUp{CatchUpSkip, CatchUpOne, CatchUpAll}).Draw(t, "catch-up")
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		n := rapid.IntRange(0, 3000).Draw(t, "slots")
		lag := time.Duration(rapid.IntRange(0, 600).Draw(t, "lag")) * time.Second
		var all []time.Time
		for i := range n {
			all = append(all, now.Add(-lag-time.Duration(n-1-i)*time.Minute))
		}
		run, missed := c.Sort(slices.Values(all), now)
		if len(run)+int(missed.Count) != n {
			t.Fatalf("%d run and %d missed of %d", len(run), missed.Count, n)
		}
		want := map[CatchUp]int{CatchUpOne: min(n, 1), CatchUpAll: min(n, most), CatchUpSkip: min(n, 1)}[c]
		if c == CatchUpSkip && lag > late {
			want = 0
		}
		if len(run) != want || want > 0 && !run[want-1].Equal(all[n-1]) {
			t.Fatalf("%s of %d slots runs %v, want the newest %d", c, n, run, want)
		}
		if missed.Count > 0 && (!missed.First.Equal(all[0]) || !missed.Last.Equal(all[missed.Count-1]) || missed.Why != retention.MissedDown) {
			t.Fatalf("missed %+v", missed)
		}
	})
}

func TestJitter(t *testing.T) {
	id := retention.RuleSetID{Policy: "shop", Set: "@daily"}
	rapid.Check(t, func(t *rapid.T) {
		slot := time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "slot"), 0)
		gap := time.Duration(rapid.IntRange(60, 86400).Draw(t, "gap")) * time.Second
		upTo := time.Duration(rapid.IntRange(0, 7200).Draw(t, "most")) * time.Second
		j := Jitter(id, slot, slot.Add(gap), upTo)
		if j < 0 || j > upTo || j >= gap/2+time.Second || j != Jitter(id, slot, slot.Add(gap), upTo) {
			t.Fatalf("jitter %s of at most %s, the next slot in %s", j, upTo, gap)
		}
	})
	seen := map[time.Duration]bool{}
	for i := range int64(50) {
		seen[Jitter(id, time.Unix(i*86400, 0), time.Time{}, time.Hour)] = true
	}
	if len(seen) < 20 {
		t.Errorf("50 slots have %d jitters", len(seen))
	}
}

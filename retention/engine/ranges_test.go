package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

func placed(n int64) retention.Cursor { return retention.Cursor{Key: retention.Key{n}} }

// A range that was put back and not taken again is before the place from which rows
// are named, or its rows would be left as if they had changed.
func TestRangesPutBackAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		named  bool
		retry  []int // numbers of ranges that were put back
		resume retention.Cursor
	}{
		"none was put back":   {true, nil, placed(8)},
		"an earlier one":      {true, []int{5}, placed(5)},
		"the earliest counts": {true, []int{6, 3, 5}, placed(3)},
		"a later one":         {true, []int{9}, placed(8)},
		"ranges still serve":  {false, []int{5}, retention.Cursor{}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &ranges{stepWork: &stepWork{}}
			if c.named {
				r.name(placed(8), 8)
			}
			for _, seq := range c.retry {
				r.retry = append(r.retry, stretch{seq: seq, Range: retention.Range{After: placed(int64(seq)), To: placed(int64(seq + 1))}})
			}
			r.leftovers()
			if r.named != c.named {
				t.Errorf("named is %t", r.named)
			}
			if diff := cmp.Diff(c.resume, r.resume); diff != "" {
				t.Errorf("rows are named from another place (-want +got):\n%s", diff)
			}
		})
	}
}

// Two ranges take turns where each is passed over several times, so that a pass is
// committed before the next one over its range begins; numbers stay in the page order.
func TestPassesTakeTurns(t *testing.T) {
	wide := func(n int) stretch {
		return stretch{Range: retention.Range{After: placed(int64(n)), Parts: 3}, seq: 3 * n}
	}
	r := &ranges{stepWork: &stepWork{}, passes: 3, last: true, wide: []stretch{wide(0), wide(1)}}
	var got []int
	for {
		s, ok := r.next(t.Context(), 10)
		if !ok {
			break
		}
		if s.After.Key[0] != int64(s.seq/3) || s.Part != s.seq%3 {
			t.Errorf("pass %d over the range after %v has the number %d", s.Part, s.After.Key, s.seq)
		}
		got = append(got, s.seq)
	}
	if diff := cmp.Diff([]int{0, 3, 1, 4, 2, 5}, got); diff != "" {
		t.Errorf("order of the passes (-want +got):\n%s", diff)
	}
}

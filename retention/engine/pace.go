package engine

import (
	"time"

	"github.com/retentiond/retentiond/retention"
)

// pace is what the last batches told of the cost of a batch: some of it is in
// the rows, and some is in the batch itself (many held subjects to bind).
type pace struct {
	rows  int
	took  time.Duration
	fixed time.Duration // what a batch costs whatever its rows, where that alone exceeds the target
}

// adapt steers the batch size to the time aimed at (L13).
func (sw *stepWork) adapt(took time.Duration, rows int) {
	t := sw.tune()
	if r, ok := sw.source.(retention.Remote); ok {
		if took, rows := r.Batches(); rows > 0 {
			t.Target, t.MaxRows = took, min(t.MaxRows, rows)
		}
	}
	sw.mu.Lock()
	defer sw.mu.Unlock()
	sw.pace.see(rows, took, t.Target)
	factor := 4.0
	if variable := max(took-sw.pace.fixed, took/20); variable > 0 {
		factor = min(4, max(0.5, float64(t.Target)/float64(variable)))
	}
	if rows < sw.size && factor > 1 {
		return // a short batch says nothing of a long one
	}
	most := t.MaxRows
	if rate := sw.throttle.Rate; rate > 0 {
		most = min(most, max(1000, int(rate/bursts)))
	}
	sw.size = int(min(float64(most), max(10, float64(sw.size)*factor)))
}

// bursts is into how many batches a second, or more, a limited rate is divided: a
// server feels many small ones less.
const bursts = 10

// see compares a batch with the one before: where half the rows take almost as
// long, smaller batches only make the same cost come more often.
func (p *pace) see(rows int, took, target time.Duration) {
	if p.rows > 0 && rows != p.rows {
		perRow := max(0, float64(took-p.took)/float64(rows-p.rows))
		fixed := time.Duration(float64(took) - perRow*float64(rows))
		if p.fixed = 0; fixed > target {
			p.fixed = fixed
		}
	}
	p.rows, p.took = rows, took
}

func (e *Engine) tune() Tune {
	t := e.Tune
	if t.Target <= 0 {
		t.Target = 250 * time.Millisecond
	}
	if t.First <= 0 {
		t.First = 1000
	}
	if t.MaxRows <= 0 {
		t.MaxRows = retention.MaxBatch
	}
	t.MaxRows = min(t.MaxRows, retention.MaxBatch)
	t.First = min(t.First, t.MaxRows)
	return t
}

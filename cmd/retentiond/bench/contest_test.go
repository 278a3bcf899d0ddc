package bench

import (
	"slices"
	"testing"
	"time"
)

// contest lets ways of the same work take turns, each on a fresh copy.
type contest struct {
	title string
	fresh func(b *testing.B) *place
	ways  []way // the first one is measured against the others
}

// way is one way to do the work. Reach is the ratio that the first way should
// come to against this one; 0: none is set.
type way struct {
	name  string
	reach float64
	do    func(b *testing.B, p *place) effort
}

// effort is what a way did, and took. What is not known is 0.
type effort struct {
	rows  int64
	took  time.Duration
	whole time.Duration // of the command, where took is of its steps
	p99   time.Duration // of a batch
	log   int64         // bytes that the server wrote to its log
	peak  int64
	cpu   time.Duration
	part  bool // was stopped before the end: the rate is extrapolated
}

func (e effort) rate() float64 { return float64(e.rows) / e.took.Seconds() }

// run does rounds for as long as the benchmark asks, and reports.
func (c contest) run(b *testing.B) {
	rounds := make([][]effort, len(c.ways))
	first := 0
	for b.Loop() {
		done := map[int64]bool{}
		for i := range c.ways {
			n := (first + i) % len(c.ways)
			e := c.once(b, n)
			rounds[n] = append(rounds[n], e)
			if !e.part {
				done[e.rows] = true
			}
		}
		if len(done) > 1 {
			b.Fatalf("%s: the ways did not do the same number of rows: %v", c.title, done)
		}
		first++
	}
	c.report(b, rounds)
}

func (c contest) once(b *testing.B, n int) effort {
	b.Helper()
	p := c.fresh(b)
	defer p.drop(b)
	before := p.logged(b)
	e := c.ways[n].do(b, p)
	e.log = p.logged(b) - before
	if e.rows == 0 {
		b.Fatalf("%s: %s did nothing", c.title, c.ways[n].name)
	}
	return e
}

func (c contest) report(b *testing.B, rounds [][]effort) {
	t := &table{title: c.title, rounds: len(rounds[0])}
	for i, w := range c.ways {
		r := row{name: w.name, reach: w.reach, effort: middle(rounds[i])}
		if i > 0 {
			var ratios []float64
			for n := range rounds[i] {
				ratios = append(ratios, rounds[0][n].rate()/rounds[i][n].rate())
			}
			r.ratio = median(ratios)
			b.ReportMetric(r.ratio, metric(w.name))
		}
		t.rows = append(t.rows, r)
	}
	b.ReportMetric(0, "ns/op")
	add(t)
}

// middle is the median of each figure by itself.
func middle(all []effort) effort {
	e := all[0]
	e.took = time.Duration(median(figures(all, func(e effort) float64 { return float64(e.took) })))
	e.whole = time.Duration(median(figures(all, func(e effort) float64 { return float64(e.whole) })))
	e.p99 = time.Duration(median(figures(all, func(e effort) float64 { return float64(e.p99) })))
	e.cpu = time.Duration(median(figures(all, func(e effort) float64 { return float64(e.cpu) })))
	e.log = int64(median(figures(all, func(e effort) float64 { return float64(e.log) })))
	e.peak = int64(slices.Max(figures(all, func(e effort) float64 { return float64(e.peak) })))
	e.rows = int64(median(figures(all, func(e effort) float64 { return float64(e.rows) })))
	return e
}

func figures(all []effort, of func(effort) float64) []float64 {
	var out []float64
	for _, e := range all {
		out = append(out, of(e))
	}
	return out
}

func median(all []float64) float64 {
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

// percentile takes the p-th of 100.
func percentile(all []time.Duration, p int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(len(all)-1, len(all)*p/100)]
}

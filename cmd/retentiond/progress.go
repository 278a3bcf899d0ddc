package main

import (
	"io"
	"sync"
	"time"

	"github.com/retentiond/retentiond/retention/engine"
	"github.com/schollz/progressbar/v3"
)

// progress shows on a terminal how far long work is; elsewhere it shows
// nothing.
type progress struct {
	mu  sync.Mutex
	w   io.Writer // nil: no terminal
	bar *progressbar.ProgressBar
	of  string // what the bar is about
}

func (a *app) newProgress() *progress {
	if isTerminal(a.Err) && !a.json() {
		return &progress{w: a.Err}
	}
	return &progress{}
}

// show takes a report of the engine; it may come from several goroutines.
func (p *progress) show(x engine.Progress) {
	if p.w == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	of := joined(" ", x.Phase, joined("/", x.Policy, x.Rule))
	if p.bar == nil || of != p.of {
		p.clear()
		p.of, p.bar = of, newBar(p.w, of, x.Total)
	}
	p.bar.Describe(joined(", waits: ", of, x.Waits))
	_ = p.bar.Set64(min(x.Done, max(x.Total, 0)))
}

// world takes the reports of the demo's builder.
func (p *progress) world(done, total int) {
	p.show(engine.Progress{Phase: "build", Done: int64(done), Total: int64(total)})
}

// done takes the bar off the screen.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}

func newBar(w io.Writer, of string, total int64) *progressbar.ProgressBar {
	return progressbar.NewOptions64(max(total, 1), progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(of),
		progressbar.OptionShowCount(), progressbar.OptionSetWidth(24), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}

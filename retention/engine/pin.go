package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
)

// pin remembers, before the first write, the due rows of every step that an
// earlier step of the same run could change: once old contacts are deleted, a
// person's last contact is another, and rows are due that no plan counted. Only
// what was planned is acted on (L6). A saved plan has its keys already.
func (w *work) pin(ctx context.Context) error {
	if w.saved != nil {
		return nil
	}
	var err error
	if w.secret, err = w.Store.SpoolKey(ctx, w.plan.ID); err != nil {
		return fatal(err)
	}
	w.pinned = map[int]*spoolSet{}
	acted := map[string]bool{} // sources, by uuid
	for i := range w.plan.Steps {
		s := &w.plan.Steps[i]
		b := w.view.find(s)
		if s.ReportOnly || s.Classes.Due == 0 || b == nil || w.refused(s) != nil {
			continue
		}
		id := w.view.servers[s.Source].Gate.SourceUUID
		if acted[id] && !b.Sealed {
			w.pinStep(ctx, i, s, b)
		}
		acted[id] = true
		if into := b.Act.Into; into != nil && into.Source != "" {
			acted[w.view.servers[into.Source].Gate.SourceUUID] = true
		}
	}
	return nil
}

// pinStep refuses a step whose rows cannot be told apart from those that the run
// itself makes due.
func (w *work) pinStep(ctx context.Context, i int, s *retention.Step, b *bind.Step) {
	set, err := w.dueNow(ctx, s, b)
	if err != nil {
		r := downRefusal(fmt.Errorf("reading due rows of table %q: %w", s.Table, err))
		r.Policy, r.Rule, r.Stage, r.Source = s.Policy, s.Rule, s.Stage, retention.Tenant(s.Source)
		w.report.Refusals = append(w.report.Refusals, *r)
		return
	}
	w.pinned[i] = set
}

// dueNow hashes the keys of the step's due rows, at most as many as were planned.
func (w *work) dueNow(ctx context.Context, s *retention.Step, b *bind.Step) (*spoolSet, error) {
	if s.Classes.Due > retention.MaxSpool {
		return nil, fmt.Errorf("%d due rows are more than the %d that one run can keep apart: run the rules one by one, with --rule", s.Classes.Due, int64(retention.MaxSpool))
	}
	src, err := w.source(ctx, s.Source)
	if err != nil {
		return nil, err
	}
	out := &spoolSet{hashes: make([]uint64, 0, s.Classes.Due)}
	var at retention.Cursor
	for left := s.Classes.Due; left > 0; {
		page, err := src.Page(ctx, b.Selection, w.view.holdsFor(b), at, int(min(left, spoolPage)))
		if err != nil {
			return nil, err
		}
		if len(page.Keys) == 0 {
			break
		}
		for _, k := range page.Keys {
			out.hashes = append(out.hashes, keyHash(w.secret, k))
		}
		at, left = page.Next, left-int64(len(page.Keys))
	}
	slices.Sort(out.hashes)
	out.taken = make([]bool, len(out.hashes))
	return out, nil
}

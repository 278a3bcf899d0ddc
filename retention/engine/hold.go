package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// PlaceHold writes the hold to the store, where every new batch sees it at once,
// and then passes through every source's gate, behind every batch that could
// still commit. When it returns without error the hold is in force: no
// transaction of retentiond that could touch a held row can commit any more (L3).
func (e *Engine) PlaceHold(ctx context.Context, req HoldRequest) (retention.Hold, error) {
	scopes, err := e.checkHold(ctx, req)
	if err != nil {
		return retention.Hold{}, err
	}
	h := retention.Hold{
		Matter: req.Matter, Subjects: req.Subjects, Datasets: scopes, Where: req.Where, WhereText: req.WhereText,
		Reason: req.Reason, PlacedBy: req.By, Review: req.Review,
	}
	if len(req.Subjects) > 0 && len(req.Datasets) == 0 {
		h.NotCovered = e.notCovered()
	}
	if h.Covers, err = e.covers(ctx, &h); err != nil {
		return h, err
	}
	if h, err = e.Store.PlaceHold(ctx, h); err != nil {
		return h, fmt.Errorf("placing the hold: %w", err)
	}
	e.reach(retention.PointPlaced)
	return e.signed(ctx)(e.pass(ctx, h, req.Wait))
}

// AddToHold extends a hold by subjects, and passes every gate again.
func (e *Engine) AddToHold(ctx context.Context, id string, req HoldRequest) (retention.Hold, error) {
	if len(req.Subjects) == 0 {
		return retention.Hold{}, usage("add --subject TYPE:ID", "there is nothing to add")
	}
	holds, err := e.Store.ListHolds(ctx, id, "")
	if err != nil || len(holds) == 0 {
		return retention.Hold{}, notFound(err, "hold", id)
	}
	if _, err := e.checkHold(ctx, req); err != nil {
		return retention.Hold{}, err
	}
	if err := e.coverMore(ctx, holds[0], req.Subjects); err != nil {
		return retention.Hold{}, err
	}
	h, err := e.Store.AddSubjects(ctx, id, req.Subjects, req.By)
	if err != nil {
		return h, fmt.Errorf("hold %q: %w", id, err)
	}
	e.reach(retention.PointPlaced)
	return e.signed(ctx)(e.pass(ctx, h, req.Wait))
}

func notFound(err error, what, id string) error {
	if err != nil {
		return fmt.Errorf("%s %q: %w", what, id, err)
	}
	return fmt.Errorf("%s %q: %w", what, id, retention.ErrNotFound)
}

// ReleaseHolds releases one hold, or all of a matter. Its rows stay held for the
// grace: a release never purges at once.
func (e *Engine) ReleaseHolds(ctx context.Context, id, matter, reason, by string) ([]retention.Hold, error) {
	holds, err := e.Store.ListHolds(ctx, id, matter)
	if err != nil {
		return nil, fmt.Errorf("reading holds: %w", err)
	}
	out := []retention.Hold{}
	for _, h := range holds {
		if h.State == retention.HoldReleased {
			continue
		}
		r, err := e.Store.ReleaseHold(ctx, h.ID, reason, by, e.Grace)
		if err != nil {
			return out, fmt.Errorf("releasing hold %q: %w", h.ID, err)
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		if id == "" {
			id = matter
		}
		return out, fmt.Errorf("no hold that is not released yet: %q: %w", id, retention.ErrNotFound)
	}
	return out, e.sign(ctx)
}

// pass takes the hold through every gate: of the sources configured, and of
// those that the store ever acted on.
func (e *Engine) pass(ctx context.Context, h retention.Hold, wait time.Duration) (retention.Hold, error) {
	if wait <= 0 {
		wait = time.Minute
	}
	names, err := e.Gates(ctx)
	if err != nil {
		return h, err
	}
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if waiting := e.passAll(limited, ctx, names, h); len(waiting) > 0 {
		if now, err := e.Store.ListHolds(ctx, h.ID, ""); err == nil && len(now) == 1 {
			h = now[0]
		}
		return h, gateError(h, waiting)
	}
	if waiting := e.tellVaults(limited, ctx, h.Version); len(waiting) > 0 {
		return h, gateError(h, waiting)
	}
	h, err = e.Store.MarkInForce(ctx, h.ID, "", h.Version)
	if err != nil {
		return h, fmt.Errorf("the hold passed every source, but could not be recorded as in force: %w", err)
	}
	e.reach(retention.PointInForce)
	return h, e.passedToo(ctx, names, h)
}

// passedToo records older holds that wait to pass: each was durable before this
// one, and whatever batch did not see it has ended too.
func (e *Engine) passedToo(ctx context.Context, names []string, h retention.Hold) error {
	holds := []retention.Hold{}
	waiting, err := e.Store.Placing(ctx, "")
	if err == nil && waiting {
		holds, err = e.Store.ListHolds(ctx, "", "")
	}
	if err != nil {
		return fmt.Errorf("reading the holds that wait to pass: %w", err)
	}
	for _, o := range holds {
		if o.State != retention.HoldPlacing || o.Version >= h.Version {
			continue
		}
		for _, name := range append(names, "") {
			if _, err := e.Store.MarkInForce(ctx, o.ID, name, o.Version); err != nil && !errors.Is(err, retention.ErrFenced) && !errors.Is(err, retention.ErrDecided) {
				return fmt.Errorf("hold %q passed every source with hold %q, but could not be recorded: %w", o.ID, h.ID, err)
			}
		}
	}
	return nil
}

// Gates lists the names of the sources that a hold must pass: those of the
// configuration, and those that were ever acted on.
func (e *Engine) Gates(ctx context.Context) ([]string, error) {
	names := e.sourceNames()
	registered, err := e.Store.RegisteredSources(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the registered sources: %w", err)
	}
	for _, r := range registered {
		if !has(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	return names, nil
}

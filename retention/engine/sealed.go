package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
)

// refused says why a sealed vault takes nothing.
func (v Vault) refused() string {
	if v.Sealed && v.Keeper == nil && v.Refused == "" {
		return "it cannot be opened"
	}
	return v.Refused
}

// keeper is the sealed vault of that name.
func (e *Engine) keeper(name string) (retention.SealedVault, error) {
	v, ok := e.Vaults[name]
	if !ok || v.Keeper == nil {
		return nil, refuse(retention.RefusePolicyError, "vault %q: %s", name, v.refused())
	}
	return v.Keeper, nil
}

// checkVault refuses to begin where the sealed vault cannot be written.
func (e *Engine) checkVault(ctx context.Context, name string) error {
	k, err := e.keeper(name)
	if err == nil {
		err = k.Check(ctx)
	}
	return err
}

// tally counts a step's rows by class: those of its table, or those of the segments
// that it ends, and since when rows that must stay are past their end.
func (e *Engine) tally(ctx context.Context, v *view, b *bind.Step, holds *retention.HoldSet, children []retention.Child) (retention.Counts, *time.Time, error) {
	if b.Sealed {
		return e.tallySealed(ctx, v, b, holds)
	}
	src, err := e.source(ctx, b.Source)
	if err != nil {
		return retention.Counts{}, nil, err
	}
	c, err := src.Count(ctx, b.Selection, holds, children)
	if err != nil {
		return c, nil, fmt.Errorf("counting table %q of source %q: %w", b.Selection.Table.Name, b.Source, err)
	}
	return c, nil, nil
}

func (e *Engine) tallySealed(ctx context.Context, v *view, b *bind.Step, holds *retention.HoldSet) (retention.Counts, *time.Time, error) {
	out := retention.Counts{Children: map[string]int64{}}
	var late *time.Time
	err := e.segments(ctx, v, b, holds, func(s *retention.Segment, class retention.Class, end time.Time) error {
		*out.Classes.Of(class) += s.Rows
		out.Classes.Total += s.Rows
		switch class {
		case retention.Held, retention.Protected, retention.Blocked:
			if late == nil || end.Before(*late) {
				late = &end
			}
		case retention.Due:
			for _, t := range s.Tables {
				if t.Child {
					out.Children[t.Name.String()] += t.Rows
				}
			}
			if first := s.First; out.OldestDue == nil || first.Before(*out.OldestDue) {
				out.OldestDue = &first
			}
			if last := s.Last; out.NewestDue == nil || last.After(*out.NewestDue) {
				out.NewestDue = &last
			}
		}
		return nil
	})
	if err != nil {
		return out, late, fmt.Errorf("counting vault %q: %w", b.Vault, err)
	}
	return out, late, nil
}

// segments calls f with each segment that the step is about, its class and its end.
// Only what the state store knows counts: a batch that never committed may have
// left a segment, and its rows are in their table.
func (e *Engine) segments(ctx context.Context, v *view, b *bind.Step, holds *retention.HoldSet, f func(*retention.Segment, retention.Class, time.Time) error) error {
	k, err := e.keeper(b.Vault)
	if err != nil {
		return err
	}
	known, err := e.knownSegments(ctx, b.Vault)
	if err != nil {
		return err
	}
	j, err := e.segmentJudge(v, b, holds)
	if err != nil {
		return err
	}
	return k.Segments(ctx, func(s *retention.Segment) error {
		if ref, ok := known[s.Name]; !ok || ref.Expired || ref.Manifest != s.Manifest || !j.about(s) {
			return nil
		}
		class, end := j.class(s)
		return f(s, class, end)
	})
}

func (e *Engine) knownSegments(ctx context.Context, vault string) (map[string]retention.KnownSegment, error) {
	list, err := e.Store.Segments(ctx, vault)
	if err != nil {
		return nil, fmt.Errorf("reading what is known of vault %q: %w", vault, err)
	}
	out := make(map[string]retention.KnownSegment, len(list))
	for _, s := range list {
		out[s.Name] = s
	}
	return out, nil
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"go.uber.org/zap"
)

// copying seals the rows of a batch: they leave their table only once their
// segments are durable and read back (L9).
func (sw *stepWork) copying(in retention.Intent, p part) func(context.Context, func(retention.RowWriter) error) ([]retention.SealedRef, error) {
	if !sw.act.Leaves() {
		return nil
	}
	if !sw.act.Sealed {
		return sw.delivering(in, p)
	}
	return func(ctx context.Context, read func(retention.RowWriter) error) ([]retention.SealedRef, error) {
		k, err := sw.keeper(in.Vault)
		if err != nil {
			return nil, err
		}
		s := k.Begin(retention.SealOrder{
			Intent: in.ID, Source: in.Source, SourceUUID: in.SourceUUID, Policy: sw.bound.Policy, Rule: sw.bound.Rule,
			Stage: sw.bound.Stage, Ways: waysOf(sw.bound), At: in.At, Reached: sw.Reached,
		})
		if err := read(s); err != nil {
			return nil, err
		}
		return s.Seal(ctx)
	}
}

// keeps locks the segments of a committed batch where their vault can. One that is
// not locked is safe all the same, and the log says so.
func (e *Engine) keeps(ctx context.Context, out retention.Outcome) {
	for _, r := range out.Segments {
		k, err := e.keeper(r.Vault)
		if err == nil {
			err = k.Keep(ctx, r.Name)
		}
		if err != nil {
			e.Log.Warn("a sealed segment is not locked until its end", zap.String("segment", r.Name), zap.Error(err))
		}
	}
}

// endSegments ends the segments whose rows' time is over, one a batch.
func (sw *stepWork) endSegments(ctx context.Context) error {
	if err := sw.vaultFits(ctx, sw.bound.Vault); err != nil {
		return err
	}
	holds, err := sw.Store.HoldSet(ctx, retention.SourceRecord{Name: sw.step.Source, UUID: sw.uuid})
	if err != nil {
		return refuse(retention.RefuseHoldUnreadable, "holds cannot be read, so nothing acts: %v", err)
	}
	var due []*retention.Segment
	err = sw.segments(ctx, sw.view, sw.bound, sw.follows(holds), func(s *retention.Segment, class retention.Class, _ time.Time) error {
		if class == retention.Due {
			due = append(due, &retention.Segment{Name: s.Name, Rows: s.Rows})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range due {
		if sw.stop.Err() != nil {
			return nil
		}
		if s.Rows > sw.left() {
			sw.report.Unplanned += s.Rows
			continue
		}
		if err := sw.endSegment(ctx, s); err != nil {
			return err
		}
		sw.progress(sw.soFar())
	}
	sw.report.Residuals = []string{fmt.Sprintf("copies of vault %q, as long as its backups are kept", sw.bound.Vault)}
	return nil
}

func (sw *stepWork) endSegment(ctx context.Context, s *retention.Segment) error {
	for try := 0; ; try++ {
		_, took, err := sw.apply(ctx, part{segment: s})
		if err == nil {
			sw.rests(ctx, took, 0)
			return nil
		}
		if !errors.Is(err, retention.ErrLocked) || errors.Is(err, retention.ErrUnsettled) || try >= tries {
			return err
		}
		sw.sleep(time.Duration(try+1) * 20 * time.Millisecond)
	}
}

// elsewhere is the batch that ends a segment. It keeps the source's gate meanwhile: a
// hold that is placed waits for it, or is seen by it (L3).
func (sw *stepWork) elsewhere(in retention.Intent, p part) *retention.Outside {
	if p.segment == nil {
		return nil
	}
	return &retention.Outside{
		Test: func(ctx context.Context, h *retention.HoldSet) (retention.Outcome, error) {
			return sw.testSegment(ctx, in, h)
		},
		Do: func(ctx context.Context) error {
			k, err := sw.keeper(in.Vault)
			if err == nil {
				err = k.Remove(ctx, in.Segment)
			}
			return err
		},
	}
}

// testSegment tests a segment again, under the holds that the batch was admitted
// with.
func (sw *stepWork) testSegment(ctx context.Context, in retention.Intent, h *retention.HoldSet) (out retention.Outcome, err error) {
	k, err := sw.keeper(in.Vault)
	if err != nil {
		return out, err
	}
	s, err := k.Segment(ctx, in.Segment)
	if errors.Is(err, retention.ErrNotFound) {
		out.Spared.Gone = in.Planned
		return out, nil
	}
	if err != nil {
		return out, err
	}
	j, err := sw.segmentJudge(sw.view, sw.bound, h)
	if err != nil {
		return out, err
	}
	class := retention.Excluded
	if j.about(s) && s.Rows == in.Planned {
		class, _ = j.class(s)
	}
	switch class {
	case retention.Due:
		out.Done, out.Children = s.Rows, map[string]int64{}
		for _, t := range s.Tables {
			if t.Child {
				out.Children[t.Name.String()] += t.Rows
			}
		}
		out.Expired = &retention.SealedRef{Vault: in.Vault, Name: s.Name, Rows: s.Rows, Cipher: s.Cipher.SHA256, Manifest: s.Manifest}
	case retention.Held:
		out.Spared.Held = in.Planned
	case retention.Protected:
		out.Spared.Protected = in.Planned
	case retention.Blocked:
		out.Spared.Blocked = in.Planned
	default:
		out.Spared.Changed = in.Planned
	}
	return out, nil
}

// settleSealed ends an intent that its source knows as abandoned. What the batch
// wrote to a sealed vault is removed, since its rows are in their table; a segment
// that it ended is gone, whatever the source says, if the vault does not have it:
// nobody else removes one.
func (e *Engine) settleSealed(ctx context.Context, in retention.Intent) (out retention.Outcome, err error) {
	out.Spared.Failed = max(0, in.Planned)
	if in.Vault == "" {
		return out, nil
	}
	if in.Segment == "" && (in.VaultUUID != "" || !e.Vaults[in.Vault].Sealed) {
		return out, e.withdraw(ctx, in)
	}
	k, err := e.keeper(in.Vault)
	if err != nil {
		return out, fmt.Errorf("%w: %w", retention.ErrUnsettled, err)
	}
	if err := e.vouch(ctx, in.Vault); refusalOf(err) != nil { // to a copy of the store, batches look abandoned that the store committed
		return out, fmt.Errorf("%w: %w", retention.ErrUnsettled, err)
	}
	if in.Segment == "" {
		if err := k.RemoveOf(ctx, in.ID); err != nil {
			e.Log.Warn("what a batch sealed that never committed stays in its vault: retentiond archive expire removes it",
				zap.String("intent", in.ID), zap.Error(err))
		}
		return out, nil
	}
	s, err := k.Segment(ctx, in.Segment)
	switch {
	case err == nil && s.Bad == "":
		whole, err := k.Has(ctx, in.Segment)
		if err == nil && whole {
			return out, nil
		}
		if err != nil {
			return out, fmt.Errorf("%w: %w", retention.ErrUnsettled, err)
		}
	case err == nil: // whatever is there cannot be believed: nothing is said to be gone
		return out, nil
	case !errors.Is(err, retention.ErrNotFound):
		return out, fmt.Errorf("%w: %w", retention.ErrUnsettled, err)
	}
	if err := k.Remove(ctx, in.Segment); err != nil {
		return out, fmt.Errorf("%w: %w", retention.ErrUnsettled, err)
	}
	return retention.Outcome{Done: in.Planned, Expired: &retention.SealedRef{Vault: in.Vault, Name: in.Segment, Rows: in.Planned}}, nil
}

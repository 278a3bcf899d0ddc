package engine

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"go.uber.org/zap"
)

// part is what one batch takes: rows by key, the children of one row, a range, or a
// partition.
type part struct {
	keys       []retention.Key
	childrenOf int64
	span       *retention.Range
	whole      *retention.Partition
	segment    *retention.Segment // of a sealed vault, that ends
}

// planned is how many planned rows a part names; [retention.PlannedRange] for a
// range, which tells only once it is done.
func (p part) planned() int64 {
	switch {
	case p.span != nil:
		return retention.PlannedRange
	case p.childrenOf > 0:
		return 0
	case p.whole != nil:
		return p.whole.Rows
	case p.segment != nil:
		return p.segment.Rows
	}
	return int64(len(p.keys))
}

// apply does one batch: a durable intent, the transaction, the outcome (L7). On
// an error of the transaction the intent is settled before anything else.
// The time is that of the batch's turn and its commit, without what a vault took once
// it had the rows: only that is the source's.
func (sw *stepWork) apply(ctx context.Context, p part) (out retention.Outcome, took time.Duration, err error) {
	in := sw.intent(p.planned())
	if p.whole != nil {
		in.Partition = p.whole.Name.String()
	}
	if sw.act.Leaves() || p.segment != nil {
		in.Vault = sw.bound.Vault
		if into := sw.act.Into; into != nil && into.Source != "" {
			in.VaultUUID = sw.view.servers[into.Source].Gate.SourceUUID
		}
	}
	if p.segment != nil {
		in.Segment = p.segment.Name
	}
	if in.At, err = sw.Store.Now(ctx); err != nil {
		return out, 0, fatal(err)
	}
	if err := sw.Store.Intend(ctx, in); err != nil {
		return out, 0, fatal(fmt.Errorf("no audit, no action: %w", err))
	}
	sw.reach(retention.PointIntended)
	began := sw.Now()
	b := sw.batchOf(in, p)
	b.Turn = sw.turn(&began)
	gate, away := sw.atGate(&b), sw.away(&b)
	out, err = sw.source.Apply(ctx, b)
	took = max(0, sw.Now().Sub(began)-away())
	sw.measured(took, gate())
	if err != nil {
		out, err = sw.failed(ctx, in, err)
		return out, took, err
	}
	return out, took, sw.conclude(ctx, in, out)
}

// turnWait is how long an admitted batch waits for its turn. It keeps the gate and
// nothing else meanwhile; the server ends transactions that idle for 10 s.
const turnWait = 2 * time.Second

// chainWait is the same where ranges run into the one that follows: who goes ahead
// there is waited for by the range before.
const chainWait = 8 * time.Second

// turn makes a batch wait until the source does fewer batches than it may, which
// keeps it at work while other batches are admitted and audited. Where the batch
// before is much slower than aimed at, it goes ahead beside it.
func (sw *stepWork) turn(began *time.Time) func() func() {
	return func() func() {
		patience := time.NewTimer(sw.patience)
		defer patience.Stop()
		end := func() {}
		select {
		case sw.slots <- struct{}{}:
			end = func() { <-sw.slots }
		case <-patience.C:
		}
		*began = sw.Now()
		return end
	}
}

// conclude audits what a batch did.
func (sw *stepWork) conclude(ctx context.Context, in retention.Intent, out retention.Outcome) error {
	if got := out.Done + out.Spared.Sum(); in.Planned != retention.PlannedRange && got != in.Planned {
		sw.Log.Error("a batch does not add up", zap.String("intent", in.ID), zap.Int64("planned", in.Planned), zap.Int64("got", got))
	}
	if err := sw.confirmed(ctx, in, cost(out) > 0); err != nil {
		return err
	}
	sw.add(out)
	defer sw.keeps(ctx, out)
	switch err := sw.Store.Conclude(ctx, in.ID, out, false); {
	case errors.Is(err, retention.ErrDecided):
		return overtaken(in, err)
	case err != nil:
		return fatal(fmt.Errorf("the batch is done, but its outcome could not be audited: %w", err))
	}
	sw.vouches(ctx, in.Vault)
	sw.reach(retention.PointConcluded)
	return nil
}

// overtaken is the error of a process that comes back to a batch whose intent
// another one settled meanwhile, from its receipt: the outcome is audited, once.
func overtaken(in retention.Intent, err error) error {
	return fatal(fmt.Errorf("%w: intent %s was settled while this run was paused: %w", retention.ErrFenced, in.ID, err))
}

func (sw *stepWork) intent(planned int64) retention.Intent {
	sw.mu.Lock()
	sw.batch++
	n := sw.batch
	sw.mu.Unlock()
	return retention.Intent{
		ID:  fmt.Sprintf("%s/%d/%d", sw.work.report.Run, sw.index+1, n),
		Run: sw.work.report.Run, Attempt: sw.lease.Attempt, Source: sw.step.Source, SourceUUID: sw.uuid,
		Policy: sw.step.Policy, Rule: sw.step.Rule, Stage: sw.step.Stage, Action: sw.step.Action,
		Table: sw.step.Table.String(), Planned: planned,
	}
}

func (sw *stepWork) batchOf(in retention.Intent, p part) retention.Batch {
	src := retention.SourceRecord{Name: in.Source, UUID: in.SourceUUID}
	return retention.Batch{
		Intent: in.ID, Selection: sw.bound.Selection, Action: sw.act, Keys: p.keys, Range: p.span, Known: sw.view.holdsFor(sw.bound), Partition: p.whole, ChildrenOf: p.childrenOf, AsOf: sw.plan.AsOf,
		Admit: func(ctx context.Context, g retention.Gate) (*retention.HoldSet, error) {
			if g.Installed && g.SourceUUID != in.SourceUUID {
				return nil, refuse(retention.RefuseStateMismatch, "source %q is not the database that was planned", in.Source)
			}
			set, err := sw.Store.Admit(ctx, src, sw.lease.Attempt, g)
			if set = sw.follows(set); err == nil {
				if r := sw.view.uncovered(sw.bound, set); r != nil {
					return nil, r
				}
			}
			return set, err
		},
		Seal: func(done int64, keys []retention.Key) string {
			if p.span != nil {
				keys = []retention.Key{{p.span.After.Order}, p.span.After.Key, {p.span.To.Order}, p.span.To.Key, {int64(p.span.Part), int64(p.span.Parts)}}
			}
			if p.whole != nil {
				keys = []retention.Key{{in.Partition}}
			}
			if p.segment != nil {
				keys = []retention.Key{{in.Vault}, {in.Segment}}
			}
			return sw.seal(in.ID, done, keys)
		},
		Outside: sw.elsewhere(in, p), Copy: sw.copying(in, p), Own: sw.owning(in),
		Waited: sw.holdWaits, Trouble: sw.trouble, Reached: sw.Reached,
	}
}

// seal is the receipt's digest: an HMAC over the rows' keys, or over the bounds of
// a range, since a plain hash of identifiers could be guessed back (L8).
func (sw *stepWork) seal(intent string, done int64, keys []retention.Key) string {
	m := hmac.New(sha256.New, sw.secret)
	m.Write(fmt.Appendf(nil, "%s\n%d\n%d\n", intent, sw.bound.Cutoff.UnixMicro(), done))
	var b [8]byte
	for _, k := range keys {
		binary.BigEndian.PutUint64(b[:], keyHash(sw.secret, k))
		m.Write(b[:])
	}
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// cost is how many rows a batch touched.
func cost(o retention.Outcome) int64 { return o.Done + total(o.Children) }

func (sw *stepWork) add(o retention.Outcome) {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	sw.report.Batches++
	sw.report.Done += o.Done
	sw.report.Spared.Add(o.Spared)
	for t, n := range o.Children {
		sw.report.Children[t] += n
	}
}

// failed settles the intent of a batch that returned an error: its receipt alone
// tells whether it was done.
func (sw *stepWork) failed(ctx context.Context, in retention.Intent, cause error) (retention.Outcome, error) {
	out, err := sw.settleSoon(ctx, in)
	switch {
	case errors.Is(err, retention.ErrDecided):
		return out, overtaken(in, cause)
	case err != nil:
		return out, fmt.Errorf("%w (and its end is not known yet: %w; the next run settles it)", cause, err)
	}
	if out.Digest != "" || out.Done > 0 { // the commit went through; only its reply was lost
		sw.add(out)
		return out, nil
	}
	if errors.Is(cause, retention.ErrFenced) {
		return out, fatal(cause)
	}
	return out, cause
}

// settleSoon tries again while the source is locked: a batch is tried again only
// under a new intent, and only once the old one is settled.
func (sw *stepWork) settleSoon(ctx context.Context, in retention.Intent) (out retention.Outcome, err error) {
	for try := 0; try < 5; try++ {
		out, err = sw.settle(ctx, in)
		if !errors.Is(err, retention.ErrLocked) || sw.stop.Err() != nil {
			break
		}
	}
	return out, err
}

// settle ends an intent from its receipt and audits the outcome.
func (e *Engine) settle(ctx context.Context, in retention.Intent) (retention.Outcome, error) {
	r, err := e.receipt(ctx, in)
	if err != nil {
		return retention.Outcome{}, err
	}
	return e.settled(ctx, in, r)
}

// receipt is the last word of a source on an intent.
func (e *Engine) receipt(ctx context.Context, in retention.Intent) (r retention.Receipt, err error) {
	src, err := e.source(ctx, in.Source)
	if err != nil {
		return r, err
	}
	srv, err := src.Server(ctx)
	if err != nil {
		return r, err
	}
	if srv.Gate.SourceUUID != in.SourceUUID {
		return r, fmt.Errorf("%w: source %q is not the database of the intent", retention.ErrUnsettled, in.Source)
	}
	// An older store has intents open that were ended long ago, and whose receipts are
	// pruned: to it they look abandoned.
	if err := e.Store.Fits(ctx, srv.Gate); err != nil {
		return r, fmt.Errorf("%w: %w", retention.ErrUnsettled, err)
	}
	e.reach(retention.PointSettling)
	r, err = src.Settle(ctx, in.ID, func(ctx context.Context) error { return e.Store.StillOpen(ctx, in.ID) })
	if err != nil {
		return r, fmt.Errorf("settling intent %s: %w", in.ID, err)
	}
	return r, nil
}

// settled audits what the receipt says.
func (e *Engine) settled(ctx context.Context, in retention.Intent, r retention.Receipt) (retention.Outcome, error) {
	e.reach(retention.PointSettled)
	var out retention.Outcome
	var err error
	if r.State == retention.ReceiptDone {
		out = retention.Outcome{Done: r.Rows, Digest: r.Digest, Spared: r.Spared, Children: r.Children, Segments: r.Segments, Copied: r.Copied}
		if in.Segment != "" && r.Rows > 0 {
			out.Expired = &retention.SealedRef{Vault: in.Vault, Name: in.Segment, Rows: r.Rows}
		}
	} else if out, err = e.settleSealed(ctx, in); err != nil {
		return out, err
	}
	if err := e.confirm(ctx, in.ID, cost(out) > 0); err != nil {
		return out, err
	}
	defer e.keeps(ctx, out)
	if err := e.Store.Conclude(ctx, in.ID, out, true); err != nil {
		return out, fatal(fmt.Errorf("auditing a settled intent: %w", err))
	}
	e.reach(retention.PointConcluded)
	return out, nil
}

// Recover settles every intent that a crash left without outcome; those of runs
// that are at work are theirs. One whose source cannot say stays open, and is tried
// again at the next run.
func (e *Engine) Recover(ctx context.Context) error { return e.recover(ctx, nil) }

// recover is [Engine.Recover] for a run about some sources: it does not wait long for
// the others. One that does not answer in time is not asked again.
func (e *Engine) recover(ctx context.Context, about concern) error {
	stray, err := e.Store.StrayIntents(ctx)
	if err != nil {
		return fmt.Errorf("reading open intents: %w", err)
	}
	late := map[string]bool{}
	for _, in := range stray {
		if late[in.Source] {
			continue
		}
		r, err := inTime(ctx, in.Source, about.patience(in.Source), func(ctx context.Context) (retention.Receipt, error) { return e.receipt(ctx, in) })
		if errors.Is(err, errLate) {
			late[in.Source] = true
		}
		if err == nil {
			_, err = e.settled(ctx, in, r)
		}
		switch {
		case err == nil, errors.Is(err, retention.ErrDecided): // the process that was paused came back and concluded it
		case errors.Is(err, errFatal):
			return err
		default:
			e.Log.Warn("an intent is not settled yet", zap.String("intent", in.ID), zap.Error(err))
		}
	}
	return nil
}

package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"go.uber.org/zap"
)

// Sealed vaults have no gate. Their places keep how far the state store had come, so that
// a copy of it, or an older one, ends nothing there and removes nothing (L3, L9).

// tellVaults makes every sealed vault keep the hold's version and a log that holds it;
// waiting says of each that does not, why. It is done before the hold is in force.
func (e *Engine) tellVaults(limited, ctx context.Context, version int64) (waiting map[string]error) {
	waiting = map[string]error{}
	names := e.sealedVaults()
	if len(names) == 0 {
		return waiting
	}
	cp, err := e.checkpoint(ctx)
	for _, name := range names {
		if err == nil {
			if e := e.Vaults[name].Keeper.Saw(limited, seenOf(version, cp), false); e != nil {
				waiting["vault "+name] = e
			}
			continue
		}
		waiting["vault "+name] = err
	}
	return waiting
}

func seenOf(version int64, cp audit.Checkpoint) retention.Seen {
	return retention.Seen{Holds: version, Log: cp.Total, Root: cp.Root}
}

// vouch makes a vault keep the log as it is; see [retention.SealedVault].
func (e *Engine) vouch(ctx context.Context, vault string) error {
	k, err := e.keeper(vault)
	if err != nil {
		return err
	}
	cp, err := e.checkpoint(ctx)
	if err != nil {
		return err
	}
	return k.Saw(ctx, seenOf(0, cp), false)
}

// vaultFits refuses where a sealed vault knows that this store is older, or a copy.
func (e *Engine) vaultFits(ctx context.Context, name string) error {
	k, err := e.keeper(name)
	if err == nil {
		err = k.Fits(ctx)
	}
	return err
}

// vouchEvery is how old what a vault keeps of a run at work becomes. A copy of the store
// waits for the run's lease before it settles the run's batches, which is longer.
const vouchEvery = 5 * time.Second

// vouches tells a batch's vault now and then. What does not work out is told at the end.
func (w *work) vouches(ctx context.Context, vault string) {
	if vault == "" || !w.Vaults[vault].Sealed {
		return
	}
	now, due := w.Now(), false
	locked(&w.mu, func() {
		if w.vouched == nil {
			w.vouched = map[string]time.Time{}
		}
		if due = now.Sub(w.vouched[vault]) >= vouchEvery; due {
			w.vouched[vault] = now
		}
	})
	if !due {
		return
	}
	if err := w.vouch(ctx, vault); err != nil {
		w.Log.Warn("a vault did not take how far the state store has come", zap.String("vault", vault), zap.Error(err))
	}
}

// tellUsed tells the sealed vaults of the run's steps, at its end.
func (w *work) tellUsed(ctx context.Context, cp audit.Checkpoint) {
	told := map[string]bool{}
	for i := range w.plan.Steps {
		b := w.view.find(&w.plan.Steps[i])
		if b == nil || told[b.Vault] || w.Vaults[b.Vault].Keeper == nil {
			continue
		}
		told[b.Vault] = true
		limited, cancel := context.WithTimeout(ctx, patience)
		err := w.Vaults[b.Vault].Keeper.Saw(limited, seenOf(0, cp), false)
		cancel()
		if err != nil {
			w.Log.Warn("a vault did not take the audit log's checkpoint", zap.String("vault", b.Vault), zap.Error(err))
		}
	}
}

// adoptVaults makes the places of sealed vaults that know another copy of this store, or
// a newer one, know this one. It is audited before it takes effect.
func (e *Engine) adoptVaults(ctx context.Context, by, reason string) error {
	for _, name := range e.sealedVaults() {
		k := e.Vaults[name].Keeper
		err := k.Fits(ctx)
		if r := refusalOf(err); r == nil || r.Code != retention.RefuseStateMismatch {
			continue
		}
		if err := e.Store.AdoptLog(ctx, by, reason); err != nil {
			return fmt.Errorf("no audit, no action: %w", err)
		}
		who, err := e.Store.Keyed(ctx, "by:"+by)
		if err == nil {
			_, err = e.Store.Record(ctx, audit.Event{Kind: audit.ConfigLoaded, Data: map[string]any{"what": "adopt", "vault": name, "by": who}})
		}
		if err != nil {
			return fmt.Errorf("no audit, no action: %w", err)
		}
		set, err := e.Store.HoldSet(ctx, retention.SourceRecord{})
		if err != nil {
			return fmt.Errorf("reading holds: %w", err)
		}
		cp, err := e.checkpoint(ctx)
		if err == nil {
			err = k.Saw(ctx, seenOf(set.Version, cp), true)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

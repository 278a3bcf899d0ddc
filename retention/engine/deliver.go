package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/bind"
)

// receiver is a source as one whose tables take rows of another.
func (e *Engine) receiver(ctx context.Context, name string) (retention.Source, retention.Receiver, error) {
	src, err := e.source(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	r, ok := src.(retention.Receiver)
	if !ok {
		return nil, nil, refuse(retention.RefusePolicyError, "source %q takes no rows of other sources: use a sealed vault", name)
	}
	return src, r, nil
}

// installVault makes the tables of a vault in another source, and registers that: a
// hold passes through its gate too before it is in force (L3).
func (w *work) installVault(ctx context.Context, from retention.Source, b *bind.Step, into *retention.VaultTables, v *view) error {
	dst, rec, err := w.receiver(ctx, into.Source)
	if err != nil {
		return err
	}
	lender, ok := from.(retention.Lender)
	if !ok {
		return refuse(retention.RefusePolicyError, "the tables of source %q cannot be made in another: use a sealed vault", b.Source)
	}
	g, err := w.gate(ctx, into.Source, dst)
	if err != nil {
		return err
	}
	srv := v.servers[into.Source]
	srv.Gate = g
	v.servers[into.Source] = srv
	if err := w.Store.RegisterSource(ctx, retention.SourceRecord{Name: into.Source, UUID: g.SourceUUID}); err != nil {
		return fmt.Errorf("registering source %q: %w", into.Source, err)
	}
	tables, names := []*retention.Table{b.Selection.Table}, []retention.TableName{into.Table}
	for i, c := range b.Act.Children {
		if t := b.Selection.Schema.Table(c.Table); t != nil && c.Then == retention.ChildDelete {
			tables, names = append(tables, t), append(names, into.Children[i])
		}
	}
	declared, err := lender.Declare(ctx, tables)
	if err == nil {
		err = rec.MakeVaultOf(ctx, declared, names)
	}
	if err != nil {
		return fmt.Errorf("vault %q in source %q: %w", b.Vault, into.Source, err)
	}
	return nil
}

// delivering copies the rows of a batch into a vault in another source: they leave
// their table only once the copy is durable there and read back (L9).
func (sw *stepWork) delivering(in retention.Intent, p part) func(context.Context, func(retention.RowWriter) error) ([]retention.SealedRef, error) {
	return func(ctx context.Context, read func(retention.RowWriter) error) ([]retention.SealedRef, error) {
		into := sw.act.Into
		_, rec, err := sw.receiver(ctx, into.Source)
		if err != nil {
			return nil, err
		}
		d := retention.Delivery{
			Intent: in.ID, Into: into, Key: sw.bound.Selection.Table.Key, Reached: sw.Reached,
			Admit: func(ctx context.Context, g retention.Gate) error {
				uuid := sw.view.servers[into.Source].Gate.SourceUUID
				if uuid == "" || g.SourceUUID != uuid {
					return refuse(retention.RefuseStateMismatch, "source %q of vault %q is not the database that was planned", into.Source, in.Vault)
				}
				_, err := sw.Store.Admit(ctx, retention.SourceRecord{Name: into.Source, UUID: uuid}, sw.lease.Attempt, g)
				return err
			},
		}
		if p.childrenOf > 0 {
			d.Keys = p.keys
		}
		return nil, rec.Receive(ctx, d, read)
	}
}

// withdraw ends, in a vault in another source, an intent that its own source
// abandoned: the rows are in their table, and no copy stays.
func (e *Engine) withdraw(ctx context.Context, in retention.Intent) error {
	v, ok := e.Vaults[in.Vault]
	if !ok || v.Sealed || v.Source == "" || in.VaultUUID == "" {
		return elsewhere(in)
	}
	src, rec, err := e.receiver(ctx, v.Source)
	var srv retention.Server
	if err == nil {
		srv, err = src.Server(ctx)
	}
	if err == nil && srv.Gate.SourceUUID != in.VaultUUID {
		return elsewhere(in)
	}
	if err == nil {
		err = rec.Withdraw(ctx, in.ID, func(ctx context.Context) error { return e.Store.StillOpen(ctx, in.ID) })
	}
	if err != nil {
		return fmt.Errorf("%w: withdrawing copies from vault %q: %w", retention.ErrUnsettled, in.Vault, err)
	}
	return nil
}

// elsewhere: an intent ends where its batch wrote, and nowhere else.
func elsewhere(in retention.Intent) error {
	return fmt.Errorf("%w: vault %q is not any more where batch %s wrote to: copies of rows that stayed may be there; configure it as it was until the batch is settled", retention.ErrUnsettled, in.Vault, in.ID)
}

// pruneCopies drops the receipts that vaults in other sources have of a source's
// batches.
func (w *work) pruneCopies(ctx context.Context, uuid string, ids []string) error {
	var done []string
	for i := range w.view.bound.Steps {
		b := &w.view.bound.Steps[i]
		into := b.Act.Into
		if into == nil || into.Source == "" || slices.Contains(done, into.Source) || w.view.servers[b.Source].Gate.SourceUUID != uuid || !w.view.servers[into.Source].Gate.Installed {
			continue
		}
		done = append(done, into.Source)
		src, err := w.source(ctx, into.Source)
		if err == nil {
			err = src.Prune(ctx, ids)
		}
		if err != nil {
			return fmt.Errorf("source %q: %w", into.Source, err)
		}
	}
	return nil
}

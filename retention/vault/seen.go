package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// A vault's place keeps how far each state store had come that acts on it, in files whose
// names say it all. Each is written once: two copies of a store that write at once leave
// two, and neither overwrites what the other said. They are read before anything is
// removed (L3, L9).

// seenFolder is where they are.
const seenFolder = ".retentiond-seen"

// seenIn is the store of those files.
func (v *Vault) seenIn() store {
	if b, ok := v.store.(*bucket); ok {
		o := b.o
		o.Prefix += seenFolder + "/"
		return &bucket{b.c, o}
	}
	return dir{filepath.Join(v.o.Path, seenFolder)}
}

// Fits is a state_mismatch refusal where the vault's place knows that this state store
// is older than one with its identity that acted there, or another copy of it.
func (v *Vault) Fits(ctx context.Context) error {
	if v.o.Places == nil {
		return nil
	}
	_, err := v.fitting(ctx)
	return err
}

// fitting are the marks of this store, once each fits it.
func (v *Vault) fitting(ctx context.Context) ([]retention.Seen, error) {
	marks, err := v.marks(ctx)
	for i := 0; err == nil && i < len(marks); i++ {
		g := retention.Gate{Installed: true, StoreUUID: v.o.Store}
		g.Saw(marks[i])
		err = v.o.Places.Fits(ctx, g)
	}
	if r, ok := errors.AsType[*retention.Refusal](err); ok {
		return nil, &retention.Refusal{Code: r.Code, Message: fmt.Sprintf("vault %q (%s): %s", v.o.Name, v.store.place(), strings.ReplaceAll(r.Message, "the source has", "it has"))}
	}
	return marks, err
}

// marks are what the place keeps of this store.
func (v *Vault) marks(ctx context.Context) (out []retention.Seen, err error) {
	names, err := v.seenIn().list(ctx)
	if err != nil {
		return nil, v.fail(err)
	}
	for _, n := range names {
		if rest, ok := strings.CutPrefix(n, v.o.Store+"."); ok {
			if s, ok := retention.ParseSeen(rest); ok {
				out = append(out, s)
			}
		}
	}
	return out, nil
}

// Saw makes the place keep how far this store has come: at least now, and never less than
// before; adopt: just that, whatever it kept. A vault in which nothing was ever archived
// keeps nothing. Durable on return.
func (v *Vault) Saw(ctx context.Context, now retention.Seen, adopt bool) error {
	if v.o.Places == nil {
		return nil
	}
	if err := v.atHome(ctx, false); err != nil {
		return err
	}
	if found, err := v.found(ctx); err != nil || found == "" {
		return err
	}
	before, err := v.seenBefore(ctx, adopt)
	if err != nil {
		return err
	}
	if !adopt {
		for _, m := range before {
			now = m.With(now)
		}
	}
	at := v.seenIn()
	if err := at.put(ctx, v.markOf(now), []byte(now.String()+"\n")); err != nil && !errors.Is(err, fs.ErrExist) {
		return v.fail(fmt.Errorf("how far the state store has come cannot be written: %w", err))
	}
	if err := at.sync(ctx); err != nil {
		return v.fail(err)
	}
	if before, err = v.seenBefore(ctx, adopt); err != nil {
		return err
	}
	for _, m := range before {
		if m == now || !adopt && now.Beyond(m) { // another process of this store wrote it meanwhile
			continue
		}
		if err := at.remove(ctx, v.markOf(m)); err != nil {
			return v.fail(err)
		}
	}
	return nil
}

func (v *Vault) markOf(s retention.Seen) string { return v.o.Store + "." + s.String() }

// seenBefore are the marks that are there; to adopt, none of them has to fit.
func (v *Vault) seenBefore(ctx context.Context, adopt bool) ([]retention.Seen, error) {
	if adopt {
		return v.marks(ctx)
	}
	return v.fitting(ctx)
}

package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// A vault's place carries a file that names it, written before the first segment,
// and the state store keeps that name. A disk that is not mounted leaves an empty
// directory: nothing is written there, and nothing that is missing from it counts
// as ended.

// identityFile is the file that names the place.
const identityFile = ".retentiond-vault"

// making stands before a name whose file may not have been written yet.
const making = "making "

// Places keeps the name of each vault's place.
type Places interface {
	// VaultPlace is the name that is kept; empty: none yet.
	VaultPlace(ctx context.Context, vault string) (string, error)
	// ChangeVaultPlace keeps another name where had is the one that is kept, and
	// returns the one that is kept then. Durable on return.
	ChangeVaultPlace(ctx context.Context, vault, had, name string) (string, error)
	// Fits is a state_mismatch refusal where the state store is older than a gate, or
	// another copy of the store that it knows.
	Fits(ctx context.Context, g retention.Gate) error
}

// ErrAway says that what is at the vault's place is not the vault.
var ErrAway = errors.New("the vault is not there")

// here is what a vault knows of its own place.
type here struct {
	mu   sync.Mutex
	name string // confirmed, as the state store keeps it
	sure bool   // a bucket that was looked at: it is not unmounted
}

// atHome refuses where the place is not the one that the state store knows. With
// write, a place that has no name yet gets one.
func (v *Vault) atHome(ctx context.Context, write bool) error {
	if v.o.Places == nil {
		return nil
	}
	v.here.mu.Lock()
	defer v.here.mu.Unlock()
	if v.here.sure && v.o.S3 != nil {
		return nil
	}
	const tries = 50
	for try := range tries { // others may give the same place its name at the same time
		if try > 4 { // they are writing it
			if err := rest(ctx, 20*time.Millisecond); err != nil {
				return v.fail(err)
			}
		}
		if try == tries-3 && write { // for a second nobody ended what was begun: whoever did is dead
			if err := v.store.remove(ctx, unfinished+identityFile); err != nil {
				return v.fail(err)
			}
		}
		done, err := v.identify(ctx, write)
		if err != nil {
			return v.fail(err)
		}
		if done {
			return nil
		}
	}
	return v.fail(fmt.Errorf("%w: others keep giving its place another name", ErrAway))
}

// rest waits.
func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// identify takes one step towards a name that file and state store agree on.
func (v *Vault) identify(ctx context.Context, write bool) (done bool, err error) {
	kept := v.here.name
	if kept == "" {
		if kept, err = v.o.Places.VaultPlace(ctx, v.o.Name); err != nil {
			return false, err
		}
	}
	found, err := v.found(ctx)
	if err != nil {
		return false, err
	}
	pending, unfinished := strings.CutPrefix(kept, making)
	switch {
	case kept != "" && !unfinished:
		return v.confirm(kept, found)
	case found != "":
		_, err = v.o.Places.ChangeVaultPlace(ctx, v.o.Name, kept, found)
	case !write:
		return true, nil // nothing was ever archived here
	case kept == "":
		_, err = v.o.Places.ChangeVaultPlace(ctx, v.o.Name, "", making+randomName())
	default:
		if err = v.store.put(ctx, identityFile, []byte(pending+"\n")); err == nil || errors.Is(err, fs.ErrExist) {
			err = v.store.sync(ctx)
		}
	}
	return false, err
}

// confirm compares what the place says with what is kept.
func (v *Vault) confirm(kept, found string) (bool, error) {
	switch found {
	case kept:
		v.here.name, v.here.sure = kept, true
		return true, nil
	case "":
		return false, fmt.Errorf("%w: the place has no file %s; is it mounted? nothing is written to it, and nothing counts as ended", ErrAway, identityFile)
	}
	return false, fmt.Errorf("%w: the place is that of another vault (%s); correct the path, or give this vault another name", ErrAway, identityFile)
}

// found is the name that the place carries; empty: none.
func (v *Vault) found(ctx context.Context) (name string, err error) {
	r, err := v.store.get(ctx, identityFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	text, err := io.ReadAll(io.LimitReader(r, 200))
	if name = strings.TrimSpace(string(text)); err == nil && name == "" {
		err = fmt.Errorf("%w: the file %s is empty", ErrAway, identityFile)
	}
	return name, err
}

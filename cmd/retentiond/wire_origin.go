package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/retentiond/retentiond/configs"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/state"
)

// keyOrigin is the origin that a key file names; ok = false: it holds no key.
func keyOrigin(path string) (origin string, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", false
	}
	signer, err := note.NewSigner(strings.TrimSpace(string(text)))
	if err != nil {
		return "", false
	}
	return signer.Name(), true
}

// originFault: the configuration's audit.origin is not that of the key. Only
// where nothing was ever recorded may the key be made again.
func originFault(ctx context.Context, cfg *configs.Config, had string) error {
	path, origin := cfg.Audit.KeyFile, cfg.Audit.Origin
	hint := "set audit.origin back to " + had
	if nothingRecorded(ctx, cfg, had) {
		hint += fmt.Sprintf("; or, since nothing is signed yet, remove the key file %s and the state store %s: both are made again, for %s",
			path, strings.TrimPrefix(redactedState(cfg), "sqlite:"), origin)
	}
	f := usage(hint, "the audit key %s is of origin %s, the configuration says audit.origin: %s", path, had, origin)
	f.Code = "config"
	return f
}

// errSome ends a look at the entries at the first one.
var errSome = errors.New("there is an entry")

// nothingRecorded reports whether the log of the key's origin is empty for sure:
// no checkpoint beside the key, no entry in the state store.
func nothingRecorded(ctx context.Context, cfg *configs.Config, origin string) bool {
	key, err := audit.LoadKey(cfg.Audit.KeyFile, origin)
	if err != nil {
		return false
	}
	if _, kept, err := key.KeptCheckpoint(); err != nil || kept {
		return false
	}
	bound, err := state.KeyOf(ctx, cfg.State.Reveal())
	if err != nil || bound == "" {
		return err == nil
	}
	store, err := state.Open(ctx, state.Options{DSN: cfg.State.Reveal(), Key: key, Clock: time.Now})
	if err != nil {
		return false
	}
	err = store.Entries(ctx, state.Filter{Limit: 1}, func(audit.Entry) error { return errSome })
	return errors.Join(err, store.Close()) == nil
}

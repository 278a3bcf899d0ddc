package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/retentiond/retentiond/configs"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/schedule"
	"github.com/retentiond/retentiond/retention/state"
)

func serveCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "The daemon: run the rules at their schedules",
		Long: `serve runs the rules of the policies at their schedules, each slot once, whichever process runs
it. What a crash left open is settled first. A rule that needs an approval parks its plan and
says so once; an approved plan runs at the next slot. Slots that nobody was there to run are
caught up as schedule.catch_up says: skip, one (the default) or all.

Policies are read again on SIGHUP and when their files change, each as a whole; the files are
compared every 5 s and before each run. One that no longer loads stops its own rules, and goes
on protecting by its last good text; so does one whose file is missing, for a minute, and then
it is gone. Lists of tenants (dsns_file, dsns) are read again with them; anything else that
changes in the configuration needs a restart.

The first interrupt (SIGTERM, SIGINT) ends the runs at work between batches, within 30 s, and
then the daemon; the second ends it at once, which is safe. The log goes to stderr as
log.level and log.format say.

Exit codes: 0 stopped as asked; 1 error; 2 configuration error; 130 ended by a second signal,
or because the work at hand did not end in time.`,
		Example: `  retentiond serve
  retentiond serve --config /etc/retentiond/retentiond.yaml --log-level debug`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			a.daemon = true
			return a.serve(cmd.Context())
		}),
	}
}

// drainTime is how long the daemon waits for the work at hand once a stop was
// asked for. Kubernetes kills after 30 s.
const drainTime = 25 * time.Second

// serve works until ctx is done, and then until the work at hand has ended.
func (a *app) serve(ctx context.Context) error {
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	f, err := newFront(a, cfg)
	if err != nil {
		return err
	}
	f.start(ctx)
	defer f.stop()
	k, err := a.beginPatiently(ctx, f)
	if err != nil {
		return err
	}
	if k == nil {
		return nil
	}
	h := k.house
	f.take(ctx, k)
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.daemon.Serve(ctx)
	}()
	k.watch(ctx)
	k.service.ready(ctx)
	k.tellReady(ctx)
	<-ctx.Done()
	k.service.stopping()
	select {
	case <-done:
		f.stop() // while the store is open
		h.engine = k.current()
		h.close()
		return nil
	case <-time.After(drainTime):
		h.log.Error("the work at hand did not end in time: it is left as a crash leaves it, and is settled at the next start", zap.Duration("after", drainTime))
		return verdict(exitInterrupted)
	}
}

// beginPatiently opens the house and its keeper, and waits for a state store that
// does not answer yet. What only a person can put right ends it; nil, nil: it was
// asked to stop before it worked.
func (a *app) beginPatiently(ctx context.Context, f *front) (*keeper, error) {
	pause := schedule.Pauses()
	for {
		k, err := a.begin(ctx, f)
		if ctx.Err() != nil {
			if k != nil {
				k.house.close()
			}
			return nil, nil
		}
		var store *storeError
		if !errors.As(err, &store) || !store.mayHeal() {
			return k, err
		}
		log, bad := a.newLog(store.log)
		if bad != nil {
			return nil, errors.Join(err, bad)
		}
		f.observe(schedule.Event{Kind: schedule.StoreDown, Err: err})
		log.Error("the state store cannot be opened: nothing acts until it can", zap.Error(err))
		select {
		case <-time.After(pause.NextBackOff()):
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// begin opens the house and its keeper, once.
func (a *app) begin(ctx context.Context, f *front) (*keeper, error) {
	h, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	h.engine.Measure = f.measure()
	k, err := newKeeper(ctx, h, f.observe)
	if err != nil {
		h.close()
		return nil, err
	}
	return k, nil
}

// storeError is of a state store that could not be opened, or failed before the
// daemon worked.
type storeError struct {
	error
	log configs.Log
}

// Unwrap gives the error behind it.
func (e *storeError) Unwrap() error { return e.error }

// mayHeal reports whether waiting may help: not where the store is another one than
// configured, or newer.
func (e *storeError) mayHeal() bool {
	return !errors.Is(e, audit.ErrKey) && !errors.Is(e, state.ErrNewer) && !errors.Is(e, state.ErrForeign) && !errors.Is(e, state.ErrDSN)
}

// onHangup calls f at every SIGHUP until ctx is done.
func onHangup(ctx context.Context, f func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer signal.Stop(hangups)
		for {
			select {
			case <-hangups:
				f()
			case <-ctx.Done():
				return
			}
		}
	}()
}

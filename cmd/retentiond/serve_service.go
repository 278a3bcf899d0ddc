package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"github.com/retentiond/retentiond/retention/schedule"
)

// service tells the service manager (systemd) how the daemon is; where there is
// none, nobody.
type service struct {
	log *zap.Logger
	now func() time.Time

	mu     sync.Mutex
	turned time.Time // when the daemon last turned
	status string    // what was last said
}

// turnsWithin is how long the daemon may take for a turn before the watchdog is no
// longer told that it lives: longer than a state store that does not answer.
const turnsWithin = 90 * time.Second

func (s *service) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Warn("the service manager was not told", zap.Error(err))
	}
}

// ready says that the daemon works, and from now on that it lives, until ctx is done.
func (s *service) ready(ctx context.Context) {
	s.alive()
	s.notify(daemon.SdNotifyReady)
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every <= 0 {
		return
	}
	go func() {
		t := time.NewTicker(every / 3)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				if s.turns() {
					s.notify(daemon.SdNotifyWatchdog)
				}
			case <-ctx.Done(): // stopping has a time of its own
				return
			}
		}
	}()
}

// alive is told at every turn of the daemon.
func (s *service) alive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turned = s.now()
}

func (s *service) turns() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now().Sub(s.turned) < turnsWithin
}

func (s *service) stopping() { s.notify(daemon.SdNotifyStopping) }

// observe makes a line of status of what the daemon tells.
func (s *service) observe(e schedule.Event) {
	line := ""
	switch e.Kind {
	case schedule.RunStarted:
		line = "running the " + e.Slot.String()
	case schedule.RunEnded, schedule.StoreUp, schedule.Resumed:
		line = "waiting for the next slot"
	case schedule.StoreDown:
		line = "the state store does not answer: nothing acts"
	case schedule.Stopped:
		line = "stopped by the kill switch"
	case schedule.Draining:
		line = "stopping: batches at work end"
	case schedule.Backlog:
		if e.Open > 0 {
			return
		}
		line = "waiting for the next slot"
	default:
		return
	}
	s.mu.Lock()
	changed := s.status != line
	s.status = line
	s.mu.Unlock()
	if changed {
		s.notify(fmt.Sprintf("STATUS=%s", line))
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
)

func TestExitCodes(t *testing.T) {
	stopped, stop := context.WithCancel(context.Background())
	stop()
	wrap := func(err error) error { return fmt.Errorf("doing it: %w", err) }
	tests := []struct {
		name string
		ctx  context.Context
		err  error
		want int
		code string
	}{
		{"nothing", nil, nil, exitOK, ""},
		{"plain", nil, errors.New("x"), exitError, "error"},
		{"verdict", nil, verdict(exitPartial), exitPartial, ""},
		{"usage", nil, wrap(&engine.UsageError{Message: "x", Hint: "y"}), exitUsage, "usage"},
		{"refusal", nil, wrap(&retention.Refusal{Code: retention.RefuseClock}), exitRefused, "clock"},
		{"gate", nil, &engine.GateError{}, exitRefused, "gate"},
		{"not found", nil, wrap(retention.ErrNotFound), exitUsage, "not_found"},
		{"decided", nil, wrap(retention.ErrDecided), exitRefused, "decided"},
		{"busy", nil, wrap(retention.ErrBusy), exitError, "busy"},
		{"fenced", nil, wrap(retention.ErrFenced), exitError, "fenced"},
		{"canceled", nil, wrap(context.Canceled), exitInterrupted, "interrupted"},
		{"stopped by a signal", stopped, errors.New("x"), exitInterrupted, "error"},
		{"several", nil, faults{usage("", "a"), usage("", "b")}, exitUsage, "usage"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.ctx == nil {
				tt.ctx = context.Background()
			}
			a := newApp(streams{Out: io.Discard, Err: io.Discard})
			if got := a.finish(tt.ctx, tt.err); got != tt.want {
				t.Errorf("exit code %d, want %d", got, tt.want)
			}
			if tt.code != "" && faultsOf(tt.err)[0].Code != tt.code {
				t.Errorf("code %q, want %q", faultsOf(tt.err)[0].Code, tt.code)
			}
		})
	}
}

// Every refusal that a person can lift or mend says how.
func TestEveryRefusalHasARemedy(t *testing.T) {
	codes := []retention.RefusalCode{
		retention.RefuseLimitRows, retention.RefuseLimitShare, retention.RefuseApproval, retention.RefuseClock, retention.RefuseSchemaDrift,
		retention.RefuseColumnsUncovered, retention.RefuseForeignKey, retention.RefuseStateMismatch, retention.RefuseHoldUnreadable,
		retention.RefuseGate, retention.RefuseKillSwitch, retention.RefusePolicyError, retention.RefuseSourceDown, retention.RefusePrivilege, retention.RefuseUnsafeTable,
		retention.RefuseNeverArchived, retention.RefuseKAnonymity, retention.RefuseExpiredPlan, retention.RefusePreview,
	}
	for _, c := range codes {
		if remedy(c) == "" {
			t.Errorf("%s has no remedy", c)
		}
	}
}

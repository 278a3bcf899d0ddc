package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/retentiond/retentiond/retention/state"
)

// Exit codes. Scripts depend on them.
const (
	exitOK          = 0   // done, nothing left to say
	exitError       = 1   // it could not do what was asked
	exitUsage       = 2   // usage, configuration or policy error
	exitPartial     = 3   // some step failed, or overdue rows are not explained
	exitRefused     = 4   // limit, approval, clock guard, drift, hold not in force everywhere
	exitVerify      = 5   // the audit log does not verify
	exitInterrupted = 130 // stopped between batches; what was committed is audited
)

// fault is one error as a person or a script reads it.
type fault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
	At      string `json:"at"` // file:line:col, or empty
	exit    int
}

// Error returns the message.
func (f *fault) Error() string { return f.Message }

// faults are several errors of one file set, found in one go.
type faults []*fault

// Error returns every message, one a line.
func (fs faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Message
	}
	return strings.Join(lines, "\n")
}

// verdict ends a command that has printed its result with an exit code and
// nothing more to say.
type verdict int

// Error names the code; it is never shown.
func (v verdict) Error() string { return fmt.Sprintf("exit %d", int(v)) }

// usage is a mistake in what was asked: exit 2.
func usage(hint, format string, args ...any) *fault {
	return &fault{Code: "usage", Message: fmt.Sprintf(format, args...), Hint: hint, exit: exitUsage}
}

// asUsage turns an error of the flag parser into a usage fault.
func asUsage(err error) error {
	var f *fault
	if errors.As(err, &f) {
		return err
	}
	msg, rest, _ := strings.Cut(err.Error(), "\n")
	hint := "retentiond --help lists the commands"
	if _, s, ok := strings.Cut(rest, "Did you mean this?"); ok {
		hint = "did you mean " + strings.Join(strings.Fields(s), " or ") + "?"
	}
	return usage(hint, "%s", msg)
}

// faultsOf says what an error means to the person who gave the command.
func faultsOf(err error) faults {
	var several faults
	if errors.As(err, &several) {
		return several
	}
	var one *fault
	if errors.As(err, &one) {
		return faults{one}
	}
	return faults{classify(err)}
}

func classify(err error) *fault {
	f := &fault{Code: "error", Message: err.Error(), exit: exitError}
	var use *engine.UsageError
	var refusal *retention.Refusal
	var gate *engine.GateError
	var unfit *retention.UnfitApproval
	switch {
	case errors.As(err, &use):
		f.Code, f.Hint, f.exit = "usage", use.Hint, exitUsage
	case errors.As(err, &unfit):
		f.Code, f.Message, f.Hint, f.exit = "unfit_approval", unfit.Why, unfit.Hint, exitUsage
		if unfit.Refused {
			f.exit = exitRefused
		}
	case errors.As(err, &refusal):
		f.Code, f.Hint, f.exit = string(refusal.Code), remedy(refusal.Code), exitRefused
		if err.Error() == refusal.Error() {
			f.Message = "refused: " + refusal.Message
		}
	case errors.As(err, &gate):
		f.Code, f.Hint, f.exit = "gate", "the hold stays placing, which every new batch already sees; "+
			"run `retentiond hold show "+gate.Hold.ID+"` until it is in force", exitRefused
	case errors.Is(err, audit.ErrTail):
		f.Code, f.Hint, f.exit = string(retention.RefuseStateMismatch), "retentiond audit verify says from where on the log cannot be trusted", exitRefused
	case errors.Is(err, retention.ErrFenced):
		f.Code, f.Hint = "fenced", "nothing was done twice: `retentiond runs list` and `retentiond hold list` show what the other process did"
	case errors.Is(err, state.ErrDSN):
		f.Code, f.exit = "config", exitUsage
	case errors.Is(err, retention.ErrNotFound):
		f.Code, f.exit = "not_found", exitUsage
	case errors.Is(err, retention.ErrDecided):
		f.Code, f.Hint, f.exit = "decided", "a decision stands: make a new plan with `retentiond plan`", exitRefused
	case errors.Is(err, retention.ErrBusy):
		f.Code, f.Hint = "busy", "wait for it, or ask it to stop with `retentiond stop-all`"
	case errors.Is(err, context.Canceled):
		f.Code, f.exit = "interrupted", exitInterrupted
	}
	return f
}

// remedy is what to do about a refusal.
func remedy(c retention.RefusalCode) string {
	switch c {
	case retention.RefuseClock:
		return "compare the clocks of this machine and of the source; if they are right, repeat with --accept-clock"
	case retention.RefuseStateMismatch:
		return "if this state store is the right one: retentiond check --adopt --by NAME --reason TEXT"
	case retention.RefuseKillSwitch:
		return "retentiond resume --by NAME --reason TEXT"
	case retention.RefuseSourceDown:
		return "retentiond status names the source and the error"
	case retention.RefusePrivilege:
		return "retentiond check prints the GRANT statements that are missing"
	case retention.RefusePolicyError:
		return "retentiond policy validate shows every mistake and its place"
	case retention.RefusePreview:
		return "make a plan without a future --as-of"
	case retention.RefuseExpiredPlan:
		return "make a new plan with `retentiond plan` and approve that"
	case retention.RefuseSchemaDrift:
		return "`retentiond plan` shows what it comes to now, `retentiond check` what the live schema and the policy disagree on"
	case retention.RefuseForeignKey, retention.RefuseColumnsUncovered, retention.RefuseUnsafeTable:
		return "retentiond check says what the live schema and the policy disagree on"
	case retention.RefuseHoldUnreadable:
		return "while a hold cannot be read or tested nothing acts where it may reach: put right what the message names, then run again"
	case retention.RefuseKAnonymity:
		return "coarsen the columns of verify.quasi, or allow a share of small groups with verify.allow"
	case retention.RefuseGate:
		return "retentiond check --install creates the two small tables in the source"
	}
	switch c {
	case retention.RefuseLimitRows, retention.RefuseLimitShare, retention.RefuseApproval, retention.RefuseNeverArchived:
		return "look at the plan, then approve it: retentiond approve PLAN --by NAME --reason TEXT"
	}
	return ""
}

// finish shows what is left to say of err and returns the exit code.
func (a *app) finish(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	var v verdict
	if errors.As(err, &v) {
		return int(v)
	}
	fs := faultsOf(err)
	if a.looks.Load() && ctx.Err() != nil && interrupted(err) {
		fs = faults{{Code: "interrupted", Message: "interrupted", exit: exitInterrupted}}
	}
	for _, f := range fs {
		f.Message, f.Hint = a.typed(inWords(f.Message)), a.typed(f.Hint)
	}
	a.show(fs)
	if ctx.Err() != nil {
		return exitInterrupted
	}
	return fs[0].exit
}

// interrupted reports whether the stop alone is why the command ended. Drivers say it
// in words of their own.
func interrupted(err error) bool {
	text := err.Error()
	return errors.Is(err, context.Canceled) || strings.Contains(text, context.Canceled.Error()) || strings.Contains(text, "interrupted")
}

// show writes errors: in JSON on stdout unless a document is there already, in
// text on stderr.
func (a *app) show(fs faults) {
	switch {
	case !a.json() || a.printed:
		p := a.printerTo(a.Err)
		for _, f := range fs {
			p.fault(f)
		}
	case len(fs) == 1:
		_ = a.document(map[string]*fault{"error": fs[0]})
	default:
		_ = a.document(map[string]faults{"errors": fs})
	}
}

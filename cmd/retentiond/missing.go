package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
	"github.com/retentiond/retentiond/retention/state"
)

// missing is a thing of that name that is not there: exit 2.
func missing(what, id, hint string) *fault {
	return &fault{Code: "not_found", Message: "there is no " + what + " " + id, Hint: hint, exit: exitUsage}
}

// noHold and noRun say where the ids are.
func noHold(id string) *fault {
	return missing("hold", id, "`retentiond hold list` shows the holds and their ids")
}

func noRun(id string) *fault {
	return missing("run", id, "`retentiond runs list` shows the runs and their ids")
}

// planFault says of an error about a plan, given by its id, what it means.
func (h *house) planFault(ctx context.Context, id string, err error) error {
	switch {
	case id == "":
		return err
	case errors.Is(err, retention.ErrNotFound):
		return missing("plan", id, "`retentiond plan` makes one"+h.newestPlans(ctx))
	case errors.Is(err, retention.ErrDecided):
		saved, again := h.store.Plan(ctx, id)
		if again != nil {
			return err
		}
		f := &fault{Code: "decided", Message: "plan " + id + " is " + string(saved.State) + " already", exit: exitRefused,
			Hint: "a decision stands: make a new plan with `retentiond plan`"}
		if saved.Approval != nil {
			f.Message += ", by " + saved.Approval.By + " on " + instant(saved.Approval.At)
		}
		if saved.State == retention.PlanApproved {
			f.Hint = "run it with `retentiond run --plan " + id + "`, or make another with `retentiond plan`"
		}
		return f
	}
	return err
}

// newestPlans names the newest plans, from the audit log; empty: there is none.
func (h *house) newestPlans(ctx context.Context) string {
	var ids []string
	err := h.store.Entries(ctx, state.Filter{Kind: audit.PlanMade, Limit: 3}, func(e audit.Entry) error {
		var made struct {
			Plan string `json:"plan"`
		}
		if json.Unmarshal(e.Line, &made) == nil && made.Plan != "" {
			ids = append(ids, made.Plan)
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return ""
	}
	slices.Reverse(ids)
	return "; the newest plans are " + strings.Join(ids, ", ")
}

// stopped is the answer to a stop request that came before anything was changed.
func stopped(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return &fault{Code: "interrupted", Message: "stopped; nothing was changed", exit: exitInterrupted}
}

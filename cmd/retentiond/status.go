package main

import (
	"context"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
	"github.com/spf13/cobra"
)

func statusCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "State store, sources, policies, holds, kill switch, last run, audit log",
		Long: `status says at a glance whether retentiond can do its work: the state store, each source, the
policies that load and those that do not, the holds, the kill switch, the last run, the size
of the audit log, and who is at work now.

Exit codes: 0; 1 where a source does not answer; 2 where a policy does not load.`,
		Example: `  retentiond status
  retentiond status --output json`,
		Args: noArgs,
		RunE: a.do(func(cmd *cobra.Command, _ []string) error {
			h, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer h.close()
			d, err := h.status(cmd.Context())
			if err != nil {
				return err
			}
			if a.json() {
				err = a.document(d)
			} else {
				err = a.statusText(h, d)
			}
			return orElse(err, d.end())
		}),
	}
}

// statusDoc is the state of everything, as JSON; its names are stable.
type statusDoc struct {
	Version    string                `json:"version"`
	Config     string                `json:"config"`
	State      stateDoc              `json:"state"`
	Sources    []engine.SourceStatus `json:"sources"`
	Policies   policiesDoc           `json:"policies"`
	Holds      holdCounts            `json:"holds"`
	KillSwitch switchDoc             `json:"kill_switch"`
	LastRun    *runDoc               `json:"last_run"`
	Audit      auditDoc              `json:"audit"`
	Lease      *leaseDoc             `json:"lease"` // the oldest of Leases
	Leases     []leaseDoc            `json:"leases"`
	Waiting    []waitingDoc          `json:"waiting"` // parked plans that nobody decided
}

type stateDoc struct {
	Store string `json:"store"` // without secrets
	UUID  string `json:"uuid"`
}

type policiesDoc struct {
	Loaded []policyDoc `json:"loaded"`
	Failed []failedDoc `json:"failed"`
}

type failedDoc struct {
	File    string `json:"file"`
	Policy  string `json:"policy"`
	Message string `json:"message"`
}

type holdCounts struct {
	Placing  int `json:"placing"`
	InForce  int `json:"in_force"`
	Released int `json:"released"`
}

type switchDoc struct {
	On     bool       `json:"on"`
	By     string     `json:"by"`
	Reason string     `json:"reason"`
	At     *time.Time `json:"at"`
}

type auditDoc struct {
	Origin      string `json:"origin"`
	Size        int64  `json:"size"` // of the newest signed checkpoint
	Root        string `json:"root"`
	Fingerprint string `json:"key"`
}

// waitingDoc is a plan of the daemon that waits for an approval.
type waitingDoc struct {
	Plan     string    `json:"plan"`
	Policies []string  `json:"policies"`
	Made     time.Time `json:"made_at"`
}

type leaseDoc struct {
	Owner string    `json:"owner"`
	Names []string  `json:"names"` // of rules and seats
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

// end is the exit code that the status calls for.
func (d statusDoc) end() error {
	for _, s := range d.Sources {
		if s.Error != "" {
			return verdict(exitError)
		}
	}
	if len(d.Policies.Failed) > 0 {
		return verdict(exitUsage)
	}
	return nil
}

func (h *house) status(ctx context.Context) (statusDoc, error) {
	d := statusDoc{Version: readVersion().Version, Config: h.cfg.File, State: stateDoc{redactedState(h.cfg), h.store.UUID()},
		Sources: list(h.engine.Status(ctx)), Policies: h.policiesDoc()}
	holds, err := h.store.ListHolds(ctx, "", "")
	if err != nil {
		return d, err
	}
	d.Holds = countHolds(holds)
	k, err := h.store.KillSwitch(ctx)
	if err != nil {
		return d, err
	}
	d.KillSwitch = switchDoc{k.On, k.By, k.Reason, moment(k.At)}
	runs, err := h.store.ListRuns(ctx, "", 1)
	if err != nil {
		return d, err
	}
	if len(runs) > 0 {
		last := runView(runs[0])
		d.LastRun = &last
	}
	if d.Waiting, err = h.waiting(ctx); err != nil {
		return d, err
	}
	leases, err := h.store.Leases(ctx)
	d.Leases = []leaseDoc{}
	for _, l := range leases {
		d.Leases = append(d.Leases, leaseDoc{l.Owner, l.Names, l.Since, l.Until})
	}
	if len(d.Leases) > 0 {
		d.Lease = &d.Leases[0]
	}
	if _, _, kept := h.key.KeptCheckpoint(); kept != nil {
		return d, kept // a log that cannot be compared with its checkpoint is no log
	}
	d.Audit = h.auditDoc()
	return d, err
}

// waiting lists the parked plans that wait for an approval.
func (h *house) waiting(ctx context.Context) ([]waitingDoc, error) {
	plans, err := h.store.WaitingPlans(ctx)
	out := []waitingDoc{}
	for i := range plans {
		p := &plans[i].Plan
		out = append(out, waitingDoc{p.ID, policiesOf(p), p.MadeAt})
	}
	return out, err
}

// policiesOf are the names of a plan's policies.
func policiesOf(p *retention.Plan) []string {
	names := []string{}
	for _, x := range p.Policies {
		names = append(names, x.Policy)
	}
	return names
}

func (h *house) policiesDoc() policiesDoc {
	d := policiesDoc{Loaded: []policyDoc{}, Failed: []failedDoc{}}
	for _, p := range h.engine.Policies {
		d.Loaded = append(d.Loaded, policyDoc{p.Name, p.File, p.Digest, len(p.Datasets), len(p.Rules)})
	}
	for _, f := range h.engine.Failed {
		d.Failed = append(d.Failed, failedDoc{f.File, f.Policy, f.Message})
	}
	return d
}

func (h *house) auditDoc() auditDoc {
	d := auditDoc{Origin: h.key.Origin(), Fingerprint: h.key.Fingerprint()}
	if kept, ok, err := h.key.KeptCheckpoint(); err == nil && ok {
		d.Size, d.Root = kept.Size, kept.Root
	}
	return d
}

func countHolds(holds []retention.Hold) holdCounts {
	var c holdCounts
	for _, x := range holds {
		switch x.State {
		case retention.HoldPlacing:
			c.Placing++
		case retention.HoldInForce:
			c.InForce++
		case retention.HoldReleased:
			c.Released++
		}
	}
	return c
}

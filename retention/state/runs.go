package state

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// BeginRun stores the run with run.started, under its lease: retention.ErrFenced.
func (s *Store) BeginRun(ctx context.Context, r retention.Run) error {
	err := s.write(ctx, func(t *tx) error {
		if err := t.current(ctx, r.Attempt); err != nil {
			return err
		}
		var slot retention.SlotRun
		data := map[string]any{"plan": r.Plan, "as_of": rfc3339(r.AsOf), "attempt": r.Attempt}
		if r.Slot != nil {
			slot = *r.Slot
			data["slot"], data["rule_set"], data["slot_attempt"] = rfc3339(slot.At), slot.Set, slot.Attempt
		}
		n, err := t.exec(ctx, `INSERT INTO runs (id, plan, as_of, started, attempt, actor, slot_policy, slot_set, slot_at, slot_zone, slot_attempt)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			r.ID, r.Plan, micros(r.AsOf), micros(r.Started), r.Attempt, r.By, slot.Policy, slot.Set, micros(slot.At), slot.Zone, slot.Attempt)
		if err != nil {
			return err
		}
		if n == 0 {
			return errors.New("a run of that id is there already")
		}
		return t.recordBy(ctx, audit.Event{Kind: audit.RunStarted, Run: r.ID, Policy: slot.Policy, Data: data}, r.By, "")
	})
	return wrap(err, "begin run %s", r.ID)
}

// EndRun stores the report with run.ended, and marks the plan as run and the run's
// slot as done where they are over. A run ends once: retention.ErrDecided.
func (s *Store) EndRun(ctx context.Context, r retention.RunReport) error {
	body, err := toJSON(r)
	if err != nil {
		return wrap(err, "end run %s", r.Run)
	}
	err = s.write(ctx, func(t *tx) error {
		t.pinned = true
		n, err := t.exec(ctx, "UPDATE runs SET ended = ?, report = ?, quiet = CASE WHEN slot_policy = '' THEN 0 ELSE CAST(? AS INTEGER) END WHERE id = ? AND ended = 0",
			endOf(r, t), body, flag(r.Quiet()), r.Run)
		if err != nil {
			return err
		}
		if n == 0 {
			return t.whyNot(ctx, r.Run)
		}
		if r.SlotOver() {
			if err := t.ran(ctx, r.Run); err != nil {
				return err
			}
		}
		if !r.Finished() {
			_, err = t.record(ctx, runEnded(r))
			return err
		}
		if _, err := t.exec(ctx, "UPDATE plans SET state = ? WHERE id = ? AND state IN (?, ?)",
			string(retention.PlanRun), r.Plan, string(retention.PlanMade), string(retention.PlanApproved)); err != nil {
			return err
		}
		_, err = t.record(ctx, runEnded(r))
		return err
	})
	return wrap(err, "end run %s", r.Run)
}

// endOf is never 0: a row without end is a run that died.
func endOf(r retention.RunReport, t *tx) int64 {
	if r.Ended.IsZero() {
		return micros(t.now)
	}
	return micros(r.Ended)
}

func (t *tx) whyNot(ctx context.Context, run string) error {
	var one int
	ok, err := t.get(ctx, &one, "SELECT 1 FROM runs WHERE id = ?", run)
	if err == nil && ok {
		return fmt.Errorf("%w: the run has ended", retention.ErrDecided)
	}
	return errors.Join(err, retention.ErrNotFound)
}

func runEnded(r retention.RunReport) audit.Event {
	var planned, done, unplanned, batches, children int64
	var spared retention.Spared
	failed := 0
	for _, s := range r.Steps {
		planned, done, unplanned, batches = planned+s.Planned, done+s.Done, unplanned+s.Unplanned, batches+s.Batches
		spared.Add(s.Spared)
		for _, n := range s.Children {
			children += n
		}
		if s.Error != "" {
			failed++
		}
	}
	refusals := map[string]int{}
	for _, f := range r.Refusals {
		refusals[string(f.Code)]++
	}
	return audit.Event{Kind: audit.RunEnded, Run: r.Run, Data: map[string]any{
		"plan": r.Plan, "verdict": r.Verdict, "planned": planned, "done": done, "spared": spared, "unplanned": unplanned,
		"children": children, "batches": batches, "steps": len(r.Steps), "steps_failed": failed, "refusals": refusals, "interrupted": r.Interrupted,
	}}
}

type runRow struct {
	ID      string `db:"id"`
	Plan    string `db:"plan"`
	AsOf    int64  `db:"as_of"`
	Started int64  `db:"started"`
	Attempt int64  `db:"attempt"`
	Actor   string `db:"actor"`
	Ended   int64  `db:"ended"`
	Report  []byte `db:"report"`

	SlotPolicy  string `db:"slot_policy"`
	SlotSet     string `db:"slot_set"`
	SlotAt      int64  `db:"slot_at"`
	SlotZone    string `db:"slot_zone"`
	SlotAttempt int64  `db:"slot_attempt"`
}

// slot is the slot that the run is of; nil: none.
func (r *runRow) slot() *retention.SlotRun {
	if r.SlotSet == "" {
		return nil
	}
	id := retention.SlotID{Policy: r.SlotPolicy, Set: r.SlotSet, At: instant(r.SlotAt), Zone: r.SlotZone}
	return &retention.SlotRun{SlotID: id, Attempt: r.SlotAttempt}
}

// ListRuns returns the newest runs first, at most limit (0: all); id narrows to
// one.
func (s *Store) ListRuns(ctx context.Context, id string, limit int) (out []retention.Run, err error) {
	if limit <= 0 {
		limit = math.MaxInt32
	}
	err = s.read(ctx, func(t *tx) error {
		var rows []runRow
		err := t.all(ctx, &rows, `SELECT id, plan, as_of, started, attempt, actor, ended, report,
			slot_policy, slot_set, slot_at, slot_zone, slot_attempt FROM runs
			WHERE ? = '' OR id = ? ORDER BY started DESC, id DESC LIMIT ?`, id, id, limit)
		out = make([]retention.Run, 0, len(rows))
		for i := range rows {
			run, bad := t.run(ctx, &rows[i])
			out, err = append(out, run), errors.Join(err, bad)
		}
		return err
	})
	return out, wrap(err, "list runs")
}

func (t *tx) run(ctx context.Context, r *runRow) (retention.Run, error) {
	run := retention.Run{ID: r.ID, Plan: r.Plan, AsOf: instant(r.AsOf), Started: instant(r.Started), Attempt: r.Attempt, By: r.Actor, Slot: r.slot(), Ended: instant(r.Ended)}
	if len(r.Report) == 0 {
		sums, err := t.soFar(ctx, r)
		run.SoFar = sums
		return run, err
	}
	run.Report = new(retention.RunReport)
	err := fromJSON("the report of run "+r.ID, r.Report, run.Report)
	restate(run.Report)
	return run, err
}

// restate gives the rows that a stopped run did not come to their own class: reports
// of older versions have them as failed.
func restate(r *retention.RunReport) {
	for i := range r.Steps {
		s := &r.Steps[i]
		if s.Spared.NotReached == 0 && strings.HasPrefix(s.Error, "stopped before the end") {
			s.Spared.NotReached, s.Spared.Failed = s.Spared.Failed, 0
		}
	}
}

package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
)

type slotRow struct {
	Policy  string `db:"policy"`
	Set     string `db:"rule_set"`
	Slot    int64  `db:"slot"`
	Zone    string `db:"zone"`
	Due     int64  `db:"due"`
	State   string `db:"state"`
	Attempt int64  `db:"attempt"`
	Tries   int    `db:"tries"`
	Owner   string `db:"owner"`
	Process string `db:"process"`
	Until   int64  `db:"until"`
	After   int64  `db:"after"`
	Reason  string `db:"reason"`
	Run     string `db:"run"`
}

const openSlots = `SELECT policy, rule_set, slot, zone, due, state, attempt, tries, owner, process, until, after, reason, run
	FROM slots WHERE ended = 0 ORDER BY slot, policy, rule_set`

func (r slotRow) slot() retention.Slot {
	return retention.Slot{
		SlotID: retention.SlotID{Policy: r.Policy, Set: r.Set, At: instant(r.Slot), Zone: r.Zone},
		Due:    instant(r.Due), State: retention.SlotState(r.State), Attempt: r.Attempt, Tries: r.Tries,
		Owner: r.Owner, After: instant(r.After), Reason: r.Reason, Run: r.Run,
	}
}

// at work: its claim is not over, as far as anybody knows.
func (t *tx) atWork(r *slotRow) bool {
	return r.State == string(retention.SlotRunning) && t.now.UnixMicro() < r.Until && !t.s.proc.gone(r.Process)
}

// OpenSlots lists the slots that are not over, oldest first.
func (s *Store) OpenSlots(ctx context.Context) ([]retention.Slot, error) {
	var rows []slotRow
	err := s.read(ctx, func(t *tx) error { return t.all(ctx, &rows, openSlots) })
	out := make([]retention.Slot, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.slot())
	}
	return out, wrap(err, "list open slots")
}

// ClaimSlot claims a slot that is due, of those that may be taken: of the policy
// that waits longest, its oldest. A rule set has one slot at work at a time. One
// that was tried retention.MaxTries times is failed, with a slot.missed entry.
func (s *Store) ClaimSlot(ctx context.Context, owner string, may func(retention.RuleSetID) bool) (out retention.Slot, failed []retention.Slot, ok bool, err error) {
	if owner == "" {
		return out, nil, false, errors.New("claim a slot: its owner needs a name")
	}
	due := false
	err = s.read(ctx, func(t *tx) error {
		rows, err := t.claimable(ctx, may)
		due = len(rows) > 0
		return err
	})
	if err != nil || !due {
		return out, nil, false, wrap(err, "look for slots that are due")
	}
	err = s.write(ctx, func(t *tx) error {
		out, failed, ok = retention.Slot{}, nil, false
		rows, err := t.claimable(ctx, may)
		for i := 0; err == nil && i < len(rows); i++ {
			if rows[i].Tries < retention.MaxTries {
				out, err = t.claim(ctx, rows[i], owner)
				ok = err == nil
				return err
			}
			failed = append(failed, rows[i].slot())
			err = t.giveUp(ctx, rows[i])
		}
		return err
	})
	return out, failed, ok, wrap(err, "claim a slot")
}

// claimable is the oldest slot that is due of each rule set that may be taken and
// has none at work, those of the policy first that waits longest.
func (t *tx) claimable(ctx context.Context, may func(retention.RuleSetID) bool) ([]slotRow, error) {
	var rows []slotRow
	if err := t.all(ctx, &rows, openSlots); err != nil || len(rows) == 0 {
		return nil, err
	}
	sets, err := t.schedules(ctx)
	if err != nil {
		return nil, err
	}
	busy, now := map[retention.RuleSetID]bool{}, t.now.UnixMicro()
	for i := range rows {
		if t.atWork(&rows[i]) {
			busy[rows[i].id()] = true
		}
	}
	var out []slotRow
	for _, r := range rows {
		if id := r.id(); !busy[id] && r.Due <= now && r.After <= now && may(id) {
			busy[id] = true // the oldest of the rule set goes before its others
			out = append(out, r)
		}
	}
	return inTurn(out, sets), nil
}

func (r slotRow) id() retention.RuleSetID {
	return retention.RuleSetID{Policy: r.Policy, Set: r.Set}
}

func (t *tx) claim(ctx context.Context, r slotRow, owner string) (out retention.Slot, err error) {
	if _, err := t.exec(ctx, `UPDATE slots SET state = ?, attempt = attempt + 1, tries = tries + 1, owner = ?, process = ?, until = ?, after = ?, reason = ''
		WHERE policy = ? AND rule_set = ? AND slot = ?`,
		string(retention.SlotRunning), owner, t.s.proc.String(), micros(t.now.Add(t.s.lease)), micros(t.rest(r.Tries+1)), r.Policy, r.Set, r.Slot); err != nil {
		return out, err
	}
	_, err = t.exec(ctx, "UPDATE schedules SET claimed = ? WHERE policy = ? AND rule_set = ?", micros(t.now), r.Policy, r.Set)
	out = r.slot()
	out.Begun = out.State == retention.SlotPaused
	out.State, out.Attempt, out.Tries, out.Owner, out.Lease, out.Claimed = retention.SlotRunning, r.Attempt+1, r.Tries+1, owner, t.s.lease, t.now
	return out, err
}

// rest is until when nobody takes over the nth try, should its owner die. A first
// death waits for nothing; what ends every process that tries must not use up all
// tries in seconds. What was tried for longer than that is taken over at once.
func (t *tx) rest(try int) time.Time {
	if try < 2 || try >= retention.MaxTries {
		return time.Time{}
	}
	return t.now.Add(time.Minute << (try - 2))
}

func (t *tx) giveUp(ctx context.Context, r slotRow) error {
	if _, err := t.exec(ctx, "UPDATE slots SET state = ?, ended = ? WHERE policy = ? AND rule_set = ? AND slot = ?",
		string(retention.SlotFailed), micros(t.now), r.Policy, r.Set, r.Slot); err != nil {
		return err
	}
	return t.missed(ctx, r.id(), retention.MissedSlots{First: instant(r.Slot), Last: instant(r.Slot), Count: 1, Why: retention.MissedAttempts})
}

const thisClaim = " WHERE policy = ? AND rule_set = ? AND slot = ? AND attempt = ? AND state = ?"

func claimArgs(s retention.Slot, state retention.SlotState) []any {
	return []any{s.Policy, s.Set, micros(s.At), s.Attempt, string(state)}
}

// RenewSlot is the heartbeat of a claim; retention.ErrFenced when it is over.
func (s *Store) RenewSlot(ctx context.Context, slot retention.Slot) error {
	err := s.write(ctx, func(t *tx) error {
		n, err := t.exec(ctx, "UPDATE slots SET until = ?"+thisClaim,
			append([]any{micros(t.now.Add(s.lease))}, claimArgs(slot, retention.SlotRunning)...)...)
		if err == nil && n == 0 {
			err = fmt.Errorf("%w: attempt %d at the slot is over", retention.ErrFenced, slot.Attempt)
		}
		return err
	})
	return wrap(err, "renew the claim of a slot of policy %s", slot.Policy)
}

// EndSlot ends a claim; retention.ErrFenced when another took over. One that its
// run ended as done stays done.
func (s *Store) EndSlot(ctx context.Context, slot retention.Slot, e retention.SlotEnd) error {
	err := s.write(ctx, func(t *tx) error {
		ended, back := t.now, 1
		if e.State == retention.SlotOpen || e.State == retention.SlotPaused {
			ended = time.Time{}
		}
		if e.Counted {
			back = 0
		}
		n, err := t.exec(ctx, "UPDATE slots SET state = ?, reason = ?, after = ?, tries = tries - ?, ended = ?, owner = '', process = '', until = 0"+thisClaim,
			append([]any{string(e.State), e.Reason, micros(e.After), back, micros(ended)}, claimArgs(slot, retention.SlotRunning)...)...)
		if err != nil || n == 1 {
			return err
		}
		var one int
		if ok, err := t.get(ctx, &one, "SELECT 1 FROM slots"+thisClaim, claimArgs(slot, retention.SlotDone)...); err != nil || ok {
			return err
		}
		return fmt.Errorf("%w: attempt %d at the slot is over", retention.ErrFenced, slot.Attempt)
	})
	return wrap(err, "end the claim of a slot of policy %s", slot.Policy)
}

// ran marks the slot of a run as done, where its claim is still that run's.
func (t *tx) ran(ctx context.Context, run string) error {
	_, err := t.exec(ctx, `UPDATE slots SET state = ?, run = ?, ended = ?, owner = '', process = '', until = 0 WHERE state = ? AND EXISTS (SELECT 1 FROM runs r
		WHERE r.id = ? AND r.slot_policy = slots.policy AND r.slot_set = slots.rule_set AND r.slot_at = slots.slot AND r.slot_attempt = slots.attempt)`,
		string(retention.SlotDone), run, micros(t.now), string(retention.SlotRunning), run)
	return err
}

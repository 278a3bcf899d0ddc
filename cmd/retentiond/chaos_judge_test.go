package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// calm lets everything go on, waits until slots that were due after the last write
// are done, and ends the daemons.
func (c *chaos) calm() {
	c.Helper()
	for _, r := range c.replicas {
		until(c.T, fmt.Sprintf("daemon %d does not work", r.n), r.works)
	}
	written := time.Now().UnixMicro()
	const later = "SELECT count(DISTINCT policy) FROM retentiond.slots WHERE state = 'done' AND slot > $1"
	c.catchUp("rule sets without a slot done after the last write", func() int64 { return chaosSets - c.number(later, written) })
	c.catchUp("slots are open", func() int64 { return c.number("SELECT count(*) FROM retentiond.slots WHERE ended = 0") })
	for _, r := range c.replicas {
		r.end()
	}
}

// chaosStill is how long no slot may end while some are open: a lease, and the start of a run
// on a machine that others use too.
const chaosStill = 2 * time.Minute

// catchUp waits until nothing of a kind is left, for as long as slots go on ending.
func (c *chaos) catchUp(what string, left func() int64) {
	c.Helper()
	ended, since := int64(-1), time.Now()
	for left() > 0 {
		c.hasten()
		if n := c.number("SELECT count(*) FROM retentiond.slots WHERE ended > 0"); n != ended {
			ended, since = n, time.Now()
		}
		if time.Since(since) > chaosStill {
			c.watch.report(c.T)
			c.Fatalf("%s: %d, and no slot ended for %s; %s; %s", what, left(), chaosStill, &c.counts, c.open())
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// open tells of the slots that are open.
func (c *chaos) open() (out string) {
	c.onState(func(db *sql.DB) error {
		return db.QueryRow(`SELECT coalesce(string_agg(policy || ' ' || state || ' try ' || tries || ' owner ' || owner || ' until ' || until || ' after ' || after, '; '), '')
			FROM retentiond.slots WHERE ended = 0`).Scan(&out)
	})
	return out
}

// hasten takes the waits away of slots whose tries failed or died: as if that time
// had passed.
func (c *chaos) hasten() {
	c.Helper()
	c.onState(func(db *sql.DB) error {
		_, err := db.Exec("UPDATE retentiond.slots SET after = 0 WHERE ended = 0 AND after > 0")
		return err
	})
}

// judge asks for every law.
func (c *chaos) judge() {
	c.Helper()
	missed, done := c.log()
	c.slotsOnce(missed)
	c.intentsSettled()
	for i := range chaosSets {
		c.tableIs(i, done[fmt.Sprintf("p%02d", i)])
	}
	c.do(exitOK, "audit", "verify")
	c.do(exitOK, "hold", "list")
}

// log reads the audit log: how many slots of each policy were missed, and how many
// rows were done.
func (c *chaos) log() (missed, done map[string]int64) {
	c.Helper()
	missed, done = map[string]int64{}, map[string]int64{}
	c.onState(func(db *sql.DB) error {
		rows, err := db.Query("SELECT kind, line FROM retentiond.audit_entries ORDER BY log, n")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var kind string
			var line []byte
			var e struct {
				Policy string
				Count  int64
				Done   int64
			}
			if err := rows.Scan(&kind, &line); err != nil {
				return err
			}
			if err := json.Unmarshal(line, &e); err != nil {
				return err
			}
			switch kind {
			case "slot.missed":
				missed[e.Policy] += e.Count
				c.counts.add("slot.missed")
			case "batch.outcome", "batch.settled":
				done[e.Policy] += e.Done
				c.counts.add(kind)
			}
		}
		return rows.Err()
	})
	return missed, done
}

// slotsOnce: the slots of the store are those of the schedule, each is done by one
// run, or failed and audited as missed.
func (c *chaos) slotsOnce(missed map[string]int64) {
	c.Helper()
	c.onState(func(db *sql.DB) error {
		for i := range chaosSets {
			policy := fmt.Sprintf("p%02d", i)
			var fired, first, last, slots, done, failed, runs int64
			err := db.QueryRow(`SELECT (SELECT fired FROM retentiond.schedules WHERE policy = $1), min(slot), max(slot), count(*), count(*) FILTER (WHERE state = 'done'),
				count(*) FILTER (WHERE state = 'failed'), count(DISTINCT run) FILTER (WHERE state = 'done') FROM retentiond.slots WHERE policy = $1`, policy).
				Scan(&fired, &first, &last, &slots, &done, &failed, &runs)
			if err != nil {
				return err
			}
			const minute = int64(time.Minute / time.Microsecond)
			want := fired/minute - c.began.UnixMicro()/minute
			if slots != want || first/minute != c.began.UnixMicro()/minute+1 || last/minute != fired/minute || first%minute != 0 {
				c.Errorf("%s: %d slots from %s to %s, want %d", policy, slots, time.UnixMicro(first), time.UnixMicro(last), want)
			}
			if open := slots - done - failed; open > 1 || runs != done || missed[policy] != failed {
				c.Errorf("%s: of %d slots %d are done by %d runs, %d failed, %d audited as missed", policy, slots, done, runs, failed, missed[policy])
			}
			for range done {
				c.counts.add("slot done")
			}
		}
		return nil
	})
}

// intentsSettled: no intent is open, each has one outcome in the log, and each receipt
// that is left says what its outcome says.
func (c *chaos) intentsSettled() {
	c.Helper()
	outcomes := map[string]int64{}
	c.onState(func(db *sql.DB) error {
		rows, err := db.Query(`SELECT i.id, i.concluded, convert_from(coalesce(i.outcome, '{}'), 'UTF8')::json ->> 'Done', (SELECT count(*) FROM retentiond.audit_entries e
			WHERE e.run = i.run AND e.kind IN ('batch.outcome', 'batch.settled') AND convert_from(e.line, 'UTF8')::json ->> 'intent' = i.id) FROM retentiond.intents i`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			var concluded, audited int64
			var done sql.NullInt64
			if err := rows.Scan(&id, &concluded, &done, &audited); err != nil {
				return err
			}
			if concluded == 0 || audited != 1 {
				c.Errorf("intent %s: concluded %d, %d outcomes", id, concluded, audited)
			}
			outcomes[id] = done.Int64
			c.counts.add("intent")
		}
		return rows.Err()
	})
	for _, a := range c.apps {
		receipts, err := a.receipts()
		if err != nil {
			c.Fatal(err)
		}
		for id, r := range receipts {
			if done, known := outcomes[id]; !known || r.State == retention.ReceiptDone && r.Rows != done || r.State == retention.ReceiptAbandoned && done != 0 {
				c.Errorf("%s: receipt of %s says %s %d, its outcome %d", a.source, id, r.State, r.Rows, done)
			}
		}
	}
}

// receipts are those that are left in the source.
func (a *chaosApp) receipts() (map[string]retention.Receipt, error) {
	rows, err := a.db.Query("SELECT intent, state, rows FROM retentiond_receipt")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]retention.Receipt{}
	for rows.Next() {
		var r retention.Receipt
		if err := rows.Scan(&r.Intent, &r.State, &r.Rows); err != nil {
			return nil, err
		}
		out[r.Intent] = r
	}
	return out, rows.Err()
}

// tableIs compares the table of one rule set with what the oracle makes of the
// application's ledger, row by row.
func (c *chaos) tableIs(i int, audited int64) {
	c.Helper()
	a := c.appOf(i)
	is, err := a.rows(fmt.Sprintf("SELECT id, coalesce(note, '') FROM rows_%d", i))
	if err != nil {
		c.Fatal(err)
	}
	want, done, err := a.oracle(i)
	if err != nil {
		c.Fatal(err)
	}
	var wrong []string
	for id, note := range want {
		if got, there := is[id]; !there || got != note {
			wrong = append(wrong, fmt.Sprintf("row %d: there %t %q, want %q", id, there, got, note))
		}
	}
	for id := range is {
		if _, ok := want[id]; !ok {
			wrong = append(wrong, fmt.Sprintf("row %d is still there", id))
		}
	}
	if len(wrong) > 0 {
		c.Errorf("rows_%d of %s: %d rows are wrong: %s", i, a.source, len(wrong), strings.Join(wrong[:min(5, len(wrong))], "; "))
	}
	if done != audited {
		c.Errorf("rows_%d of %s: %d rows were acted on, %d are audited", i, a.source, done, audited)
	}
	if chaosKind(i) == withKids {
		var orphans, lonely int64
		err := a.db.QueryRow(fmt.Sprintf(`SELECT (SELECT count(*) FROM kids_%[1]d WHERE row_id NOT IN (SELECT id FROM rows_%[1]d)),
			(SELECT 2 * count(*) FROM rows_%[1]d) - (SELECT count(*) FROM kids_%[1]d)`, i)).Scan(&orphans, &lonely)
		if err != nil || orphans != 0 || lonely != 0 {
			c.Errorf("rows_%d of %s: %d children without their row, %d missing: %v", i, a.source, orphans, lonely, err)
		}
	}
}

// oracle says from the ledger alone what the table must hold, and how many rows were
// to be acted on: what is due, was not touched while it was there, and is not held.
func (a *chaosApp) oracle(i int) (want map[int64]string, done int64, err error) {
	rows, err := a.rows(fmt.Sprintf("SELECT id, due FROM ledger WHERE tab = %d", i))
	if err != nil {
		return nil, 0, err
	}
	touched, err := a.rows("SELECT id, note FROM touched")
	if err != nil {
		return nil, 0, err
	}
	want = map[int64]string{}
	for id, due := range rows {
		note, acted := "note", false
		if kept, held := a.kept[id]; held {
			note, acted = kept, kept == ""
		} else if left, young := touched[id]; young {
			note, acted = left, left == ""
		} else if due == "1" {
			note, acted = "", true
		}
		if acted {
			done++
		}
		if !acted || chaosKind(i) == redacting {
			want[id] = note
		}
	}
	return want, done, nil
}

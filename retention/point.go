package retention

import (
	"fmt"
	"strings"
)

// Point is a numbered moment in the life of a run, of a batch, or of a hold that
// is being placed: after it, what its comment says is so, and nothing of the
// next one. Tests end or pause a process at each, and then ask whether every law
// still holds. A hook that is told of points must not change anything.
type Point int

// Points, in the order in which a run passes them. Between PointBegun and
// PointCommitting the connector has a transaction open; it reports those itself,
// through [Batch.Reach].
const (
	PointLeased     Point = iota + 1 // the run has the lease
	PointStarted                     // run.started is durable
	PointIntended                    // the batch's intent is durable (L7)
	PointBegun                       // its transaction is open
	PointGated                       // it shares the source's gate, whose row was read
	PointAdmitted                    // the state store admitted it, and told the holds
	PointTested                      // clock, condition, minimum and hold were tested again (L6)
	PointSealing                     // sealed archive: a segment's rows are written, its manifest is not
	PointCopied                      // archive: the copies are written; they are read back, here or by what removes the rows (L9)
	PointJournalled                  // files: what will go is written down, and none is gone
	PointRemoving                    // files: half of them are gone
	PointChildren                    // the children are gone
	PointActed                       // the rows are gone, or changed
	PointReceipted                   // the receipt is written
	PointCommitting                  // nothing is left but the commit
	PointCommitted                   // effect and receipt are durable; the outcome is not
	PointSettling                    // an intent without outcome is about to be settled
	PointSettled                     // its receipt is known; the outcome is not durable
	PointConcluded                   // the outcome is durable
	PointErasing                     // a step's batches are over; erase has not begun
	PointEnded                       // run.ended is durable
	PointWitnessed                   // checkpoint and witnesses are written; the lease is not given back
	PointPlaced                      // a hold is durable, and placing
	PointPassed                      // it passed a source's gate, which is not recorded
	PointMarked                      // that source is recorded
	PointInForce                     // it is recorded as in force; the log is not signed
)

// Points are all of them, in order.
func Points() []Point {
	out := make([]Point, 0, int(PointInForce))
	for p := PointLeased; p <= PointInForce; p++ {
		out = append(out, p)
	}
	return out
}

// String is the point's name, as the environment of a test writes it.
func (p Point) String() string {
	names := [...]string{
		PointLeased: "leased", PointStarted: "started", PointIntended: "intended", PointBegun: "begun", PointGated: "gated",
		PointAdmitted: "admitted", PointTested: "tested", PointSealing: "sealing", PointCopied: "copied", PointJournalled: "journalled", PointRemoving: "removing", PointChildren: "children", PointActed: "acted",
		PointReceipted: "receipted", PointCommitting: "committing", PointCommitted: "committed", PointSettling: "settling",
		PointSettled: "settled", PointConcluded: "concluded", PointErasing: "erasing", PointEnded: "ended",
		PointWitnessed: "witnessed", PointPlaced: "placed", PointPassed: "passed", PointMarked: "marked", PointInForce: "in_force",
	}
	if p < PointLeased || int(p) >= len(names) {
		return fmt.Sprintf("point %d", int(p))
	}
	return names[p]
}

// ParsePoint reads a point's name; the error lists them all.
func ParsePoint(name string) (Point, error) {
	var all []string
	for _, p := range Points() {
		if p.String() == name {
			return p, nil
		}
		all = append(all, p.String())
	}
	return 0, fmt.Errorf("no point is called %q; there are %s", name, strings.Join(all, ", "))
}

// Tell says to whom it may concern that so many rows, or files, ran into something that
// a person has to put right. The words hold no name of a file and no value of a row.
func (b *Batch) Tell(n int64, what string) {
	if b.Trouble != nil && n > 0 {
		b.Trouble(n, what)
	}
}

// Reach tells the hook, where there is one, that the batch reached the point.
// Connectors call it in the order of the points.
func (b *Batch) Reach(p Point) {
	if b.Reached != nil {
		b.Reached(p)
	}
}

package retention

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Lease is the right to act on what its names stand for, all of them, under one
// fencing attempt number: unique in the store, and higher than any before it.
type Lease struct {
	Owner   string
	Names   []string
	Attempt int64
	Since   time.Time
	Until   time.Time
	Time    time.Duration // how long it lasts without a heartbeat
}

// LeaseTime is how long a lease lasts without a heartbeat, where the store is
// not told otherwise.
const LeaseTime = 20 * time.Second

// Beginnings of the names that runs take.
const (
	ruleLease = "rule:"
	seatLease = "source:"
)

// RuleLease is the name that a run takes for a rule: two runs never do the same
// rule at once.
func RuleLease(policy, rule string) string { return ruleLease + policy + "/" + rule }

// SeatLease is the name of a source's seat, counted from 0: as many runs work on
// a source at once as it has seats.
func SeatLease(source string, seat int) string {
	return seatLease + source + "#" + strconv.Itoa(seat)
}

// BusyError says that a name is somebody else's. It is an [ErrBusy].
type BusyError struct {
	Name  string // the name that is taken
	Owner string // of the lease that has it
	Run   string // under that lease; empty: it has not begun
	Since time.Time
	Until time.Time // where no heartbeat follows
}

// Error names what is taken, by whom and since when.
func (b *BusyError) Error() string {
	what := b.Name
	if source, seat, ok := b.Seat(); ok {
		what = fmt.Sprintf("seat %d of source %s", seat+1, source)
	}
	if rule, ok := strings.CutPrefix(b.Name, ruleLease); ok {
		what = "rule " + rule
	}
	run := b.Run
	if run == "" {
		run = "a run that is about to begin"
	}
	return fmt.Sprintf("%v: %s is taken by %s of %s since %s", ErrBusy, what, run, b.Owner, b.Since.UTC().Format(time.RFC3339))
}

// Unwrap makes it an [ErrBusy].
func (b *BusyError) Unwrap() error { return ErrBusy }

// Seat tells which seat of which source is taken; ok = false: it is no seat, but
// work that somebody else is already doing. Waiting for a seat is worth while.
func (b *BusyError) Seat() (source string, seat int, ok bool) {
	text, ok := strings.CutPrefix(b.Name, seatLease)
	i := strings.LastIndexByte(text, '#')
	if !ok || i < 0 {
		return "", 0, false
	}
	seat, err := strconv.Atoi(text[i+1:])
	return text[:i], seat, err == nil
}

// Package audit is the log that proves itself (L8): exact JSON lines under an
// RFC 6962 Merkle tree, with signed checkpoints, exported as tlog tiles. It
// knows no policies, no database and no terminal.
package audit

// Kind is what an entry records; dotted, stable.
type Kind string

// Kinds.
const (
	PolicyLoaded    Kind = "policy.loaded"
	PolicyRefused   Kind = "policy.refused"
	PlanMade        Kind = "plan.made"
	PlanApproved    Kind = "plan.approved"
	PlanRejected    Kind = "plan.rejected"
	RunStarted      Kind = "run.started"
	BatchIntent     Kind = "batch.intent"
	BatchOutcome    Kind = "batch.outcome"
	BatchSettled    Kind = "batch.settled"
	RunEnded        Kind = "run.ended"
	HoldPlaced      Kind = "hold.placed"
	HoldInForce     Kind = "hold.in_force"
	HoldReleased    Kind = "hold.released"
	RefusalMade     Kind = "refusal"
	SlotMissed      Kind = "slot.missed"
	KillSwitch      Kind = "kill_switch"
	ConfigLoaded    Kind = "config.loaded"
	KeyRotated      Kind = "key.rotated"
	ArchiveSealed   Kind = "archive.sealed"
	ArchiveRestored Kind = "archive.restored"
	ArchiveExpired  Kind = "archive.expired"
	ArchiveSwept    Kind = "archive.swept" // what a batch left that never committed
	Access          Kind = "access"
)

// Event is an entry before it has a number and a time. It must hold no personal
// data and no plain hash of an identifier: subjects go through [Keyed], free
// text through [Salted].
type Event struct {
	Kind   Kind
	Run    string
	Policy string
	Rule   string
	Data   map[string]any // further fields; never named n, time, kind, run, policy, rule
}

// Checkpoint is a signed tree head (C2SP tlog-checkpoint).
type Checkpoint struct {
	Log  string // the year's log, "2026"
	Size int64  // entries of that log
	Root string // base64
	Note []byte // the signed note
	// Total is the entries of all logs up to this head, dropped ones included. It
	// never falls when a new year begins: sources' gates witness Total and Root.
	Total int64
}

package notify

import "time"

// Kind is what a notice is about. Kinds are stable.
type Kind string

// Kinds.
const (
	Refusal    Kind = "refusal"     // a rule, a policy or a run was refused
	Failure    Kind = "failure"     // a step or a run failed
	Missed     Kind = "missed"      // slots were not run
	Approval   Kind = "approval"    // a plan waits for a person
	Review     Kind = "hold_review" // a hold's review date has come
	Backlog    Kind = "backlog"     // a rule's overdue rows grow from run to run
	Restored   Kind = "restored"    // a source and the state store do not fit: one of them went back in time
	StoreDown  Kind = "state_down"  // the state store does not answer
	LogBroken  Kind = "audit_log"   // the audit log cannot be signed
	PolicyDown Kind = "policy"      // a policy does not load or is missing, or its schedule cannot be read
)

// Notice is one thing that a person should know.
type Notice struct {
	Kind   Kind      `json:"kind"`
	Cause  string    `json:"cause"` // what is told once
	Policy string    `json:"policy,omitempty"`
	Rule   string    `json:"rule,omitempty"`
	Source string    `json:"source,omitempty"`
	Code   string    `json:"code,omitempty"` // a refusal's
	Plan   string    `json:"plan,omitempty"`
	Hold   string    `json:"hold,omitempty"`
	Run    string    `json:"run,omitempty"`
	Rows   int64     `json:"rows,omitempty"`
	Text   string    `json:"text"` // a sentence
	Do     string    `json:"do"`   // what helps
	At     time.Time `json:"at"`
}

// Package state is the state store: plans and approvals, runs and their lease,
// intents, holds, and the audit log, in one SQLite file. Every method that
// writes is durable on return, with its audit entry in the same transaction.
//
// Queries are portable SQL, rebound to the driver's placeholders; what belongs
// to one engine alone (opening, error texts, migrations) is in sqlite.go and
// migrations/sqlite.
package state

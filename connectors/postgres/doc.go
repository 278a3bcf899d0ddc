// Package postgres is the connector for PostgreSQL 13 and later.
//
// Planning reads in transactions that PostgreSQL itself holds read-only, one
// snapshot each. Acting is one READ COMMITTED transaction a batch: its first
// statement shares the gate (an advisory lock of the transaction, which a hold
// takes exclusively), and its commit waits for the log on disk. Settings are
// local to the transaction, so that a pooler of transactions leaks none.
//
// Cutoffs are compared as values of the column's own type, computed here from
// the embedded time-zone data: an index serves them, no function runs for a row,
// and the server's own zones, date style and language never matter.
package postgres

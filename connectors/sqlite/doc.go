// Package sqlite is the connector for SQLite files.
//
// Planning reads on sessions that SQLite itself holds read-only (mode=ro and
// query_only). Acting uses one write connection, opened on first use, and takes
// BEGIN IMMEDIATE for each batch: SQLite has one writer, so the write lock is
// the gate that a hold takes exclusively, and everything tested inside a batch
// stays true until its commit. The journal mode stays what the application
// chose; writers run at synchronous=FULL with foreign keys enforced.
//
// Clocks and column changes are Go functions of the source's own driver value
// (retentiond_clock and others): a strict reading of ISO 8601 that SQLite's
// date functions do not give ('10:30' and '2451545' are no dates here).
//
// While a source is open, its file must not be opened or closed by other means
// in the same process: POSIX would drop SQLite's locks.
package sqlite

// Package objects is what connectors of files and of objects do alike. They put a
// listing of what is there into a private SQLite database, a table for each pattern
// that a dataset names; so the one SQL of all connectors counts, pages, classifies
// and explains it, holds and minimums included.
//
// The gate and the receipts are in a small SQLite database of our own, the gate
// file. A batch has its write lock from before it is admitted until the last file
// is gone, so that a hold that passes the gate waits for it (L3). What is removed
// does not roll back: names are written to a journal, durably, before the first
// goes, and whoever settles the intent reads there what was meant and looks what is
// gone (L7).
//
// A tree says what lies outside: list, look again, remove.
package objects

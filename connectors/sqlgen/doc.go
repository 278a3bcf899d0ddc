// Package sqlgen renders selections as SQL text and arguments. It is pure: it
// has no connection, no clock and no state; what differs between engines is in
// a [Dialect].
//
// One selection renders to one CASE expression (the row's class). Counting,
// paging, classifying a batch again and explaining a row all use that same
// text, so they cannot disagree (L6). Every test in it is closed against NULL:
// a test that would protect a row holds unless it is FALSE, a test that would
// let it go holds only if it is TRUE.
package sqlgen

// Package sqlgen renders selections as SQL text and arguments. It is pure: it
// has no connection, no clock and no state; what differs between engines is in
// a [Dialect].
//
// One selection renders to one CASE expression (the row's class). Counting,
// paging, classifying a batch again and explaining a row all use that same
// text, so they cannot disagree (L6). Every test in it is closed against NULL:
// a clock or a minimum that is unknown protects the row, a condition that is
// unknown does not match, and a row about nobody is held by nobody's hold.
package sqlgen

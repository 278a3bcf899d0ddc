// Package retention holds the words of retentiond (policy, rule, clock, hold,
// plan, batch, outcome) and the ports that its engine needs. It knows no
// database, no file format and no terminal.
//
// # Life of a row
//
//  1. A YAML file becomes a [Policy] (package policies): every error has a
//     position; no database is asked.
//  2. A tick or a command becomes a run: the clock is read once (as-of) and
//     checked by the clock guard.
//  3. Policy + live schema + holds + minimums become a [Plan] (packages bind
//     and engine). The row is counted in exactly one [Class].
//  4. The plan goes to the screen, the state store and the audit log. A dry run
//     ends here: it was given an [Inspector], which cannot write.
//  5. If the row is due, a keyset page finds it, and it becomes part of a [Batch].
//  6. The batch's intent is made durable in the audit log.
//  7. The batch's connector opens one transaction in the source: gate, holds,
//     every test again, children, the row, the receipt, commit.
//  8. The [Outcome] (done + spared = planned) is audited; the next page follows.
//  9. A crash between 6 and 8 leaves an intent without outcome; recovery settles
//     it from the receipt, which exists if and only if the effect does.
//
// The laws L1 to L13 that the code refers to are listed in CONTRIBUTING.md.
package retention

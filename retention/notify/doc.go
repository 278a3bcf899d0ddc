// Package notify tells people what needs them: a refusal, a failure, an approval, a
// hold's review, a backlog that grows, a source that went back in time. Once per
// cause, and again a day later while the cause lasts; whichever replica is first
// tells, for all.
//
// A notice names policies, rules, sources, plans, holds and codes. It holds no rows,
// no identifiers, no names, no reasons, no matters and no messages of a database:
// those are for `retentiond` on the machine. Telling never blocks or stops a run.
package notify

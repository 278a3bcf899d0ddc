// Package schedule decides when rules run, and sees to it that each slot of each
// schedule is run once, whoever runs it: slots are rows of the state store, claimed
// under leases by the store's own clock. It knows no policy file, no database and
// no signal; what acts is handed to it as a [Runner].
package schedule

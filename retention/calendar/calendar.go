// Package calendar is the legal calendar: periods, due dates and cutoffs.
package calendar

// Period is a length of time as a policy writes it.
type Period struct{}

// Round moves a clock before its period runs.
type Round struct{}

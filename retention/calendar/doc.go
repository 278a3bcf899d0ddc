// Package calendar is the legal calendar: civil dates, periods, the instant a
// period is over, the cutoff that selects exactly the clocks whose period is
// over, and the reading of timestamps. It is pure: no clock, no database, and
// the same answer everywhere for the same time-zone data.
//
// A calendar period (years, months, weeks, days) runs as articles 641 and 642
// of the French code de procédure civile count: to the same day of the month,
// clamped to the month's last day, over at 24:00 of that day. It is not carried
// over week-ends or holidays. An exact period (hours, minutes, seconds) is a
// length of elapsed time.
//
// Law of the package (L2): a doubt makes a date later, never earlier.
package calendar

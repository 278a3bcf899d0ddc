package retention

import (
	"time"

	"github.com/retentiond/retentiond/retention/calendar"
)

// Clock is the event a period runs from: the latest or earliest of its members.
// A clock of a single member is a latest of one.
type Clock struct {
	Earliest  bool // MIN of the members; otherwise MAX
	NullsOpen bool // a NULL member keeps the row open (`nulls: open`)
	Members   []Member
	Pos       Pos
}

// Member is one source of a clock: a column of the row, or a column of related
// rows (MAX or MIN over them, as the clock says).
type Member struct {
	Column    string    // own column; empty when Related is set
	Related   *Relation // with its Column
	As        ClockType // empty: what the live column says
	Zone      *time.Location
	Round     calendar.Round
	NotBefore time.Time // zero: DefaultNotBefore
	NotAfter  time.Time // zero: as-of + 100 years
	Pos       Pos
}

// ClockType is how a column's value is read as an instant.
type ClockType string

// Clock types. AsText takes ISO 8601 only: a date, a naive date-time, or one
// with an offset. AsDate takes dates only.
const (
	AsText             ClockType = "text"
	AsDate             ClockType = "date"
	AsTimestamp        ClockType = "timestamp"
	AsTimestampZone    ClockType = "timestamptz" // from the live type only, never written
	AsUnixSeconds      ClockType = "unix-seconds"
	AsUnixMilliseconds ClockType = "unix-milliseconds"
)

// DefaultNotBefore is the bound below which a clock is implausible.
func DefaultNotBefore() time.Time { return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) }

// DefaultNotAfterYears is how far after as-of a clock is still plausible.
const DefaultNotAfterYears = 100

// ClockTypeOf is how a column of the kind is read where nothing is written; empty:
// it says no instant by itself.
func ClockTypeOf(k Kind) ClockType {
	switch k {
	case KindDate:
		return AsDate
	case KindTimestamp:
		return AsTimestamp
	case KindTimestampTZ:
		return AsTimestampZone
	case KindInteger:
		return AsUnixSeconds
	case KindText, KindAny:
		return AsText
	}
	return ""
}

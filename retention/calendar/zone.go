package calendar

import (
	"fmt"
	"time"
)

// offsetReach is more than any zone's offset from UTC, in seconds: whatever the
// zone, a civil time is that instant in UTC, give or take.
const offsetReach = 26 * 3600

// segment is a stretch of time, in Unix seconds [from, to), with one offset.
type segment struct{ from, to, offset int64 }

// segmentAt is the segment of loc that the instant lies in.
func segmentAt(unix int64, loc *time.Location) segment {
	t := time.Unix(unix, 0).In(loc)
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	s := segment{from: -1 << 62, to: 1 << 62, offset: int64(offset)}
	if !start.IsZero() {
		s.from = start.Unix()
	}
	if !end.IsZero() {
		s.to = end.Unix()
	}
	return s
}

// StartOfDay is the first instant whose civil date in loc is d or later. That is
// not always 00:00: some zones go forward at midnight, and some skipped a day.
func StartOfDay(d Date, loc *time.Location) time.Time {
	midnight := d.number() * 86400
	s := segmentAt(midnight-offsetReach, loc)
	for {
		if t := max(s.from, midnight-s.offset); t < s.to {
			return time.Unix(t, 0).In(loc)
		}
		s = segmentAt(s.to, loc)
	}
}

// LocalTime is the instant of a civil time in loc. A time that occurs twice is
// its later instant; one that is skipped is read with the offset before the gap.
func LocalTime(d Date, hour, minute, sec, micro int, loc *time.Location) time.Time {
	civil := d.number()*86400 + int64(hour)*3600 + int64(minute)*60 + int64(sec)
	return time.Unix(localUnix(civil, loc), int64(micro)*1000).In(loc)
}

// localUnix reads civil seconds: of the segments around, in order, the last that
// contains the time read with its own offset; in a gap, the one just before it.
func localUnix(civil int64, loc *time.Location) int64 {
	s := segmentAt(civil-offsetReach, loc)
	found := civil - s.offset
	for s.to <= civil+offsetReach {
		next := segmentAt(s.to, loc)
		if civil-next.offset >= next.from {
			found = civil - next.offset
		}
		s = next
	}
	return found
}

// LoadZone loads a zone by its IANA name. The machine's own zone ("Local", or an
// empty name) is refused: a policy means the same everywhere.
func LoadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("time zone %s: write an IANA name, e.g. Europe/Paris", quote(name))
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone %s is not known: write an IANA name, e.g. Europe/Paris", quote(name))
	}
	return loc, nil
}

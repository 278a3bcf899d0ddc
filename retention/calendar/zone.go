package calendar

import "time"

// offsetReach is more than any zone's offset from UTC, in seconds: whatever the
// zone, a civil time is that instant in UTC, give or take.
const offsetReach = 26 * 3600

const daySeconds = 86400

// segment is a stretch of time, in Unix seconds [from, to), with one offset.
// The stretch after it may have the same offset.
type segment struct{ from, to, offset int64 }

// segmentFrom is a segment of loc that starts at the instant.
func segmentFrom(unix int64, loc *time.Location) segment {
	t := time.Unix(unix, 0).In(loc)
	_, offset := t.Zone()
	_, end := t.ZoneBounds()
	s := segment{from: unix, to: 1 << 62, offset: int64(offset)}
	if end.IsZero() {
		return s
	}
	// Beyond the last listed transition, package time cuts bounds at the 365th
	// day of the UTC year: on 31 December of a leap year, before t itself. What
	// remains of that day has one offset.
	if s.to = end.Unix(); s.to <= unix {
		s.to = (floorDiv(unix, daySeconds) + 1) * daySeconds
	}
	return s
}

// StartOfDay is the first instant whose civil date in loc is d or later. That is
// not always 00:00: some zones go forward at midnight, and some skipped a day.
func StartOfDay(d Date, loc *time.Location) time.Time {
	midnight := d.number() * daySeconds
	s := segmentFrom(midnight-offsetReach, loc)
	for {
		if t := max(s.from, midnight-s.offset); t < s.to {
			return time.Unix(t, 0).In(loc)
		}
		s = segmentFrom(s.to, loc)
	}
}

// LocalTime is the instant of a civil time in loc. A time that occurs twice is
// its later instant; one that is skipped is read with the offset before the gap.
func LocalTime(d Date, hour, minute, sec, micro int, loc *time.Location) time.Time {
	civil := d.number()*daySeconds + int64(hour)*3600 + int64(minute)*60 + int64(sec)
	return time.Unix(localUnix(civil, loc), int64(micro)*1000).In(loc)
}

// localUnix reads civil seconds with the offset of the last segment that begins
// at or before the instant so read: in a gap, that is the one before it.
func localUnix(civil int64, loc *time.Location) int64 {
	s := segmentFrom(civil-offsetReach, loc)
	found := civil - s.offset
	for s.to <= civil+offsetReach {
		s = segmentFrom(s.to, loc)
		if t := civil - s.offset; t >= s.from {
			found = t
		}
	}
	return found
}

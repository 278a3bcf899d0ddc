package calendar

import "time"

// Walls tells at which instants the clocks of a zone show a civil time, within a
// stretch of time that it was made for.
type Walls struct{ segs []segment }

// WallsBetween is for instants from a to b.
func WallsBetween(a, b time.Time, loc *time.Location) Walls {
	var w Walls
	end := b.Unix() + offsetReach
	for s := segmentFrom(a.Unix()-offsetReach, loc); ; s = segmentFrom(s.to, loc) {
		if n := len(w.segs); n > 0 && w.segs[n-1].offset == s.offset {
			w.segs[n-1].to = s.to
		} else {
			w.segs = append(w.segs, s)
		}
		if s.to > end {
			return w
		}
	}
}

// Instants returns, in Unix seconds and in order, when clocks show that civil time
// of that day. A time that occurs twice has two instants; one that is skipped has
// one: the first instant after the gap.
func (w Walls) Instants(d Date, hour, minute int) []int64 {
	civil := d.number()*daySeconds + int64(hour)*3600 + int64(minute)*60
	var out []int64
	for i, s := range w.segs {
		if t := civil - s.offset; t >= s.from && t < s.to {
			out = append(out, t)
		} else if i > 0 && civil-s.offset < s.from && civil-w.segs[i-1].offset >= s.from && len(out) == 0 {
			out = append(out, s.from)
		}
	}
	return out
}

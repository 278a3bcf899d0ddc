package engine_test

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// changed is what becomes of a cell. NULL stays NULL but under set and random;
// what a change cannot read does not survive.
func changed(c cell, col *wColumn, ch wChange) cell {
	switch ch.Func {
	case "keep":
		return c
	case "null":
		return null()
	case "set":
		return text(ch.Text)
	case "random":
		return cell{T: "random", I: ch.N}
	}
	if c.null() {
		return c
	}
	out, ok := shaped(c, ch)
	switch {
	case ok:
		return out
	case !col.NotNull:
		return null()
	case ch.Func == "bucket" || ch.Func == "round":
		return integer(0)
	}
	return text("")
}

func shaped(c cell, ch wChange) (cell, bool) {
	switch ch.Func {
	case "bucket", "round":
		return multiple(c.I, ch), c.T == "integer"
	}
	if c.T != "text" {
		return c, false
	}
	s, ok := shapedText(c.S, ch)
	return text(s), ok
}

func shapedText(s string, ch wChange) (string, bool) {
	runes := []rune(s)
	n := min(len(runes), int(ch.N))
	switch ch.Func {
	case "keep_left":
		return string(runes[:n]), true
	case "keep_right":
		return string(runes[len(runes)-n:]), true
	case "email_domain":
		i := strings.LastIndex(s, "@")
		return s[i+1:], i >= 0 && i+1 < len(s)
	case "mask_ip":
		return masked(s)
	}
	return truncated(s, ch.Text)
}

// multiple is the multiple of n below (bucket) or nearest (round, halves up).
func multiple(v int64, ch wChange) cell {
	low := v - ((v%ch.N)+ch.N)%ch.N
	if ch.Func == "round" && 2*(v-low) >= ch.N {
		low += ch.N
	}
	return integer(low)
}

// masked keeps 24 bits of an IPv4 address and 48 of an IPv6 one.
func masked(s string) (string, bool) {
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return "", false
	}
	b := ip.AsSlice()
	for i := range b {
		if len(b) == 4 && i >= 3 || len(b) == 16 && i >= 6 {
			b[i] = 0
		}
	}
	out, _ := netip.AddrFromSlice(b)
	return out.String(), true
}

// truncated is the first day of the unit, in the form in which it was written.
func truncated(s, unit string) (string, bool) {
	p, ok := parseISO(s)
	if !ok {
		return "", false
	}
	y, m, d := p.wall.Date()
	switch unit {
	case "year":
		m, d = time.January, 1
	case "quarter":
		m, d = (m-1)/3*3+1, 1
	case "month":
		d = 1
	}
	out := fmt.Sprintf("%04d-%02d-%02d", y, m, d)
	if rest := s[10:]; rest != "" {
		end := strings.IndexAny(rest[1:], "Z+-")
		if end < 0 {
			end = len(rest) - 1
		}
		zeros := strings.Map(func(r rune) rune {
			if '0' <= r && r <= '9' {
				return '0'
			}
			return r
		}, rest[:end+1])
		out += zeros + rest[end+1:]
	}
	return out, true
}

// formed: the cell already has the form that the change gives.
func formed(c cell, col *wColumn, ch wChange) bool {
	switch ch.Func {
	case "random":
		return true
	case "email_domain":
		return c.null() || c.T == "text" && !strings.Contains(c.S, "@")
	}
	return changed(c, col, ch) == c
}

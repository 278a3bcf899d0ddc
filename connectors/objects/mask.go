package objects

import (
	"bytes"
	"net/netip"
	"strconv"
)

// mask zeroes the host bits of IP addresses in a line of text, wherever they stand:
// fields of access logs, of syslog, texts within JSON. What reads as an address is
// one. Everything else stays byte for byte, and what is masked stays as it is when it
// is masked again.
type mask struct{ four, six int } // bits that are kept

// line appends the line with its addresses masked; same: there was nothing to mask.
func (m mask) line(out, line []byte) (masked []byte, same bool) {
	same = true
	for at := 0; at < len(line); {
		from := at
		for from < len(line) && !isAddress(line[from]) {
			from++
		}
		to := from
		for to < len(line) && isAddress(line[to]) {
			to++
		}
		out = append(out, line[at:from]...)
		before := len(out)
		out = m.run(out, line, from, to)
		same = same && bytes.Equal(out[before:], line[from:to])
		at = to
	}
	return out, same
}

// isAddress is whether addresses are written with it.
func isAddress(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' || c == ':' || c == '.'
}

func isWord(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// apart is whether line[from:to] is no part of a longer word.
func apart(line []byte, from, to int) bool {
	return (from == 0 || !isWord(line[from-1])) && (to == len(line) || !isWord(line[to]))
}

// longest is more than the text of any address has.
const longest = 46 + len(":65535")

// run appends line[from:to], the most characters in a row that addresses have.
func (m mask) run(out, line []byte, from, to int) []byte {
	all := to
	for from < to && line[from] == '.' {
		out, from = append(out, '.'), from+1
	}
	for from < to && line[to-1] == '.' {
		to--
	}
	return append(m.bare(out, line, from, to), line[to:all]...)
}

// bare is run without full stops around.
func (m mask) bare(out, line []byte, from, to int) []byte {
	if to-from <= longest+2 && bytes.Count(line[from:to], []byte(":")) > 1 {
		if masked, ok := m.sixIn(out, line, from, to); ok {
			return masked
		}
		if label := bytes.IndexByte(line[from:to], ':') + 1; from > 0 && isWord(line[from-1]) { // the end of a word: IPv6:, remote:
			if masked, ok := m.sixIn(append(out, line[from:from+label]...), line, from+label, to); ok {
				return masked
			}
		}
	}
	for from < to {
		end := bytes.IndexByte(line[from:to], ':')
		if end < 0 {
			end = to - from
		}
		out = m.fourIn(out, line, from, from+end)
		if from += end; from < to {
			out = append(out, ':')
			from++
		}
	}
	return out
}

// sixIn masks an IPv6 address, which may stand between signs of a sentence, or before
// a port.
func (m mask) sixIn(out, line []byte, from, to int) ([]byte, bool) {
	colon, dot := port(line[from:to], ':'), port(line[from:to], '.')
	for _, cut := range [][2]int{{0, 0}, {0, 1}, {1, 0}, {1, 1}, {0, colon}, {1, colon}, {0, dot}, {1, dot}} {
		a, b := from+cut[0], to-cut[1]
		if b-a < 2 || cut[0] == 1 && line[from] != ':' || cut[1] == 1 && line[to-1] != ':' || !apart(line, a, b) {
			continue
		}
		ip, err := netip.ParseAddr(string(line[a:b]))
		if err != nil || !ip.Is6() {
			continue
		}
		out = append(out, line[from:a]...)
		out = m.six6(out, ip, line[a:b])
		return append(out, line[b:to]...), true
	}
	return out, false
}

// port is how long the last part is, with what is before it, where it may be a port:
// a colon, or in what tcpdump writes a full stop.
func port(run []byte, before byte) int {
	i := bytes.LastIndexByte(run, before)
	if i < 0 {
		return 0
	}
	if n, err := strconv.ParseUint(string(run[i+1:]), 10, 16); err != nil || n == 0 {
		return 0
	}
	return len(run) - i
}

// six6 appends the address masked: one of IPv4 within is masked as such.
func (m mask) six6(out []byte, ip netip.Addr, text []byte) []byte {
	if ip.Is4In6() {
		p, err := ip.Unmap().Prefix(m.four)
		if err != nil || p.Addr() == ip.Unmap() {
			return append(out, text...)
		}
		return p.Addr().AppendTo(append(out, "::ffff:"...))
	}
	p, err := ip.Prefix(m.six)
	if err != nil || p.Addr() == ip {
		return append(out, text...)
	}
	return p.Addr().AppendTo(out)
}

// fourIn masks line[from:to] where it is an IPv4 address, also with a port as tcpdump
// writes it. A fifth part of one digit is that of a version.
func (m mask) fourIn(out, line []byte, from, to int) []byte {
	parts := bytes.Split(line[from:to], []byte("."))
	if n := port(line[from:to], '.'); len(parts) == 5 && n > len(".5") {
		return append(m.fourIn(out, line, from, to-n), line[to-n:to]...)
	}
	var ip [4]byte
	ok := len(parts) == len(ip) && apart(line, from, to)
	for i := 0; ok && i < len(ip); i++ {
		n, err := strconv.ParseUint(string(parts[i]), 10, 8) // 010 is ten: logs fill up with zeros
		ok = err == nil && len(parts[i]) <= 3
		ip[i] = byte(n)
	}
	p, err := netip.AddrFrom4(ip).Prefix(m.four)
	if !ok || err != nil {
		return append(out, line[from:to]...)
	}
	for i, kept := range p.Addr().As4() {
		if i > 0 {
			out = append(out, '.')
		}
		if kept == ip[i] {
			out = append(out, parts[i]...)
		} else {
			out = strconv.AppendUint(out, uint64(kept), 10)
		}
	}
	return out
}

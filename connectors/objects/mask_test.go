package objects

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"
)

var usual = mask{24, 48}

// Addresses lose their host bits wherever they stand in a line; nothing else changes.
func TestMaskedLines(t *testing.T) {
	t.Parallel()
	for _, x := range [][2]string{
		{`203.0.113.45 - ada [10/Oct/2000:13:55:36 -0700] "GET /a?ip=10.1.2.3&v=1.2.3.4.5 HTTP/1.1" 200 23 "http://192.168.7.9:8080/x" "Mozilla/5.0 Chrome/109.0.5414.119"`,
			`203.0.113.0 - ada [10/Oct/2000:13:55:36 -0700] "GET /a?ip=10.1.2.0&v=1.2.3.4.5 HTTP/1.1" 200 23 "http://192.168.7.0:8080/x" "Mozilla/5.0 Chrome/109.0.5414.119"`},
		{`2001:db8:1:2:3:4:5:6 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 0`, `2001:db8:1:: - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 0`},
		{`{"ip":"203.0.113.45","peer":"[2001:db8:1:2::5]:443","t":"2024-01-02T10:20:30.123Z","n":1.5,"html":"\u003cb\u003e"}`, `{"ip":"203.0.113.0","peer":"[2001:db8:1::]:443","t":"2024-01-02T10:20:30.123Z","n":1.5,"html":"\u003cb\u003e"}`},
		{`<34>Oct 11 22:14:15 mail sshd[4721]: Failed password for root from 198.51.100.77 port 4242 ssh2`, `<34>Oct 11 22:14:15 mail sshd[4721]: Failed password for root from 198.51.100.0 port 4242 ssh2`},
		{`<165>1 2003-10-11T22:14:15.003Z host app 1 ID [x@1 src="fe80::1:2:3:4%eth0"] ::ffff:192.0.2.128 said no.`, `<165>1 2003-10-11T22:14:15.003Z host app 1 ID [x@1 src="fe80::%eth0"] ::ffff:192.0.2.0 said no.`},
		{`client: 192.0.2.1, server: _, 192.0.2.7. Bad:192.0.2.8:80 x=192.0.2.9/24 (2001:db8:1:2::5).`, `client: 192.0.2.0, server: _, 192.0.2.0. Bad:192.0.2.0:80 x=192.0.2.0/24 (2001:db8:1::).`},
		{`::ffff:c000:280 and 010.001.002.003, 2001:DB8:1:2::5: x`, `::ffff:192.0.2.0 and 010.001.002.0, 2001:db8:1::: x`},
		{`std::string 1.2.3 300.1.2.3 v1.2.3.4 12:30:45 00:1b:44:11:3a:b7 a::b 10.0.0.0 ::1`, `std::string 1.2.3 300.1.2.3 v1.2.3.4 12:30:45 00:1b:44:11:3a:b7 a:: 10.0.0.0 ::`},
		{`unknown[IPv6:2001:db8:1:2::5]: helo=<[IPv6:2001:db8:1:2::6]> remote:2001:db8:1:2::7 id:2001:db8:1:2::8 tcp6:2001:db8:1:2::9 remote:::ffff:192.0.2.1`,
			`unknown[IPv6:2001:db8:1::]: helo=<[IPv6:2001:db8:1::]> remote:2001:db8:1:: id:2001:db8:1:: tcp6:2001:db8:1:: remote:::ffff:192.0.2.0`},
		{`IP 192.0.2.77.52345 > 198.51.100.66.443: IP6 2001:db8:1:2::b.52345 > ::ffff:192.0.2.1.443: Flags [S] 192.0.2.300.443 1.2.3.4.70000`,
			`IP 192.0.2.0.52345 > 198.51.100.0.443: IP6 2001:db8:1::.52345 > ::ffff:192.0.2.0.443: Flags [S] 192.0.2.300.443 1.2.3.4.70000`},
		{"\xff\xfe 192.0.2.1\r", "\xff\xfe 192.0.2.0\r"},
	} {
		got, same := usual.line(nil, []byte(x[0]))
		if string(got) != x[1] || same != (x[0] == x[1]) {
			t.Errorf("%s\nbecame %s\nwant   %s", x[0], got, x[1])
		}
	}
}

// drawn is a line of words and addresses, and what it becomes, piece by piece.
func drawn(m mask) *rapid.Generator[[2]string] {
	word := rapid.OneOf(rapid.StringMatching(`[g-zG-Z]{1,6}`), rapid.SampledFrom([]string{"12:30:45", "1.5", "GET", "\xff", "é", "{}", "200"}))
	four := rapid.Custom(func(r *rapid.T) netip.Addr {
		return netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(r, "four")))
	})
	six := rapid.Custom(func(r *rapid.T) netip.Addr {
		return netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 0, 1, 0xfe}), 16, 16).Draw(r, "six")))
	})
	return rapid.Custom(func(r *rapid.T) (out [2]string) {
		for range rapid.IntRange(0, 6).Draw(r, "pieces") {
			around := rapid.SampledFrom([][2]string{{" ", " "}, {` "`, `" `}, {"[", "]:80 "}, {"=", "&"}, {"(", ")."}, {" ", ", "}}).Draw(r, "around")
			before, after := word.Draw(r, "word"), ""
			switch rapid.IntRange(0, 2).Draw(r, "kind") {
			case 0:
				ip := four.Draw(r, "ip")
				p, _ := ip.Prefix(m.four)
				before, after = ip.String(), p.Addr().String()
			case 1:
				if ip := six.Draw(r, "ip"); !ip.Is4In6() {
					p, _ := ip.Prefix(m.six)
					before, after = ip.String(), p.Addr().String()
				}
			}
			if after == "" {
				after = before
			}
			out[0] += around[0] + before + around[1]
			out[1] += around[0] + after + around[1]
		}
		return out
	})
}

// Nothing but addresses changes, and what is masked stays as it is (L10).
func TestOnlyAddressesChange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		m := mask{rapid.IntRange(0, 32).Draw(r, "four"), rapid.IntRange(0, 128).Draw(r, "six")}
		x := drawn(m).Draw(r, "line")
		got, _ := m.line(nil, []byte(x[0]))
		if string(got) != x[1] {
			r.Fatalf("%q became\n%q, want\n%q", x[0], got, x[1])
		}
		if again, same := m.line(nil, got); !same || !bytes.Equal(again, got) {
			r.Fatalf("%q became %q", got, again)
		}
	})
	rapid.Check(t, func(r *rapid.T) { // whatever is there
		text := []byte(rapid.StringMatching(`[0-9a-f:. xg/\[\]]{0,60}`).Draw(r, "text"))
		once, _ := usual.line(nil, text)
		if twice, same := usual.line(nil, once); !same || !bytes.Equal(once, twice) {
			r.Fatalf("%q became %q, and then %q", text, once, twice)
		}
		other := regexp.MustCompile(`[0-9a-fA-F:.]+`)
		if a, b := other.Split(string(text), -1), other.Split(string(once), -1); strings.Join(a, "|") != strings.Join(b, "|") {
			r.Fatalf("%q became %q", text, once)
		}
	})
}

const logged = "203.0.113.45 a\n{\"ip\":\"2001:db8:1:2::5\"}\r\nno address\n\n198.51.100.7 last"

const loggedMasked = "203.0.113.0 a\n{\"ip\":\"2001:db8:1::\"}\r\nno address\n\n198.51.100.0 last"

// Files under gzip and zstd are masked as texts are, and stay what they were.
func TestMaskedFiles(t *testing.T) {
	t.Parallel()
	member := func(text string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Name = "access.log"
		_, _ = w.Write([]byte(text))
		_ = w.Close()
		return b.Bytes()
	}
	gunzip := func(b []byte) string {
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return err.Error()
		}
		text, err := io.ReadAll(r)
		if err != nil || r.Name != "access.log" {
			return "it has the name " + r.Name
		}
		return string(text)
	}
	z, _ := zstd.NewWriter(nil)
	u, _ := zstd.NewReader(nil)
	unzstd := func(b []byte) string {
		text, err := u.DecodeAll(b, nil)
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
	plain := func(b []byte) string { return string(b) }
	long := strings.Repeat("x", maxLine+10) + " 203.0.113.45\n"
	tests := []struct {
		name    string
		in      []byte
		out     func([]byte) string
		want    string
		changed int64
		left    int64
		err     error
	}{
		{"text", []byte(logged), plain, loggedMasked, 3, 0, nil},
		{"empty", nil, plain, "", 0, 0, nil},
		{"nothing to mask", []byte(loggedMasked), plain, loggedMasked, 0, 0, nil},
		{"gzip", member(logged), gunzip, loggedMasked, 3, 0, nil},
		{"several members", append(member(logged[:30]), member(logged[30:])...), gunzip, loggedMasked, 3, 0, nil},
		{"zstd", z.EncodeAll([]byte(logged), nil), unzstd, loggedMasked, 3, 0, nil},
		{"several frames", append(z.EncodeAll([]byte(logged[:30]), nil), z.EncodeAll([]byte(logged[30:]), nil)...), unzstd, loggedMasked, 3, 0, nil},
		{"a line with a zero", []byte(strings.Repeat("a\n", 4000) + "1.2.3.4\x00\n1.2.3.4\n"), plain, strings.Repeat("a\n", 4000) + "1.2.3.4\x00\n1.2.3.0\n", 1, 1, nil},
		{"a line too long", []byte(long + "1.2.3.4\n"), plain, long + "1.2.3.0\n", 1, 1, nil},
		{"an address as numbers", []byte(`{"ip":"\u0031.2.3.4"}`), plain, `{"ip":"\u0031.2.3.4"}`, 0, 1, nil},
		{"cut gzip", member(logged)[:40], nil, "", 0, 0, ErrUnread},
		{"gzip and more", append(member(logged), "more"...), nil, "", 0, 0, ErrUnread},
		{"a bad sum", func() []byte { b := member(logged); b[len(b)-5] ^= 1; return b }(), nil, "", 0, 0, ErrUnread},
		{"cut zstd", z.EncodeAll([]byte(logged), nil)[:30], nil, "", 0, 0, ErrUnread},
		{"xz", []byte("\xfd7zXZ\x00abc"), nil, "", 0, 0, ErrUnread},
		{"no text", []byte("ab\x00cd"), nil, "", 0, 0, ErrUnread},
		{"gzip of no text", member("ab\x00cd"), nil, "", 0, 0, ErrUnread},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			got, err := usual.Write(&b, bytes.NewReader(x.in))
			if !errors.Is(err, x.err) {
				t.Fatalf("it ended as %v, want %v", err, x.err)
			}
			if x.err != nil {
				return
			}
			if text := x.out(b.Bytes()); text != x.want || got != (Rewritten{x.changed, x.left}) {
				t.Errorf("it became %.200q, %+v", text, got)
			}
		})
	}
}

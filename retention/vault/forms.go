package vault

import (
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// reduced adds the forms of a folded text: a number's shortest one, and a text's
// letters and digits. What could be either (an identifier in hexadecimal with one e
// in it, or with more digits than a float has) is both.
func reduced(out []string, s string) []string {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return with(out, strings.TrimLeft(strconv.FormatInt(n, 10), "-"))
	}
	if !strings.ContainsAny(s, "0123456789") || strings.Trim(s, "+-.0123456789e") != "" {
		return with(out, letters(s))
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return with(out, letters(s))
	}
	out = with(out, letters(strconv.FormatFloat(f, 'f', -1, 64)))
	if digits, ok := whole(s); ok {
		out = with(out, digits)
	}
	if len(s) > exactDigits || strings.Contains(s, "e") {
		out = with(out, letters(s))
	}
	return out
}

// exactDigits is how long a decimal is at most that a float has exactly.
const exactDigits = 15

// whole is a decimal without a fraction as its digits, however many.
func whole(s string) (string, bool) {
	if _, exp, ok := strings.Cut(s, "e"); len(s) > 100 || ok && len(strings.TrimLeft(exp, "+-0")) > 2 {
		return "", false
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || !r.IsInt() {
		return "", false
	}
	return new(big.Int).Abs(r.Num()).String(), true
}

// letters are a text's letters and digits; of digits alone, without zeros before them.
func letters(s string) string {
	s = once(strings.NewReplacer(".", "", "+", "", "-", "").Replace(s))
	if trimmed := strings.TrimLeft(s, "0"); trimmed != "" && strings.Trim(s, "0123456789") == "" {
		return trimmed
	}
	return s
}

// address adds the form of an IP address: one, however it is written, mapped into IPv6
// or not, and whatever network is noted with it.
func address(out []string, id string) []string {
	if len(id) > 100 || strings.IndexByte(id, ':') < 0 && strings.Count(id, ".") != 3 {
		return out
	}
	host, _, _ := strings.Cut(strings.TrimSpace(id), "/")
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return out
	}
	return with(out, "ip "+ip.WithZone("").Unmap().String())
}

// hardware adds, for a hardware address of eight bytes, the one of six that a server
// widened to it.
func hardware(out []string, id string) []string {
	if len(id) < 16 || len(id) > 32 {
		return out
	}
	digits := strings.NewReplacer(":", "", "-", "", ".", "").Replace(strings.ToLower(strings.TrimSpace(id)))
	if len(digits) != 16 || digits[6:10] != "fffe" || strings.Trim(digits, "0123456789abcdef") != "" {
		return out
	}
	return reduced(out, digits[:6]+digits[10:])
}

// elements adds those of an array, as PostgreSQL writes it: a hold means each of them.
func elements(out []string, text string) []string {
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return out
	}
	var b strings.Builder
	var quoted, escaped, any bool
	for _, r := range text {
		switch {
		case escaped:
			b.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == '"':
			quoted, any = !quoted, true
		case !quoted && strings.ContainsRune("{},;", r):
			if any || b.Len() > 0 {
				out = append(out, b.String())
			}
			b.Reset()
			any = false
		default:
			b.WriteRune(r)
		}
	}
	return out
}

func with(out []string, form string) []string {
	if slices.Contains(out, form) {
		return out
	}
	return append(out, form)
}

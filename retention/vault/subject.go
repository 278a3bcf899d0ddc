package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A hold names a person by an identifier, and a segment's content cannot be read:
// its index has keyed digests of identifiers instead. Databases compare identifiers
// in their own ways (a number written 042, a collation without case or accents, a
// UUID without dashes), so all spellings that some database takes for one become
// one here. What is taken for one too many keeps a segment too long; the other way
// round, a hold would not be honoured (L3).

// indexVersion is that of the forms in indexes. What an older one does not know
// might be anybody.
const indexVersion = 3

// forms are the plain forms of an identifier: two that some database takes for one
// have one in common. To old collations every character beyond U+FFFF is U+FFFD,
// and some marks are letters; newer ones know better.
func forms(id string) []string {
	seen := folded(id, false)
	out := reduced(nil, seen)
	if blind := folded(unseen(id), true); blind != seen {
		out = reduced(out, blind)
	}
	return hardware(address(out, id), id)
}

// unseen is the text as collations see it that know 65536 characters.
func unseen(id string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xffff {
			return utf8.RuneError
		}
		return r
	}, id)
}

// folded is an identifier without what some comparison passes over; with marks, such
// as are letters to some stay.
func folded(id string, marks bool) string {
	s := strings.TrimSpace(id)
	if rest, ok := strings.CutPrefix(s, `\x`); ok {
		s = rest
	} else if len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
		s = s[2:]
	}
	var b strings.Builder
	for _, r := range s {
		if known, ok := foldOf(r, marks); ok {
			b.WriteString(known)
			continue
		}
		for _, part := range norm.NFKD.String(string(r)) {
			if known, ok := foldOf(part, false); ok {
				b.WriteString(known)
				continue
			}
			b.WriteString(lowered(part))
		}
	}
	return b.String()
}

// lowered is a character without case: nothing for what is no letter or digit, nor
// part of a number.
func lowered(r rune) string {
	switch r = unicode.ToLower(r); {
	case unicode.IsLetter(r), unicode.IsDigit(r), r == '.', r == '+', r == '-', r == utf8.RuneError:
		return string(r)
	}
	return ""
}

// once leaves out repeated letters, and an e after a, o and i: ß is s or ss, å is aa
// and ä is ae to some. U is among what i is (ü is y to Danes, and y is i to
// Lithuanians).
func once(s string) string {
	var b strings.Builder
	var last rune
	for _, r := range s {
		double := r == last && !unicode.IsDigit(r)
		if double || r == 'e' && (last == 'a' || last == 'o' || last == 'i') {
			continue
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}

// idTexts are the texts of a value under which a hold may name it.
func idTexts(v any) []string {
	switch x := v.(type) {
	case nil:
		return nil
	case string:
		return elements([]string{x}, x)
	case []byte:
		return elements([]string{hex.EncodeToString(x), string(x)}, string(x))
	case int64:
		return []string{strconv.FormatInt(x, 10)}
	case float64:
		return []string{strconv.FormatFloat(x, 'f', -1, 64)}
	}
	return []string{fmt.Sprint(v)}
}

// Digests are how a subject appears in indexes: 64 bits of an HMAC under a key that
// is derived from the audit key, over each of the identifier's plain forms. One in
// common is a match.
func (v *Vault) Digests(subjectType, id string) []uint64 {
	d := v.digester()
	return d.text(nil, subjectType, id)
}

// digester makes digests, for one goroutine.
type digester struct {
	mac  hash.Hash
	sum  []byte
	line []byte
}

func (v *Vault) digester() digester { return digester{mac: hmac.New(sha256.New, v.secret)} }

// value adds the digests of a value of a row, or of another that names a subject.
func (d *digester) value(to []uint64, subjectType string, v any) []uint64 {
	if n, ok := v.(int64); ok {
		return d.whole(to, subjectType, n)
	}
	for _, id := range idTexts(v) {
		to = d.text(to, subjectType, id)
	}
	return to
}

func (d *digester) text(to []uint64, subjectType, id string) []uint64 {
	for _, form := range forms(id) {
		to = append(to, d.of(append(append(append(d.line[:0], subjectType...), 0), form...)))
	}
	return to
}

// whole is text of an integer, whose one form is its digits.
func (d *digester) whole(to []uint64, subjectType string, n int64) []uint64 {
	d.line = append(append(d.line[:0], subjectType...), 0)
	at := len(d.line)
	d.line = strconv.AppendInt(d.line, n, 10)
	if n < 0 { // an identifier is the same without its sign
		d.line = append(d.line[:at], d.line[at+1:]...)
	}
	return append(to, d.of(d.line))
}

func (d *digester) of(line []byte) uint64 {
	d.line = line
	d.mac.Reset()
	d.mac.Write(line)
	d.sum = d.mac.Sum(d.sum[:0])
	return binary.BigEndian.Uint64(d.sum)
}

// sameID reports whether a hold, or a restore, of the identifier means the value.
func sameID(id string, v any) bool {
	want := forms(id)
	for _, text := range idTexts(v) {
		if slices.ContainsFunc(forms(text), func(f string) bool { return slices.Contains(want, f) }) {
			return true
		}
	}
	return false
}

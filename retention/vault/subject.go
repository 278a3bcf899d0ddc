package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A hold names a person by an identifier, and a segment's content cannot be read:
// its index has keyed digests of identifiers instead. Databases compare identifiers
// in their own ways (a number written 042, a collation without case or accents, a
// UUID without dashes), so all spellings that some database takes for one become
// one here. What is taken for one too many keeps a segment too long; the other way
// round, a hold would not be honoured (L3).

// plainForm is an identifier without what some comparison passes over.
func plainForm(id string) string {
	s := strings.TrimSpace(id)
	if rest, ok := strings.CutPrefix(s, `\x`); ok {
		s = rest
	} else if len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
		s = s[2:]
	}
	ascii := true
	for i := range len(s) {
		ascii = ascii && s[i] < 0x80
	}
	if !ascii {
		s = norm.NFKD.String(s)
	}
	var b strings.Builder
	for _, r := range s {
		switch r = unicode.ToLower(r); {
		case r == 'ß', r == 'ẞ':
			b.WriteByte('s')
		case r == 'æ':
			b.WriteString("ae")
		case r == 'œ':
			b.WriteString("oe")
		case r == 'ø':
			b.WriteByte('o')
		case r == 'ł':
			b.WriteByte('l')
		case r == 'đ', r == 'ð':
			b.WriteByte('d')
		case r == 'ı':
			b.WriteByte('i')
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '.', r == '+', r == '-':
			b.WriteRune(r)
		}
	}
	return reduced(b.String())
}

// reduced is a number's shortest form, and a text's letters and digits, with a
// repeated s once.
func reduced(s string) string {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return strings.TrimLeft(strconv.FormatInt(n, 10), "-")
	}
	if strings.ContainsAny(s, "0123456789") && strings.Trim(s, "+-.0123456789e") == "" {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			s = strconv.FormatFloat(f, 'f', -1, 64)
		}
	}
	s = strings.NewReplacer(".", "", "+", "", "-", "").Replace(s)
	for strings.Contains(s, "ss") {
		s = strings.ReplaceAll(s, "ss", "s")
	}
	if trimmed := strings.TrimLeft(s, "0"); trimmed != "" && strings.Trim(s, "0123456789") == "" {
		return trimmed
	}
	return s
}

// idTexts are the texts of a value under which a hold may name it.
func idTexts(v any) []string {
	switch x := v.(type) {
	case nil:
		return nil
	case string:
		return []string{x}
	case []byte:
		return []string{hex.EncodeToString(x), string(x)}
	case int64:
		return []string{strconv.FormatInt(x, 10)}
	case float64:
		return []string{strconv.FormatFloat(x, 'f', -1, 64)}
	}
	return []string{fmt.Sprint(v)}
}

// Digest is how a subject appears in indexes: 64 bits of an HMAC under a key that
// is derived from the audit key, over the identifier's plain form.
func (v *Vault) Digest(subjectType, id string) uint64 {
	m := hmac.New(sha256.New, v.secret)
	m.Write([]byte(subjectType))
	m.Write([]byte{0})
	m.Write([]byte(plainForm(id)))
	return binary.BigEndian.Uint64(m.Sum(nil))
}

// sameID reports whether a hold, or a restore, of the identifier means the value.
func sameID(id string, v any) bool {
	want := plainForm(id)
	for _, text := range idTexts(v) {
		if plainForm(text) == want {
			return true
		}
	}
	return false
}

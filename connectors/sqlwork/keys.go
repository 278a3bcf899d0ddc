package sqlwork

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/retentiond/retentiond/retention"
)

// keyList writes keys as the JSON text that keysOf reads: an integer, or an array, for
// each key; bytes, and text that JSON cannot carry, as objects of hex digits. It
// names every storage class exactly, and refuses what it cannot.
func keyList(t *retention.Table, keys []retention.Key) (string, error) {
	var b strings.Builder
	b.WriteByte('[')
	for i, k := range keys {
		if len(k) != len(t.Key) {
			return "", fmt.Errorf("table %s: key %d has %d values, the primary key has %d columns", t.Name, i, len(k), len(t.Key))
		}
		if i > 0 {
			b.WriteByte(',')
		}
		if n, ok := integer(k); ok {
			b.WriteString(strconv.FormatInt(n, 10))
			continue
		}
		text, err := keyJSON(k)
		if err != nil {
			return "", fmt.Errorf("table %s: key %d: %w", t.Name, i, err)
		}
		b.WriteString(text)
	}
	b.WriteByte(']')
	return b.String(), nil
}

// integer is a key of one integer, the usual one.
func integer(k retention.Key) (int64, bool) {
	if len(k) != 1 {
		return 0, false
	}
	n, ok := k[0].(int64)
	return n, ok
}

func keyJSON(k retention.Key) (string, error) {
	parts := make([]string, len(k))
	for i, v := range k {
		switch x := v.(type) {
		case int64:
			parts[i] = strconv.FormatInt(x, 10)
		case string:
			parts[i] = textJSON(x)
		case []byte:
			parts[i] = `{"hex":"` + hex.EncodeToString(x) + `"}`
		default:
			return "", fmt.Errorf("a value of type %T cannot be named exactly", v)
		}
	}
	return "[" + strings.Join(parts, ",") + "]", nil
}

func textJSON(s string) string {
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return `{"text":"` + hex.EncodeToString([]byte(s)) + `"}`
	}
	b, err := json.Marshal(s)
	if err != nil {
		return `{"text":"` + hex.EncodeToString([]byte(s)) + `"}`
	}
	return string(b)
}

// KeyText is the key as people write it; a composite one as a JSON array.
func KeyText(k retention.Key) string {
	if len(k) == 1 {
		switch x := k[0].(type) {
		case string:
			return x
		case []byte:
			return hex.EncodeToString(x)
		}
		return fmt.Sprint(k[0])
	}
	text, err := keyJSON(k)
	if err != nil {
		return fmt.Sprint([]any(k))
	}
	return text
}

// number is an integer that a driver returned in either form; 0 for anything else.
func number(v any) int64 {
	switch x := v.(type) {
	case int64:
		return x
	case []byte, string:
		n, err := strconv.ParseInt(text(x), 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	return 0
}

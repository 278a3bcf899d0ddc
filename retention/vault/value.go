package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A value is written so that what is read is the same, by type and by bits:
//
//	null true false            as they are
//	integers                   digits, to 64 bits, with or without a sign
//	floats                     with a point or an exponent; -0.0
//	{"float":"NaN"}            and Infinity, -Infinity
//	texts                      as JSON texts
//	{"base64":"…"}             bytes
//	{"text64":"…"}             texts that are no UTF-8
//
// What a database has beside (decimals, times, arrays, ranges) is its own text.

// appendValue writes a value.
func appendValue(b []byte, v any) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, x), nil
	case int64:
		return strconv.AppendInt(b, x, 10), nil
	case uint64:
		return strconv.AppendUint(b, x, 10), nil
	case float64:
		return appendFloat(b, x, 64), nil
	case float32:
		return appendFloat(b, float64(x), 32), nil
	case string:
		if !utf8.ValidString(x) {
			return append64(b, "text64", []byte(x)), nil
		}
		return appendText(b, x), nil
	case []byte:
		return append64(b, "base64", x), nil
	}
	return b, fmt.Errorf("a value of type %T cannot be sealed exactly", v)
}

func append64(b []byte, name string, v []byte) []byte {
	b = append(append(append(b, `{"`...), name...), `":"`...)
	b = base64.StdEncoding.AppendEncode(b, v)
	return append(b, `"}`...)
}

func appendFloat(b []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, `{"float":"NaN"}`...)
	case math.IsInf(f, 1):
		return append(b, `{"float":"Infinity"}`...)
	case math.IsInf(f, -1):
		return append(b, `{"float":"-Infinity"}`...)
	}
	from := len(b)
	b = strconv.AppendFloat(b, f, 'g', -1, bits)
	if !bytes.ContainsAny(b[from:], ".e") {
		b = append(b, ".0"...)
	}
	return b
}

const hexDigits = "0123456789abcdef"

// appendText writes a JSON text; everything but quotes, backslashes and control
// characters stands as it is.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for {
		n := cleanRun(s)
		b = append(b, s[:n]...)
		if n == len(s) {
			return append(b, '"')
		}
		if c := s[n]; c == '"' || c == '\\' {
			b = append(b, '\\', c)
		} else {
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		s = s[n+1:]
	}
}

// cleanRun is how many of the first bytes stand as they are, looked at eight at a
// time: the highest bit of a byte of odd says that it is a quote, a backslash or a
// control character. What lies before the first such byte is exact.
func cleanRun(s string) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(s); i += 8 {
		p := s[i : i+8]
		x := uint64(p[0]) | uint64(p[1])<<8 | uint64(p[2])<<16 | uint64(p[3])<<24 | uint64(p[4])<<32 | uint64(p[5])<<40 | uint64(p[6])<<48 | uint64(p[7])<<56
		quote, slash := x^(ones*'"'), x^(ones*'\\')
		odd := ((quote-ones)&^quote | (slash-ones)&^slash | (x-ones*' ')&^x) & high
		if odd != 0 {
			return i + bits.TrailingZeros64(odd)/8
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			break
		}
	}
	return i
}

// readRow reads a line of values.
func readRow(line []byte) ([]any, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var row []any
	if err := d.Decode(&row); err != nil {
		return nil, fmt.Errorf("a row is no list of values: %w", err)
	}
	for i, v := range row {
		x, err := readValue(v)
		if err != nil {
			return nil, err
		}
		row[i] = x
	}
	return row, nil
}

func readValue(v any) (any, error) {
	switch x := v.(type) {
	case json.Number:
		return readNumber(x.String())
	case map[string]any:
		for name, text := range x {
			s, ok := text.(string)
			if !ok || len(x) != 1 {
				break
			}
			return readNamed(name, s)
		}
		return nil, fmt.Errorf("a row has a value of no known form")
	case []any:
		return nil, fmt.Errorf("a row has a list for a value")
	}
	return v, nil
}

func readNumber(s string) (any, error) {
	if strings.ContainsAny(s, ".eE") {
		return strconv.ParseFloat(s, 64)
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	return strconv.ParseUint(s, 10, 64)
}

func readNamed(name, s string) (any, error) {
	switch name {
	case "float":
		return strconv.ParseFloat(s, 64)
	case "base64":
		b, err := base64.StdEncoding.DecodeString(s)
		if b == nil {
			b = []byte{}
		}
		return b, err
	case "text64":
		b, err := base64.StdEncoding.DecodeString(s)
		return string(b), err
	}
	return nil, fmt.Errorf("a row has a value of the unknown form %q", name)
}

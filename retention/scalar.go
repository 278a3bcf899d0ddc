package retention

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"
)

// As converts a scalar as written by a column's kind: a text column gets the
// text as it stands (01234 stays a postcode), an integer column an integer. A
// null is nil. ok = false: no value of that kind is written like this.
func (s Scalar) As(k Kind) (v any, ok bool) {
	if s.Null {
		return nil, true
	}
	switch k {
	case KindInteger:
		return s.integer()
	case KindNumber:
		return s.number()
	case KindBool:
		return s.boolean()
	case KindBytes:
		return s.bytes()
	case KindAny, KindOther:
		return s.untyped()
	}
	return s.Text, true
}

func (s Scalar) integer() (any, bool) {
	if s.Tag == TagBool {
		return s.boolean()
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s.Text), 10, 64)
	return n, err == nil
}

func (s Scalar) number() (any, bool) {
	if n, err := strconv.ParseInt(s.Text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s.Text, 64)
	return f, err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
}

func (s Scalar) boolean() (any, bool) {
	switch strings.ToLower(s.Text) {
	case "true", "1":
		return int64(1), true
	case "false", "0":
		return int64(0), true
	}
	return nil, false
}

func (s Scalar) bytes() (any, bool) {
	b, err := hex.DecodeString(strings.TrimPrefix(strings.ToLower(s.Text), "0x"))
	return b, err == nil
}

func (s Scalar) untyped() (any, bool) {
	switch s.Tag {
	case TagInt:
		return s.integer()
	case TagFloat:
		return s.number()
	case TagBool:
		return s.boolean()
	}
	return s.Text, true
}

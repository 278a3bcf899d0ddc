package sqlgen

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// Value converts a scalar as written by the column's kind: a text column gets
// the text as it stands (01234 stays a postcode), an integer column an integer.
// A null is nil. What does not convert is an error naming column and value.
func Value(c *retention.Column, s retention.Scalar) (any, error) {
	if s.Null {
		return nil, nil
	}
	var v any
	ok := true
	switch c.Kind {
	case retention.KindInteger:
		v, ok = integer(s)
	case retention.KindNumber:
		v, ok = number(s)
	case retention.KindBool:
		v, ok = boolean(s)
	case retention.KindBytes:
		v, ok = bytes(s)
	case retention.KindAny, retention.KindOther:
		v, ok = untyped(s)
	default:
		v = s.Text
	}
	if !ok {
		return nil, fmt.Errorf("column %s (%s): value %q is no %s", c.Name, c.Decl, s.Text, c.Kind)
	}
	return v, nil
}

func integer(s retention.Scalar) (any, bool) {
	if s.Tag == retention.TagBool {
		return boolean(s)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s.Text), 10, 64)
	return n, err == nil
}

func number(s retention.Scalar) (any, bool) {
	if n, err := strconv.ParseInt(s.Text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s.Text, 64)
	return f, err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
}

func boolean(s retention.Scalar) (any, bool) {
	switch strings.ToLower(s.Text) {
	case "true", "1":
		return int64(1), true
	case "false", "0":
		return int64(0), true
	}
	return nil, false
}

func bytes(s retention.Scalar) (any, bool) {
	text := strings.TrimPrefix(strings.ToLower(s.Text), "0x")
	b, err := hex.DecodeString(text)
	return b, err == nil
}

func untyped(s retention.Scalar) (any, bool) {
	switch s.Tag {
	case retention.TagInt:
		return integer(s)
	case retention.TagFloat:
		return number(s)
	case retention.TagBool:
		return boolean(s)
	}
	return s.Text, true
}

package mysql

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// among converts the identifiers to the column's type here: what does not
// convert matches nothing. Texts compare as the column does.
func among(col sqlgen.SQL, c *retention.Column, ids *sqlgen.IDs) sqlgen.SQL {
	in := func(left, typ, value string, form func([]string) []string) sqlgen.SQL {
		list := ids.Form(typ, func(ids []string) string { return array(form(ids)) })
		return sqlgen.Format("%s IN (SELECT "+value+" FROM JSON_TABLE(%s, '$[*]' COLUMNS (v "+typ+" PATH '$')) AS j)", fill(left, col), sqlgen.Arg(list))
	}
	switch {
	case unsigned(c):
		return in("%s", "BIGINT UNSIGNED", "j.v", unsignedIDs)
	case c.Kind == retention.KindInteger:
		return in("%s", "BIGINT", "j.v", signedIDs)
	case typeName(c) == "decimal":
		return in("%s", exactly(c), "j.v", decimalIDs)
	case c.Kind == retention.KindNumber:
		return in("%s", "DOUBLE", "j.v", decimalIDs)
	case c.Kind == retention.KindUUID:
		return in("%s", "VARCHAR(36)", "CAST(j.v AS UUID)", uuidIDs)
	case c.Kind == retention.KindBytes:
		return in("%s", width("VARCHAR(%d) CHARACTER SET ascii", 2*byteWidth(c)), "UNHEX(j.v)", func(ids []string) []string { return byteIDs(c, ids) })
	case c.Kind == retention.KindIP:
		return in("%s", "VARCHAR(64) CHARACTER SET ascii", "CAST(j.v AS "+strings.ToUpper(typeName(c))+")", func(ids []string) []string { return ipIDs(typeName(c), ids) })
	case textual(c):
		n := longest(c.Length)
		short := in("%s", width("VARCHAR(%d) COLLATE "+collation(c), n), "j.v", func(ids []string) []string { return textIDs(n, ids) })
		if c.Length <= n && c.Length > 0 || ids.Form("long", longIDs) == sqlgen.List(array(nil)) {
			return short
		}
		return sqlgen.Or(short, in("%s", "LONGTEXT COLLATE "+collation(c), "j.v", func(ids []string) []string { return ids }))
	}
	return in("CAST(%s AS CHAR) COLLATE utf8mb4_bin", "VARCHAR(255) COLLATE utf8mb4_bin", "j.v", func(ids []string) []string { return textIDs(255, ids) })
}

// unheld says why no identifier is compared with the column.
func unheld(c *retention.Column) string {
	if name := typeName(c); c.Kind == retention.KindOther && name != "enum" {
		return "values of the type " + name + " have no spelling of their own that a hold could find"
	}
	return sqlgen.Unheld(c.Kind, typeName(c) != "decimal")
}

func fill(left string, col sqlgen.SQL) sqlgen.SQL { return sqlgen.Format(left, col) }

func width(text string, n int) string { return fmt.Sprintf(text, n) }

// longest is how many characters an identifier in a text column has at most;
// more could not be sorted in memory.
func longest(length int) int {
	if length <= 0 || length > 700 {
		return 700
	}
	return length
}

func array(texts []string) string {
	if texts == nil {
		texts = []string{}
	}
	b, err := json.Marshal(texts)
	if err != nil { // texts are always JSON
		return "[]"
	}
	return string(b)
}

func each(ids []string, form func(string) (string, bool)) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if x, ok := form(id); ok {
			out = append(out, x)
		}
	}
	return out
}

func signedIDs(ids []string) []string {
	return each(ids, func(id string) (string, bool) {
		n, ok := sqlgen.Integer(id)
		if !ok || !n.IsInt64() {
			return "", false
		}
		return n.String(), true
	})
}

func unsignedIDs(ids []string) []string {
	return each(ids, func(id string) (string, bool) {
		n, ok := sqlgen.Integer(id)
		if !ok || !n.IsUint64() {
			return "", false
		}
		return n.String(), true
	})
}

func decimalIDs(ids []string) []string {
	return each(ids, func(id string) (string, bool) {
		id = strings.TrimSpace(id)
		_, err := strconv.ParseFloat(id, 64)
		return id, err == nil && strings.Trim(id, "+-0123456789.eE") == "" && len(id) < 80
	})
}

func uuidIDs(ids []string) []string {
	return each(ids, func(id string) (string, bool) {
		b, err := hex.DecodeString(strings.ReplaceAll(strings.Trim(strings.TrimSpace(id), "{}"), "-", ""))
		if err != nil || len(b) != 16 {
			return "", false
		}
		h := hex.EncodeToString(b)
		return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], true
	})
}

// ipIDs are the addresses that the type can hold. An IPv4 address is one with
// the column's type, whether it is written as such or mapped into IPv6.
func ipIDs(typ string, ids []string) []string {
	return each(ids, func(id string) (string, bool) {
		ip, err := netip.ParseAddr(strings.TrimSpace(id))
		if err != nil {
			return "", false
		}
		ip = ip.WithZone("").Unmap()
		if typ == "inet4" || ip.Is6() {
			return ip.String(), ip.Is4() == (typ == "inet4")
		}
		return "::ffff:" + ip.String(), true
	})
}

// textIDs drops what is longer than the column: it can be in no row, but for
// spaces at its end.
func textIDs(n int, ids []string) []string {
	return each(ids, func(id string) (string, bool) {
		if utf8.RuneCountInString(id) > n {
			id = strings.TrimRight(id, " ")
		}
		return id, utf8.RuneCountInString(id) <= n
	})
}

// longIDs are the identifiers that are longer than any sorted in memory.
func longIDs(ids []string) string {
	return array(each(ids, func(id string) (string, bool) { return id, utf8.RuneCountInString(id) > longest(0) }))
}

// exactly is a decimal type that holds each value of the column, and as much of
// an identifier's fraction as leaves room for that: what the column does not hold
// is not rounded to what it does.
func exactly(c *retention.Column) string {
	digits, scale := 65, 0
	if _, err := fmt.Sscanf(strings.TrimPrefix(bare(c), "decimal"), "(%d,%d)", &digits, &scale); err != nil {
		digits = 65
	}
	return fmt.Sprintf("DECIMAL(65,%d)", min(65-(digits-scale), max(30, scale)))
}

// byteWidth is how many bytes an identifier has at most.
func byteWidth(c *retention.Column) int { return min(max(c.Length, 64), 700) }

// byteIDs are the identifiers' own bytes and what they are as hex digits, a UUID
// among them. A column of fixed width is filled with zeros, as it stores them.
func byteIDs(c *retention.Column, ids []string) []string {
	n := byteWidth(c)
	add := func(out []string, b []byte) []string {
		if typeName(c) == "binary" && len(b) < c.Length {
			b = append(append([]byte{}, b...), make([]byte, c.Length-len(b))...)
		}
		if len(b) > n {
			return out
		}
		return append(out, hex.EncodeToString(b))
	}
	var out []string
	for _, id := range ids {
		out = add(out, []byte(id))
		if b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(id), "0x"), "-", "")); err == nil {
			out = add(out, b)
		}
	}
	return out
}

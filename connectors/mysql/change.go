package mysql

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// changeOf is the form that a change gives a column. NULL stays NULL; what a
// change cannot read becomes empty, since it must not survive as it is (L10).
func changeOf(col sqlgen.SQL, c *retention.Column, ch retention.Change, secret func() []byte) (sqlgen.SQL, error) {
	var readable, form sqlgen.SQL
	switch ch.Func {
	case retention.Truncate:
		readable, form = truncate(col, c, ch.Unit)
	case retention.Bucket, retention.RoundTo:
		readable, form = multiple(col, c, ch)
	case retention.MaskIP:
		readable, form = maskIP(col, c, ch.Bits)
	case retention.EmailDomain:
		readable, form = ifText(c, sqlgen.Format("%s LIKE '%@_%' AND RIGHT(%s, 1) <> '@'", asText(col), asText(col)), sqlgen.Format("SUBSTRING_INDEX(%s, '@', -1)", col))
	case retention.KeepLeft, retention.KeepRight:
		readable, form = keep(col, c, ch)
	case retention.Random:
		return random(ch.Unit, ch.N, secret)
	default:
		return sqlgen.SQL{}, fmt.Errorf("column %s: MariaDB and MySQL have no change %q", ch.Column, ch.Func)
	}
	if form.Text == "" {
		return sqlgen.SQL{}, fmt.Errorf("column %s (%s): change %q cannot read its values", ch.Column, c.Decl, ch.Func)
	}
	return sqlgen.Format("CASE WHEN %s IS NULL THEN NULL WHEN %s THEN %s ELSE %s END", col, readable, form, emptyOf(c)), nil
}

// emptyOf is what an unreadable value becomes.
func emptyOf(c *retention.Column) sqlgen.SQL {
	switch {
	case c.Nullable:
		return sqlgen.Raw("NULL")
	case numeric(c):
		return sqlgen.Raw("0")
	}
	return sqlgen.Raw("''")
}

// formed is whether the column has its form. A domain is not its own domain:
// its form is told by the missing @ alone.
func formed(col sqlgen.SQL, c *retention.Column, ch retention.Change) (sqlgen.SQL, error) {
	if ch.Func == retention.EmailDomain {
		return sqlgen.Format("(%s IS NULL OR INSTR(%s, '@') = 0)", col, col), nil
	}
	form, err := changeOf(col, c, ch, nil)
	return same(col, form, c), err
}

// ifText gives the pair for columns of texts, and nothing for others.
func ifText(c *retention.Column, readable, form sqlgen.SQL) (sqlgen.SQL, sqlgen.SQL) {
	if c.Kind != retention.KindText {
		return sqlgen.SQL{}, sqlgen.SQL{}
	}
	return readable, form
}

// truncate moves a date to the start of its unit and keeps its written form.
func truncate(col sqlgen.SQL, c *retention.Column, unit string) (readable, form sqlgen.SQL) {
	part := map[string]string{
		"year":    "CONCAT(LEFT(%s, 4), '-01-01')",
		"quarter": "CONCAT(LEFT(%s, 5), ELT(1 + (SUBSTR(%s, 6, 2) - 1) DIV 3, '01', '04', '07', '10'), '-01')",
		"month":   "CONCAT(LEFT(%s, 7), '-01')",
		"day":     "LEFT(%s, 10)",
	}[unit]
	if part == "" {
		return
	}
	switch c.Kind {
	case retention.KindDate, retention.KindTimestamp, retention.KindTimestampTZ:
		v := sqlgen.Format("CAST(%s AS CHAR)", col)
		day := repeat(part, v)
		if c.Kind != retention.KindDate {
			day = sqlgen.Format("CONCAT(%s, ' 00:00:00')", day)
		}
		return (reading{col: col}).valid(), day
	case retention.KindText:
		v := asText(col)
		rest := sqlgen.Format("SUBSTR(%s, 11)", v)
		offset := sqlgen.Format("COALESCE(REGEXP_SUBSTR(%s, '[Z+-].*'), '')", rest)
		zeros := sqlgen.Format("REGEXP_REPLACE(LEFT(%s, CHAR_LENGTH(%s) - CHAR_LENGTH(%s)), '[0-9]', '0')", rest, rest, offset)
		return matches(v, isoStamp), sqlgen.Format("CONCAT(%s, %s, %s)", repeat(part, v), zeros, offset)
	}
	return
}

// repeat puts the piece in every place of the text.
func repeat(text string, piece sqlgen.SQL) sqlgen.SQL {
	pieces := make([]sqlgen.SQL, strings.Count(text, "%s"))
	for i := range pieces {
		pieces[i] = piece
	}
	return sqlgen.Format(text, pieces...)
}

// multiple is the greatest multiple of n that is not above the value, or the
// nearest one, halfway up.
func multiple(col sqlgen.SQL, c *retention.Column, ch retention.Change) (readable, form sqlgen.SQL) {
	n := itoa(ch.N)
	half := ""
	if ch.Func == retention.RoundTo {
		half = " + 0.5"
	}
	floor := func(v string) string { return "FLOOR(" + v + " / " + n + half + ") * " + n }
	exact := "CAST(%s AS DECIMAL(65,10))"
	const number = `(?s-mix)^[+-]?([0-9]{1,18}([.][0-9]{0,10})?|[.][0-9]{1,10})(?!.)`
	switch {
	case ch.N <= 0:
		return
	case typeName(c) == "float" || typeName(c) == "double":
		return sqlgen.Format("ABS(%s) <= 9007199254740992", col), sqlgen.Format(floor("%s"), col)
	case numeric(c):
		return sqlgen.Raw("TRUE"), sqlgen.Format(floor(exact), col)
	case c.Kind == retention.KindText:
		return matches(asText(col), number), sqlgen.Format("CAST("+floor(exact)+" AS CHAR)", col)
	}
	return
}

// keep keeps the first or last characters.
func keep(col sqlgen.SQL, c *retention.Column, ch retention.Change) (readable, form sqlgen.SQL) {
	side := "LEFT"
	if ch.Func == retention.KeepRight {
		side = "RIGHT"
	}
	switch {
	case ch.N < 0:
		return
	case c.Kind == retention.KindText:
		return sqlgen.Raw("TRUE"), sqlgen.Format(side+"(%s, "+itoa(ch.N)+")", col)
	case c.Kind == retention.KindInteger:
		return sqlgen.Raw("TRUE"), sqlgen.Format(side+"(CAST(%s AS CHAR), "+itoa(ch.N)+")", col)
	}
	return
}

// maskIP zeroes the host bits. A mapped IPv4 address is an IPv4 address; a zone
// is dropped.
func maskIP(col sqlgen.SQL, c *retention.Column, bits [2]int) (readable, form sqlgen.SQL) {
	if c.Kind != retention.KindText && c.Kind != retention.KindIP || bits[0] < 0 || bits[0] > 32 || bits[1] < 0 || bits[1] > 128 {
		return
	}
	const octet = `(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`
	v := sqlgen.Format("SUBSTRING_INDEX(%s, '%', 1)", asText(sqlgen.Format("CAST(%s AS CHAR)", col)))
	four := matches(asText(sqlgen.Format("CAST(%s AS CHAR)", col)), `(?s-mix)^(`+octet+`[.]){3}`+octet+`(?!.)`)
	six := sqlgen.Format("IS_IPV6(%s)", v)
	hexed := sqlgen.Format("HEX(INET6_ATON(%s))", v)
	mapped := sqlgen.Format("%s LIKE '00000000000000000000FFFF%'", hexed)
	mapped4 := sqlgen.Format("CONV(RIGHT(%s, 8), 16, 10)", hexed)
	mask4 := itoa(int64(^uint32(0) << (32 - bits[0])))
	if bits[0] == 0 {
		mask4 = "0"
	}
	toFour := func(n sqlgen.SQL) sqlgen.SQL {
		text := sqlgen.Format("INET_NTOA(%s & "+mask4+")", n)
		if typeName(c) == "inet6" {
			return sqlgen.Format("CONCAT('::ffff:', %s)", text)
		}
		return text
	}
	form = sqlgen.Format("CASE WHEN %s THEN %s WHEN %s THEN %s ELSE INET6_NTOA(UNHEX(%s)) END", four, toFour(sqlgen.Format("INET_ATON(%s)", v)), mapped, toFour(mapped4), maskHex(hexed, bits[1]))
	return sqlgen.Format("(%s OR %s)", four, six), form
}

// maskHex zeroes the bits after the first ones, of 32 hex digits.
func maskHex(hexed sqlgen.SQL, bits int) sqlgen.SQL {
	mask := make([]byte, 16)
	for i := range bits {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	digits := strings.ToUpper(hex.EncodeToString(mask))
	whole := strings.Count(digits, "F")
	parts := []sqlgen.SQL{sqlgen.Format("LEFT(%s, "+itoa(int64(whole))+")", hexed)}
	if bits%4 != 0 {
		parts = append(parts, sqlgen.Format("HEX(CONV(SUBSTR(%s, "+itoa(int64(whole+1))+", 1), 16, 10) & 0x"+digits[whole:whole+1]+")", hexed))
		parts[1] = sqlgen.Format("RIGHT(%s, 1)", parts[1])
	}
	return sqlgen.Format("RPAD(CONCAT(%s), 32, '0')", sqlgen.Join(", ", parts...))
}

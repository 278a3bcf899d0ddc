package postgres

import (
	"encoding/hex"
	"math"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// searched is up to how many identifiers an index may look up one by one.
const searched = 64

// amongOf compares with the identifiers that the column's type can hold, in that
// type: the others match nothing, and are never sent. Types that nobody takes
// for identifiers are compared as they are written.
func amongOf(hashes bool) func(sqlgen.SQL, *retention.Column, *sqlgen.IDs) sqlgen.SQL {
	return func(col sqlgen.SQL, c *retention.Column, ids *sqlgen.IDs) sqlgen.SQL {
		if isArray(c) {
			return sqlgen.Format("EXISTS (SELECT 1 FROM unnest(%s) AS e(v) WHERE CAST(e.v AS text) IN (SELECT unnest(%s)))", col, elements(ids, "text", "text", asIs))
		}
		f, typ := formOf(c)
		name := typ
		switch {
		case isCitext(c):
			col, f, typ = sqlgen.Format("lower(CAST(%s AS text))", col), lowered, "text"
			name = "lower"
		case f == nil:
			col, f, typ = cast(col, "text"), asIs, "text"
			name = "text"
		}
		switch list := elements(ids, name, typ, f); {
		case ids.Len() <= searched:
			return sqlgen.Format("%s = ANY (%s)", col, list)
		case hashes: // the CASE keeps the planner from estimating every element; only equal types are hashed
			return sqlgen.Format("CASE WHEN %s = ANY (%s) THEN TRUE ELSE FALSE END", cast(col, typ), list)
		default:
			return sqlgen.Format("%s IN (SELECT unnest(%s))", col, list)
		}
	}
}

func lowered(id string) []string { return []string{strings.ToLower(id)} }

// elements are the identifiers as an array of that type; name tells its forms
// apart.
func elements(ids *sqlgen.IDs, name, typ string, f func(string) []string) sqlgen.SQL {
	list := ids.Form(name, func(all []string) string {
		var out []string
		for _, id := range all {
			out = append(out, f(id)...)
		}
		return arrayText(out)
	})
	return sqlgen.Format("%s::"+typ+"[]", sqlgen.Arg(list))
}

// arrayText writes an array as PostgreSQL reads it.
func arrayText(values []string) string {
	var b strings.Builder
	b.WriteByte('{')
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		if v != "" && strings.Trim(v, "-0123456789") == "" {
			b.WriteString(v)
			continue
		}
		b.WriteByte('"')
		b.WriteString(escape.Replace(v))
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String()
}

// formOf is how an identifier is written in the column's type; nil: the column is
// compared as text.
func formOf(c *retention.Column) (f func(id string) []string, typ string) {
	switch c.Kind {
	case retention.KindText:
		return asIs, textType(c)
	case retention.KindInteger:
		return integerForm, "bigint"
	case retention.KindNumber:
		if bindable(c) == "numeric" {
			return numberForm, "numeric"
		}
		return floatForm, "double precision"
	case retention.KindUUID:
		return uuidForm, "uuid"
	case retention.KindDate:
		return dateForm, "date"
	case retention.KindBytes:
		return bytesForm, "bytea"
	case retention.KindIP:
		return ipForm, "inet"
	}
	return nil, ""
}

func asIs(id string) []string { return []string{id} }

func integerForm(id string) []string {
	text := strings.TrimSpace(id)
	if whole, fraction, ok := strings.Cut(text, "."); ok && strings.Trim(fraction, "0") == "" {
		text = whole
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil
	}
	return []string{strconv.FormatInt(n, 10)}
}

func numberForm(id string) []string {
	text := strings.TrimSpace(id)
	if !regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`).MatchString(text) {
		return nil
	}
	return []string{text}
}

func floatForm(id string) []string {
	f, err := strconv.ParseFloat(strings.TrimSpace(id), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return []string{strconv.FormatFloat(f, 'g', -1, 64)}
}

// uuidForm takes every spelling: any case, with or without hyphens, in braces.
func uuidForm(id string) []string {
	text := strings.ToLower(strings.ReplaceAll(strings.Trim(strings.TrimSpace(id), "{}"), "-", ""))
	if b, err := hex.DecodeString(text); err != nil || len(b) != 16 {
		return nil
	}
	return []string{text}
}

func dateForm(id string) []string {
	d, err := time.Parse(time.DateOnly, strings.TrimSpace(id))
	if err != nil || d.Year() < 1 {
		return nil
	}
	return []string{d.Format(time.DateOnly)}
}

// bytesForm is the identifier's own bytes, and those that it writes in hex.
func bytesForm(id string) []string {
	out := []string{`\x` + hex.EncodeToString([]byte(id))}
	text := strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(id), `\x`), "0x")
	if b, err := hex.DecodeString(strings.ReplaceAll(text, "-", "")); err == nil {
		out = append(out, `\x`+hex.EncodeToString(b))
	}
	return out
}

func ipForm(id string) []string {
	text := strings.TrimSpace(id)
	if p, err := netip.ParsePrefix(text); err == nil {
		return []string{p.String()}
	}
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return nil
	}
	ip = ip.WithZone("")
	out := []string{ip.String()}
	if ip.Is4In6() {
		out = append(out, ip.Unmap().String())
	}
	return out
}

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
	switch c.Decl {
	case "macaddr":
		return func(id string) []string { return macForm(id, 6) }, c.Decl
	case "macaddr8":
		return func(id string) []string { return macForm(id, 8) }, c.Decl
	}
	return nil, ""
}

// unheld says why no identifier is compared with the column: of types that are
// only compared as they are written, those of enums alone have one spelling.
func unheld(c *retention.Column, category string) string {
	if isArray(c) {
		if why := unheld(elementOf(c), ""); why != "" {
			return "of its elements: " + why
		}
		return ""
	}
	if f, _ := formOf(c); f == nil && c.Kind == retention.KindOther && category != "E" {
		return "values of the type have spellings of their own, and a hold would find one of them"
	}
	return sqlgen.Unheld(c.Kind, bindable(c) != "numeric")
}

// elementOf is what an array consists of.
func elementOf(c *retention.Column) *retention.Column {
	out := &retention.Column{Name: c.Name, Decl: strings.TrimSuffix(c.Decl, "[]"), Kind: retention.KindOther, Typed: true}
	base, _, _ := strings.Cut(out.Decl, "(")
	switch {
	case isCitext(out):
		out.Kind = retention.KindText
	case base == "character varying" || base == "character":
		out.Kind = retention.KindText
	case base == "smallint" || base == "integer" || base == "bigint":
		out.Kind = retention.KindInteger
	default: // these are called the same in the catalogue
		out.Kind = kindOf("pg_catalog", base, "")
	}
	return out
}

func asIs(id string) []string { return []string{id} }

func integerForm(id string) []string {
	n, ok := sqlgen.Integer(id)
	if !ok || !n.IsInt64() {
		return nil
	}
	return []string{n.String()}
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
	switch {
	case ip.Is4In6():
		out = append(out, ip.Unmap().String())
	case ip.Is4():
		out = append(out, "::ffff:"+ip.String())
	}
	return out
}

// macForm takes every spelling of the hardware address; one of six bytes is
// widened by the server where eight are wanted.
func macForm(id string, bytes int) []string {
	text := strings.NewReplacer(":", "", "-", "", ".", "").Replace(strings.TrimSpace(id))
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 6 && len(b) != bytes {
		return nil
	}
	return []string{text}
}

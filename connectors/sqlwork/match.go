package sqlwork

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// Matched asks once for each declared column which values of it are about one of
// the identifiers, and finds most of those again in the forms that every
// comparison allows. What a column's own comparison allows beside (collations,
// padding, networks) only the database knows: it is asked about the rest, by
// halves, with the very test that a hold is.
func (s *Source) Matched(ctx context.Context, sel retention.Selection, subjectType string, ids []string) ([]string, error) {
	g, err := s.Gen(sel, &retention.HoldSet{})
	if err != nil {
		return nil, err
	}
	queries, err := g.Matched(subjectType, ids)
	if err != nil {
		return nil, err
	}
	forms := map[string][]int{}
	for i, id := range ids {
		for _, f := range idForms(id) {
			forms[f] = append(forms[f], i)
		}
	}
	hit := make([]bool, len(ids))
	err = s.e.Look(ctx, func(q Session) error {
		for i, x := range queries {
			some, err := s.mark(ctx, q, x, forms, hit)
			if err == nil && some {
				err = s.halves(ctx, q, asked{sel, subjectType, i}, ids, hit)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for subjects in table %s: %w", sel.Table.Name, err)
	}
	var out []string
	for i, id := range ids {
		if hit[i] {
			out = append(out, id)
		}
	}
	return out, nil
}

// mark marks the identifiers that are found again; some: there was a value.
func (s *Source) mark(ctx context.Context, q Session, x sqlgen.Lookup, forms map[string][]int, hit []bool) (some bool, err error) {
	rows, err := q.QueryxContext(ctx, x.Text, x.Args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		vals, err := rows.SliceScan()
		if err != nil {
			return false, err
		}
		some = true
		markHits(hit, forms, s.e.Value(x.Column, vals[0]), x.Column)
	}
	return some, rows.Err()
}

// asked is one declared column of a subject's type, by its number.
type asked struct {
	sel         retention.Selection
	subjectType string
	column      int
}

// halves marks what else the column has: of a part in which nobody is found,
// nobody is asked for again.
func (s *Source) halves(ctx context.Context, q Session, a asked, ids []string, hit []bool) error {
	var rest []int
	for i := range ids {
		if !hit[i] {
			rest = append(rest, i)
		}
	}
	parts := [][]int{rest}
	for len(parts) > 0 {
		part := parts[len(parts)-1]
		parts = parts[:len(parts)-1]
		found, err := s.anyone(ctx, q, a, ids, part)
		switch {
		case err != nil:
			return err
		case !found:
		case len(part) == 1:
			hit[part[0]] = true
		default:
			parts = append(parts, part[:len(part)/2], part[len(part)/2:])
		}
	}
	return nil
}

// anyone asks whether the column has one of those identifiers.
func (s *Source) anyone(ctx context.Context, q Session, a asked, ids []string, part []int) (bool, error) {
	if len(part) == 0 {
		return false, nil
	}
	some := make([]string, len(part))
	for i, at := range part {
		some[i] = ids[at]
	}
	g, err := s.Gen(a.sel, &retention.HoldSet{})
	if err != nil {
		return false, err
	}
	queries, err := g.Anyone(a.subjectType, some)
	if err != nil {
		return false, err
	}
	rows, err := q.QueryxContext(ctx, queries[a.column].Text, queries[a.column].Args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	return rows.Next(), rows.Err()
}

// markHits marks the identifiers that the value matched: those of its most
// exact form that any has.
func markHits(hit []bool, forms map[string][]int, v any, c *retention.Column) {
	for _, f := range append(valueForms(v), wider(v, c)...) {
		if at := forms[f]; len(at) > 0 {
			for _, i := range at {
				hit[i] = true
			}
			return
		}
	}
}

// idForms are an identifier as text, in lower case, as a number and as bytes.
func idForms(id string) []string {
	out := []string{"=" + id, "~" + strings.ToLower(id), "x" + digits(id)}
	if n, err := strconv.ParseInt(strings.TrimSpace(id), 10, 64); err == nil {
		out = append(out, "#"+strconv.FormatInt(n, 10))
	} else if f, err := strconv.ParseFloat(strings.TrimSpace(id), 64); err == nil {
		out = append(out, "#"+strconv.FormatFloat(f, 'f', -1, 64))
	}
	return out
}

// digits are the identifier's hex digits, as far as it is written in hex.
func digits(id string) string {
	text := strings.ToLower(strings.ReplaceAll(strings.Trim(id, "{}"), "-", ""))
	return strings.TrimPrefix(strings.TrimPrefix(text, `\x`), "0x")
}

// wider are the forms of a text that is a number or a UUID to its column.
func wider(v any, c *retention.Column) []string {
	x, ok := v.(string)
	if !ok || c == nil {
		return nil
	}
	switch c.Kind {
	case retention.KindNumber:
		if f, err := strconv.ParseFloat(x, 64); err == nil {
			return []string{"#" + strconv.FormatFloat(f, 'f', -1, 64)}
		}
	case retention.KindUUID:
		return []string{"x" + strings.ToLower(strings.ReplaceAll(x, "-", ""))}
	}
	return nil
}

func valueForms(v any) []string {
	switch x := v.(type) {
	case string:
		return []string{"=" + x, "~" + strings.ToLower(x)}
	case int64:
		return []string{"#" + strconv.FormatInt(x, 10)}
	case float64:
		return []string{"#" + strconv.FormatFloat(x, 'f', -1, 64)}
	case []byte:
		return []string{"=" + string(x), "x" + hex.EncodeToString(x)}
	}
	return nil
}

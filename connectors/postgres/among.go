package postgres

import (
	"strings"

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
		switch {
		case isArray(c):
			return sqlgen.Format("EXISTS (SELECT 1 FROM unnest(%s) AS e(v) WHERE %s)", col, amongOf(hashes)(sqlgen.Raw("e.v"), elementOf(c), ids))
		case c.Kind == retention.KindIP: // the person's address, in whatever network it is noted; the server spells both
			return sqlgen.Format("host(%s) IN (SELECT host(j.v) FROM unnest(%s) AS j(v))", col, elements(ids, "inet", "inet", ipForm))
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
		if name == "bigint" && ids.Len() > searched {
			if m := bitsOf(ids); m != nil {
				return m.among(col)
			}
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

package sqlwork

import (
	"encoding/hex"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// singly refuses related columns in which one person, or one file, may have several
// spellings: the source would find what is held, and the listing of files, which
// compares byte by byte, would not (L3).
func singly(t *retention.Table, by, col *retention.Column, clock bool) error {
	cols := []*retention.Column{by}
	if !clock {
		cols = append(cols, col)
	}
	for _, c := range cols {
		switch {
		case c.Kind == retention.KindInteger, c.Kind == retention.KindUUID:
		case c.Kind == retention.KindText && !c.Loose:
		default:
			return refusal(retention.RefuseUnsafeTable, "table %s, column %q is %s: one value may have several spellings there, and a hold on one of them would not be seen on the files: "+
				"make it an integer, a uuid or a text that compares byte by byte (a binary collation)", t.Name, c.Name, c.Decl)
		}
	}
	return nil
}

// spelling is the one that the value has, [retention.Unsure] where the column is not
// kept to its kind.
func spelling(c *retention.Column, v any) string {
	if _, bytes := v.([]byte); bytes { // a number, or none, as other bytes say it
		return retention.Unsure
	}
	text := KeyText(retention.Key{v})
	switch c.Kind {
	case retention.KindInteger:
		if n, ok := sqlgen.Integer(text); ok {
			return n.String()
		}
		return retention.Unsure
	case retention.KindUUID:
		if id, ok := uuid(text); ok {
			return id
		}
		return retention.Unsure
	}
	if s, ok := v.(string); ok {
		return strings.TrimRight(s, " ") // some columns are padded
	}
	return retention.Unsure
}

// Spellings are the forms in which values of related rows may write the identifier,
// beside the case of letters.
func Spellings(id string) []string {
	out := []string{id, strings.TrimRight(id, " ")}
	if n, ok := sqlgen.Integer(id); ok {
		out = append(out, n.String())
	}
	if u, ok := uuid(id); ok {
		out = append(out, u)
	}
	return out
}

func uuid(s string) (string, bool) {
	h := strings.ToLower(strings.ReplaceAll(strings.Trim(strings.TrimSpace(s), "{}"), "-", ""))
	if b, err := hex.DecodeString(h); err != nil || len(b) != 16 {
		return "", false
	}
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], true
}

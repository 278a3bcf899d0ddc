package sqlgen

import "strings"

// SQL is a piece of text with its arguments in order of appearance. Each
// argument is a mark in the text until [Dialect.Query] writes placeholders.
type SQL struct {
	Text string
	Args []any
}

// mark stands for one argument. Identifiers and fragments never contain it.
const mark = "\x01"

// Raw is text without arguments. It must not contain values.
func Raw(text string) SQL { return SQL{Text: text} }

// Arg is one bound value.
func Arg(v any) SQL { return SQL{Text: mark, Args: []any{v}} }

// List is an argument that may be long and is used again and again: the text of
// a list. It is bound as a string, always with the same cast.
type List string

// Blob is an argument of bytes that may be long and is used again and again.
type Blob string

// Format puts the pieces in the places of %s in text, and carries their
// arguments along in order.
func Format(text string, pieces ...SQL) SQL {
	var b strings.Builder
	var args []any
	for _, p := range pieces {
		before, after, _ := strings.Cut(text, "%s")
		b.WriteString(before)
		b.WriteString(p.Text)
		args = append(args, p.Args...)
		text = after
	}
	b.WriteString(text)
	return SQL{b.String(), args}
}

// Join writes sep between the pieces.
func Join(sep string, pieces ...SQL) SQL {
	var out SQL
	for i, p := range pieces {
		if i > 0 {
			out.Text += sep
		}
		out.Text += p.Text
		out.Args = append(out.Args, p.Args...)
	}
	return out
}

var (
	sqlTrue  = Raw("TRUE")
	sqlFalse = Raw("FALSE")
)

func isFalse(s SQL) bool { return s.Text == sqlFalse.Text }
func isTrue(s SQL) bool  { return s.Text == sqlTrue.Text }

// And is TRUE where there are no pieces.
func And(pieces ...SQL) SQL { return fold(" AND ", pieces, isTrue, isFalse, sqlTrue) }

// Or is FALSE where there are no pieces.
func Or(pieces ...SQL) SQL { return fold(" OR ", pieces, isFalse, isTrue, sqlFalse) }

func fold(sep string, pieces []SQL, idle, final func(SQL) bool, none SQL) SQL {
	var kept []SQL
	for _, p := range pieces {
		if final(p) {
			return p
		}
		if !idle(p) {
			kept = append(kept, p)
		}
	}
	switch len(kept) {
	case 0:
		return none
	case 1:
		return kept[0]
	}
	return Format("(%s)", Join(sep, kept...))
}

// Not negates a test that is never NULL.
func Not(s SQL) SQL {
	switch {
	case isTrue(s):
		return sqlFalse
	case isFalse(s):
		return sqlTrue
	}
	return Format("NOT (%s)", s)
}

// holdsTrue is TRUE or FALSE: NULL counts as FALSE.
func holdsTrue(s SQL) SQL {
	if isTrue(s) || isFalse(s) {
		return s
	}
	return Format("(%s) IS TRUE", s)
}

// mayHold is TRUE or FALSE: NULL counts as TRUE.
func mayHold(s SQL) SQL {
	if isTrue(s) || isFalse(s) {
		return s
	}
	return Format("(%s) IS NOT FALSE", s)
}

// mayNotHold is TRUE or FALSE: NULL counts as not holding.
func mayNotHold(s SQL) SQL {
	switch {
	case isTrue(s):
		return sqlFalse
	case isFalse(s):
		return sqlTrue
	}
	return Format("(%s) IS NOT TRUE", s)
}

// Query is finished text with its arguments.
type Query struct {
	Text string
	Args []any
}

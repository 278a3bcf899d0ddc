package policies

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// Problem is one reason why a policy does not load: where, in which rule, what
// is wrong and what would be right.
type Problem struct {
	Pos     retention.Pos
	Rule    string // empty outside rules
	Message string
	Hint    string // what would be right; may be empty
}

// At returns the place as file:line:col.
func (p Problem) At() string {
	return fmt.Sprintf("%s:%d:%d", p.Pos.File, p.Pos.Line, p.Pos.Col)
}

// Error returns file:line:col: rule "id": message.
func (p Problem) Error() string {
	if p.Rule == "" {
		return p.At() + ": " + p.Message
	}
	return fmt.Sprintf("%s: rule %q: %s", p.At(), p.Rule, p.Message)
}

// Problems is every reason why one or more policies do not load. It is an
// error with one line per problem.
type Problems []Problem

// Error joins the messages, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// ordered sorts the problems by place and drops repetitions; nil for none.
func ordered(ps []Problem) []Problem {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	return slices.CompactFunc(ps, func(a, b Problem) bool { return a == b })
}

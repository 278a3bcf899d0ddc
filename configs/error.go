package configs

import (
	"fmt"
	"strings"
)

// Error is every reason why a configuration cannot be used. It never holds the
// value of a secret. The command exits with 2.
type Error struct {
	File     string
	Problems []Problem
}

// Problem is one reason: where, of which option, what is wrong and what would
// be right.
type Problem struct {
	Line, Col int    // 0 where the option comes from elsewhere
	Key       string // the option's path, such as sources.crm.dsn; may be empty
	Message   string
	Hint      string
}

// Error returns one line per problem: file:line:col: key: message (hint).
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = e.line(p)
	}
	return strings.Join(lines, "\n")
}

// At returns the problem's place as file:line:col, or the file.
func (e *Error) At(p Problem) string {
	if p.Line == 0 {
		return e.File
	}
	return fmt.Sprintf("%s:%d:%d", e.File, p.Line, p.Col)
}

func (e *Error) line(p Problem) string {
	s := e.At(p) + ": "
	if p.Key != "" {
		s += p.Key + ": "
	}
	s += p.Message
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

package policies

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
)

// maxText is the size in bytes above which a file is no policy.
const maxText = 1 << 20

// parse reads the text as exactly one YAML document; nil with a problem
// recorded otherwise.
func (d *decoder) parse(text []byte) *yaml.Node {
	if !d.readable(text) {
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		d.syntax(err, text)
		return nil
	}
	var next yaml.Node
	switch err := dec.Decode(&next); {
	case err == nil:
		d.failAt(nextLine(&next), 1, "one policy per file", "the file holds several YAML documents")
		return nil
	case !errors.Is(err, io.EOF):
		d.syntax(err, text)
		return nil
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		d.failAt(1, 1, "", "the file holds no YAML document")
		return nil
	}
	return doc.Content[0]
}

// nextLine is the line of a second document.
func nextLine(n *yaml.Node) int {
	if len(n.Content) > 0 && n.Content[0].Line > 0 {
		return n.Content[0].Line
	}
	return max(n.Line, 1)
}

// readable refuses what is no text before a parser sees it.
func (d *decoder) readable(text []byte) bool {
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		d.failAt(1, 1, "a policy starts with version: 1", "the file is empty")
	case len(text) > maxText:
		d.failAt(1, 1, "", "the file is larger than 1 MiB; that is no policy")
	case !utf8.Valid(text):
		line, col := invalidAt(text)
		d.failAt(line, col, "save the file as UTF-8", "the file is not UTF-8")
	default:
		return true
	}
	return false
}

// invalidAt finds the first byte that is not UTF-8.
func invalidAt(text []byte) (line, col int) {
	line, col = 1, 1
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && n <= 1:
			return line, col
		case r == '\n':
			line, col = line+1, 1
		default:
			col++
		}
		i += n
	}
	return line, col
}

// syntax records the parser's error; the library tells the line only in text.
func (d *decoder) syntax(err error, text []byte) {
	if errors.Is(err, io.EOF) {
		d.failAt(1, 1, "a policy starts with version: 1", "the file holds comments only")
		return
	}
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if m := regexp.MustCompile(`^(?:.*?: )?line (\d+): (.*)$`).FindStringSubmatch(msg); m != nil {
		line, _ = strconv.Atoi(m[1])
		msg = m[2]
	}
	if n := tabLine(text, line); n > 0 {
		d.failAt(n, 1, "indent with spaces", "a tab indents the line; YAML allows spaces only")
		return
	}
	d.failAt(max(line, 1), 1, "", fmt.Sprintf("not valid YAML: %s", msg))
}

// tabLine finds the line with a tab in its indentation at or next to the line
// that the parser names, or 0.
func tabLine(text []byte, near int) int {
	for i, l := range bytes.Split(text, []byte("\n")) {
		indent := l[:len(l)-len(bytes.TrimLeft(l, " \t"))]
		if bytes.ContainsRune(indent, '\t') && i+1 >= near-1 && i+1 <= near+1 {
			return i + 1
		}
	}
	return 0
}

// failAt records a problem at a place that no node has.
func (d *decoder) failAt(line, col int, hint, message string) {
	d.problems = append(d.problems, Problem{
		Pos:  retention.Pos{File: d.file, Line: line, Col: col},
		Rule: d.rule, Message: message, Hint: hint,
	})
}

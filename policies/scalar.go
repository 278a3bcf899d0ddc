package policies

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
)

// text returns a scalar's written text; "" with a problem where it is none.
func (d *decoder) text(n *yaml.Node, what string) string {
	if n == nil || d.bad[n] {
		return ""
	}
	if n.Kind != yaml.ScalarNode || isNull(n) {
		d.reject(n, "", "%s must be a text, not %s", what, kindName(n))
		return ""
	}
	s := strings.TrimSpace(n.Value)
	if s == "" {
		d.reject(n, "", "%s must not be empty", what)
	}
	return s
}

// word returns a text that is one of a few words.
func (d *decoder) word(n *yaml.Node, what string, words ...string) string {
	s := d.text(n, what)
	if s == "" || slices.Contains(words, s) {
		return s
	}
	d.reject(n, didYouMean(s, words), "%s cannot be %q", what, s)
	return ""
}

// name returns a text that names something of ours: letters, digits - _ .
func (d *decoder) name(n *yaml.Node, what string) string {
	s := d.text(n, what)
	if s != "" && !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`).MatchString(s) {
		d.reject(n, "letters, digits, - _ and . only, such as "+plainName(s), "%s cannot be %q", what, s)
		return ""
	}
	return s
}

// plainName makes a name of a text, for hints.
func plainName(s string) string {
	s = regexp.MustCompile(`[^A-Za-z0-9._-]+`).ReplaceAllString(s, "-")
	if s = strings.TrimLeft(s, "-._"); s == "" {
		return "contacts"
	}
	return s
}

// boolean returns a written true or false.
func (d *decoder) boolean(n *yaml.Node, what string) (value, ok bool) {
	switch d.word(n, what, "true", "false") {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// integer returns a whole number of at least lowest and at most highest.
func (d *decoder) integer(n *yaml.Node, what string, lowest, highest int64) int64 {
	s := d.text(n, what)
	if s == "" {
		return 0
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v < lowest || v > highest {
		d.reject(n, "a whole number from "+strconv.FormatInt(lowest, 10)+" to "+strconv.FormatInt(highest, 10),
			"%s cannot be %q", what, s)
		return 0
	}
	return v
}

// texts returns a list of texts; an empty list is refused.
func (d *decoder) texts(n *yaml.Node, what string) []string {
	var out []string
	for _, c := range d.items(n, what) {
		if s := d.text(c, "an item of "+what); s != "" {
			if slices.Contains(out, s) {
				d.fail(c, "", "%q is there twice in %s", s, what)
				continue
			}
			out = append(out, s)
		}
	}
	return out
}

// items returns the nodes of a list with at least one item.
func (d *decoder) items(n *yaml.Node, what string) []*yaml.Node {
	if n == nil || d.bad[n] {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		d.reject(n, "write a list: ["+scalarOr(n, "…")+"]", "%s must be a list, not %s", what, kindName(n))
		return nil
	}
	if len(n.Content) == 0 {
		d.reject(n, "", "%s is empty", what)
	}
	return n.Content
}

func scalarOr(n *yaml.Node, or string) string {
	if n.Kind == yaml.ScalarNode && n.Value != "" {
		return n.Value
	}
	return or
}

// scalar returns a value as written; ok is false where it is none.
func (d *decoder) scalar(n *yaml.Node, what string) (retention.Scalar, bool) {
	if n == nil || d.bad[n] {
		return retention.Scalar{}, false
	}
	if n.Kind != yaml.ScalarNode {
		d.reject(n, "", "%s must be a value, not %s", what, kindName(n))
		return retention.Scalar{}, false
	}
	if isNull(n) {
		return retention.Scalar{Null: true}, true
	}
	if strings.ContainsRune(n.Value, 0) {
		d.reject(n, "", "%s holds a NUL character", what)
		return retention.Scalar{}, false
	}
	return retention.Scalar{Text: n.Value, Tag: tagOf(n)}, true
}

// tagOf tells how a value was written. Only plain decimal numbers are numbers:
// 0x1F, 1_000 and .inf stay the text that they are.
func tagOf(n *yaml.Node) retention.Tag {
	switch t := n.ShortTag(); {
	case t == "!!bool":
		return retention.TagBool
	case t == "!!int" && regexp.MustCompile(`^[-+]?[0-9]+$`).MatchString(n.Value):
		return retention.TagInt
	case (t == "!!float" || t == "!!int") && regexp.MustCompile(`^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$`).MatchString(n.Value):
		return retention.TagFloat
	}
	return retention.TagString
}

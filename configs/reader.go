package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// reader collects the values and the problems of one configuration.
type reader struct {
	file      string
	getenv    func(string) (string, bool)
	values    map[string]any       // by path, joined with sep
	names     map[string][]string  // names as written, of sources and vaults
	at        map[string]yaml.Node // where each path was written
	variables []string             // of options: the names that were looked up
	problems  []Problem
}

// sep joins paths for viper: a character that no key can hold, because viper
// would split a name with a dot in it.
const sep = "\x1f"

func (r *reader) fail(n *yaml.Node, path []string, hint, format string, args ...any) {
	p := Problem{Key: strings.Join(path, "."), Message: fmt.Sprintf(format, args...), Hint: hint}
	if n == nil {
		if at, ok := r.at[strings.Join(path, sep)]; ok {
			n = &at
		}
	}
	if n != nil {
		p.Line, p.Col = n.Line, n.Column
	}
	r.problems = append(r.problems, p)
}

// parse reads exactly one YAML document; nil with a problem otherwise. One of comments
// alone is a configuration of defaults; a file with nothing in it is one that was cut
// off, or never written.
func (r *reader) parse(text []byte) *yaml.Node {
	if len(bytes.TrimSpace(text)) == 0 {
		r.fail(&yaml.Node{Line: 1, Column: 1}, nil, "write sources: and policies: at least, or let `retentiond init` write one in another directory", "the file is empty")
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, next yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}
	}
	if err == nil {
		if err = dec.Decode(&next); err == nil {
			r.fail(&next, nil, "one configuration per file", "the file holds several YAML documents")
			return nil
		}
	}
	if !errors.Is(err, io.EOF) {
		r.syntax(err)
		return nil
	}
	return doc.Content[0]
}

// syntax records the parser's error. What it quotes may be part of a password,
// and is left out.
func (r *reader) syntax(err error) {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	at := &yaml.Node{Line: 1, Column: 1}
	if m := regexp.MustCompile(`^(?:.*?: )?line (\d+): (.*)$`).FindStringSubmatch(msg); m != nil {
		at.Line, _ = strconv.Atoi(m[1])
		msg = m[2]
	}
	msg = regexp.MustCompile(`anchor '[^']*'`).ReplaceAllString(msg, "anchor")
	r.fail(at, nil, "quote a value that starts with a special character", "not valid YAML: %s", msg)
}

// section reads a mapping of known keys.
func (r *reader) section(n *yaml.Node, o option, path []string) {
	r.each(n, path, func(k, v *yaml.Node) {
		sub, ok := o.find(k.Value)
		if !ok {
			r.fail(k, path, didYouMean(k.Value, o.keys()), "unknown key %s", shown(k.Value))
			return
		}
		r.option(v, sub, append(slices.Clone(path), sub.key))
	})
}

// named reads a mapping of names that the user chose.
func (r *reader) named(n *yaml.Node, o option, path []string) {
	var lower []string
	r.each(n, path, func(k, v *yaml.Node) {
		if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`).MatchString(k.Value) {
			r.fail(k, path, "letters, digits, - _ and . only", "%s is no name", shown(k.Value))
			return
		}
		if slices.Contains(lower, strings.ToLower(k.Value)) {
			r.fail(k, path, "rename one of them", "two names differ only in case: %s", k.Value)
			return
		}
		lower = append(lower, strings.ToLower(k.Value))
		r.names[path[0]] = append(r.names[path[0]], k.Value)
		at := append(slices.Clone(path), k.Value)
		r.at[strings.Join(at, sep)] = *k
		r.section(v, o, at)
	})
}

// each visits the pairs of a mapping, refusing what YAML allows and a
// configuration does not: duplicates, aliases, merge keys, empty values.
func (r *reader) each(n *yaml.Node, path []string, visit func(k, v *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.fail(n, path, "", "must be a mapping")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		first := seen[k.Value]
		switch {
		case k.Kind != yaml.ScalarNode || k.Value == "<<" || k.Anchor != "":
			r.fail(k, path, "write the keys out", "merge keys, anchors and nested keys are not allowed")
		case first > 0:
			r.fail(k, path, "keep one of them", "the key %s is there twice (first on line %d)", shown(k.Value), first)
		case v.Kind == yaml.AliasNode || v.Anchor != "" || v.Style&yaml.TaggedStyle != 0:
			r.fail(v, append(slices.Clone(path), strings.Trim(shown(k.Value), `"`)), "write the value out", "YAML aliases, anchors and tags are not allowed")
		case v.ShortTag() == "!!null":
			r.fail(k, path, "write a value, or leave the key out", "the key %s has no value", shown(k.Value))
		default:
			visit(k, v)
		}
		seen[k.Value] = k.Line
	}
}

// option reads one option by its kind.
func (r *reader) option(n *yaml.Node, o option, path []string) {
	r.at[strings.Join(path, sep)] = *n
	switch o.kind {
	case kindSection:
		r.section(n, o, path)
	case kindNamed:
		r.named(n, o, path)
	case kindTexts, kindSecrets:
		r.texts(n, path)
	default:
		if n.Kind != yaml.ScalarNode {
			r.fail(n, path, "", "must be a single value")
			return
		}
		r.scalar(n, o, path, n.Value)
	}
}

// texts reads one text or a list of texts.
func (r *reader) texts(n *yaml.Node, path []string) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	out := []string{}
	for _, c := range items {
		if c.Kind != yaml.ScalarNode || c.Value == "" {
			r.fail(c, path, "", "must be a text or a list of texts")
			return
		}
		out = append(out, c.Value)
	}
	r.values[strings.Join(path, sep)] = out
}

// scalar keeps a value, from the file or the environment, once it has its form.
// n is nil for the environment.
func (r *reader) scalar(n *yaml.Node, o option, path []string, value string) {
	key := strings.Join(path, sep)
	switch o.kind {
	case kindNumber:
		if v, err := strconv.Atoi(value); err != nil || v < 1 {
			r.fail(n, path, "", "%q is no whole number above 0", value)
			return
		}
	case kindBool:
		if value != "true" && value != "false" {
			r.fail(n, path, "", "%q is neither true nor false", value)
			return
		}
	case kindDuration:
		if v, err := time.ParseDuration(value); err != nil || v < 0 {
			r.fail(n, path, "such as 5s or 500ms", "%q is no duration", value)
			return
		}
	}
	r.values[key] = value
}

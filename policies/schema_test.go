package policies

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// node is a decoded JSON Schema.
type node = map[string]any

func schemaOf(t *testing.T) node {
	t.Helper()
	var s node
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// The schema knows exactly the keys that the decoder knows, shape by shape.
func TestSchemaHasTheDecodersKeys(t *testing.T) {
	defs := schemaOf(t)["$defs"].(node)
	for _, shape := range shapes() {
		def, ok := defs[shape].(node)
		if !ok {
			t.Errorf("no $defs/%s", shape)
			continue
		}
		if def["additionalProperties"] != false {
			t.Errorf("$defs/%s takes unknown keys", shape)
		}
		var got []string
		for key := range def["properties"].(node) {
			got = append(got, key)
		}
		want := slices.Clone(keysOf(shape))
		sort.Strings(got)
		sort.Strings(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("$defs/%s: %s", shape, diff)
		}
	}
	for _, word := range combinators() {
		if defs["condition"].(node)["properties"].(node)[word] == nil {
			t.Errorf("the condition has no %s", word)
		}
	}
}

// Every policy that loads is valid by the schema.
func TestSchemaAcceptsGoodPolicies(t *testing.T) {
	s := schemaOf(t)
	texts := map[string][]byte{"example": Example()}
	for _, r := range Ready() {
		texts["ready/"+r.Name] = r.Text
	}
	for _, file := range glob(t, "good/*.yaml") {
		texts[filepath.Base(file)] = readFile(t, file)
	}
	for name, text := range texts {
		if err := check(s, s, document(t, text), ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The schema refuses what an editor should underline.
func TestSchemaRefusesBadPolicies(t *testing.T) {
	s := schemaOf(t)
	for _, name := range []string{
		"unknown-keys", "missing-required-keys", "version", "where-empty", "where-list-without-operator",
		"keep-without-then", "archive-without-why-and-to", "change-unknown", "child-shapes",
		"from-both", "subject-missing", "unknown-action", "limits", "verify", "stages-empty", "period-generally",
	} {
		text := readFile(t, filepath.Join(fixtures, "bad", name+".yaml"))
		if check(s, s, document(t, text), "") == nil {
			t.Errorf("%s is valid by the schema", name)
		}
	}
}

// document reads YAML as JSON has it: dates stay text.
func document(t *testing.T, text []byte) any {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal(text, &n); err != nil {
		t.Fatal(err)
	}
	return plain(n.Content[0])
}

func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		o := node{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			o[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return o
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, plain(c))
		}
		return list
	}
	var v any
	if n.ShortTag() == "!!timestamp" || n.Decode(&v) != nil {
		return n.Value
	}
	switch x := v.(type) {
	case int:
		return float64(x)
	case float64, bool, nil:
		return x
	}
	return n.Value
}

// check validates v by the part of draft 2020-12 that the schema uses.
func check(root, s node, v any, at string) error {
	if ref, ok := s["$ref"].(string); ok {
		target := root["$defs"].(node)[strings.TrimPrefix(ref, "#/$defs/")]
		if err := check(root, target.(node), v, at); err != nil {
			return err
		}
	}
	for _, test := range []func(root, s node, v any, at string) error{checkType, checkValue, checkObject, checkArray, checkCombined} {
		if err := test(root, s, v, at); err != nil {
			return err
		}
	}
	return nil
}

func typeOf(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64:
		if x == math.Trunc(x) {
			return "integer"
		}
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}

func checkType(_, s node, v any, at string) error {
	var want []any
	switch t := s["type"].(type) {
	case nil:
		return nil
	case string:
		want = []any{t}
	case []any:
		want = t
	}
	got := typeOf(v)
	if slices.Contains(want, any(got)) || (got == "integer" && slices.Contains(want, any("number"))) {
		return nil
	}
	return fmt.Errorf("%s: %s where %v belongs", at, got, want)
}

func checkValue(_, s node, v any, at string) error {
	if c, ok := s["const"]; ok && !cmp.Equal(c, v) {
		return fmt.Errorf("%s: %v is not %v", at, v, c)
	}
	if e, ok := s["enum"].([]any); ok && !slices.ContainsFunc(e, func(x any) bool { return cmp.Equal(x, v) }) {
		return fmt.Errorf("%s: %v is none of %v", at, v, e)
	}
	text, isText := v.(string)
	if p, ok := s["pattern"].(string); ok && isText && !regexp.MustCompile(p).MatchString(text) {
		return fmt.Errorf("%s: %q does not match %s", at, text, p)
	}
	if m, ok := s["minLength"].(float64); ok && isText && len(text) < int(m) {
		return fmt.Errorf("%s: too short", at)
	}
	number, isNumber := v.(float64)
	if m, ok := s["minimum"].(float64); ok && isNumber && number < m {
		return fmt.Errorf("%s: %v is under %v", at, number, m)
	}
	if m, ok := s["maximum"].(float64); ok && isNumber && number > m {
		return fmt.Errorf("%s: %v is over %v", at, number, m)
	}
	return nil
}

func checkObject(root, s node, v any, at string) error {
	o, ok := v.(node)
	if !ok {
		return nil
	}
	if m, ok := s["minProperties"].(float64); ok && len(o) < int(m) {
		return fmt.Errorf("%s: empty", at)
	}
	if err := checkRequired(s["required"], o, at); err != nil {
		return err
	}
	if dep, ok := s["dependentRequired"].(node); ok {
		for key, needs := range dep {
			if _, has := o[key]; has {
				if err := checkRequired(needs, o, at); err != nil {
					return err
				}
			}
		}
	}
	return checkProperties(root, s, o, at)
}

func checkRequired(list any, o node, at string) error {
	keys, _ := list.([]any)
	for _, k := range keys {
		if _, ok := o[k.(string)]; !ok {
			return fmt.Errorf("%s: no %s", at, k)
		}
	}
	return nil
}

func checkProperties(root, s, o node, at string) error {
	known, _ := s["properties"].(node)
	for key, v := range o {
		if names, ok := s["propertyNames"].(node); ok {
			if err := check(root, names, key, at+"/"+key); err != nil {
				return err
			}
		}
		sub, ok := known[key].(node)
		if !ok {
			switch extra := s["additionalProperties"].(type) {
			case bool:
				return fmt.Errorf("%s: unknown key %s", at, key)
			case node:
				sub = extra
			}
		}
		if err := check(root, sub, v, at+"/"+key); err != nil {
			return err
		}
	}
	return nil
}

func checkArray(root, s node, v any, at string) error {
	list, ok := v.([]any)
	if !ok {
		return nil
	}
	if m, ok := s["minItems"].(float64); ok && len(list) < int(m) {
		return fmt.Errorf("%s: too few items", at)
	}
	if m, ok := s["maxItems"].(float64); ok && len(list) > int(m) {
		return fmt.Errorf("%s: too many items", at)
	}
	if items, ok := s["items"].(node); ok {
		for i, x := range list {
			if err := check(root, items, x, fmt.Sprintf("%s/%d", at, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkCombined(root, s node, v any, at string) error {
	count := func(list any) (n int, last error) {
		all, _ := list.([]any)
		for _, x := range all {
			if err := check(root, x.(node), v, at); err != nil {
				last = err
			} else {
				n++
			}
		}
		return n, last
	}
	if n, err := count(s["oneOf"]); s["oneOf"] != nil && n != 1 {
		return fmt.Errorf("%s: fits %d of oneOf: %w", at, n, err)
	}
	if n, err := count(s["anyOf"]); s["anyOf"] != nil && n == 0 {
		return err
	}
	if _, err := count(s["allOf"]); err != nil {
		return err
	}
	if cond, ok := s["if"].(node); ok && check(root, cond, v, at) == nil {
		return check(root, s["then"].(node), v, at)
	}
	return nil
}

package policies

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/retentiond/retentiond/retention"
)

// decoder collects the problems of one policy text.
type decoder struct {
	file     string
	env      Env
	root     *yaml.Node
	rule     string         // id of the rule at hand
	zone     *time.Location // the policy's, UTC until known
	policy   *retention.Policy
	files    *retention.Dataset  // of the rule at hand, where it is one of files
	named    retention.Pos       // of the policy's name
	bad      map[*yaml.Node]bool // reported; nothing more is said of them
	problems []Problem
}

func newDecoder(file string, env Env) *decoder {
	return &decoder{
		file: file, env: env, zone: time.UTC,
		policy: &retention.Policy{File: file}, bad: map[*yaml.Node]bool{},
	}
}

// fail records a problem at the node.
func (d *decoder) fail(n *yaml.Node, hint, format string, args ...any) {
	d.failAt(max(n.Line, 1), max(n.Column, 1), hint, fmt.Sprintf(format, args...))
}

// reject records a problem and takes the node out of the rest.
func (d *decoder) reject(n *yaml.Node, hint, format string, args ...any) {
	d.rejectFrom(n, n, hint, format, args...)
}

// rejectFrom records a problem at one node and takes another out of the rest.
func (d *decoder) rejectFrom(at, n *yaml.Node, hint, format string, args ...any) {
	if !d.bad[n] {
		d.fail(at, hint, format, args...)
	}
	d.bad[n] = true
}

// pos is where the node was written.
func (d *decoder) pos(n *yaml.Node) retention.Pos {
	return retention.Pos{File: d.file, Line: n.Line, Col: n.Column}
}

// kindName names what was written, for messages.
func kindName(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "null"
	}
	return fmt.Sprintf("%q", n.Value)
}

package engine

import (
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// One place with two gates is refused under both its names; two names of one gate, and
// places that tell nothing, are not (L3, L4).
func TestOnePlaceTwoGates(t *testing.T) {
	t.Parallel()
	v := &view{down: map[string]*retention.Refusal{}, servers: map[string]retention.Server{
		"a": {Identity: "one", Bound: "one"}, "b": {Identity: "two", Bound: "one"},
		"c": {Identity: "three", Bound: "three"}, "d": {Identity: "three", Bound: "three"},
		"e": {Identity: "five"}, "f": {Identity: "six"},
	}}
	v.apart()
	for name := range v.servers {
		if r := v.down[name]; (r != nil) != (name == "a" || name == "b") || r != nil && r.Code != retention.RefuseStateMismatch {
			t.Errorf("%s is refused with %v", name, r)
		}
	}
}

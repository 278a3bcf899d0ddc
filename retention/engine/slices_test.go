package engine

import (
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// A clock that the children tell must not be moved by taking them in slices.
func TestSliceableKeepsTheClock(t *testing.T) {
	calls := &retention.Relation{Table: retention.TableName{Name: "calls"}, Column: "at"}
	act := func(k retention.ActionKind) *retention.Act {
		return &retention.Act{Kind: k, Children: []retention.Child{{Relation: *calls, Then: retention.ChildDelete}}}
	}
	told := func(earliest bool) *retention.Selection {
		return &retention.Selection{Table: &retention.Table{}, Clock: retention.ClockTest{Earliest: earliest, Members: []retention.MemberTest{{Column: "at"}, {Related: calls}}}}
	}
	asked := &retention.Selection{Table: &retention.Table{}, Where: &retention.Predicate{Not: &retention.Predicate{Any: []retention.Predicate{{Exists: calls}}}}}
	for name, c := range map[string]struct {
		sel  *retention.Selection
		kind retention.ActionKind
		ok   bool
	}{
		"latest, delete":              {told(false), retention.Delete, true},
		"latest, archive":             {told(false), retention.Archive, false},
		"earliest, delete":            {told(true), retention.Delete, false},
		"a condition on the children": {asked, retention.Delete, false},
		"nothing of theirs":           {&retention.Selection{Table: &retention.Table{}}, retention.Archive, true},
	} {
		if err := sliceable(c.sel, act(c.kind)); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

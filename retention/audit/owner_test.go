//go:build unix

package audit

import (
	"io/fs"
	"testing"
)

// A key that is mounted for a container's group is as closed as it can be; one that a
// group may read beside its owner, or anybody may, is open.
func TestLentKeyFile(t *testing.T) {
	t.Parallel()
	const root, us, ourGroup, theirGroup = 0, 65532, 65532, 1000
	groups := []int{ourGroup, 20}
	for name, c := range map[string]struct {
		owner, group int
		mode         fs.FileMode
		closed       bool
	}{
		"mounted for our group":     {root, ourGroup, 0o440, true},
		"our group may write":       {root, ourGroup, 0o460, false},
		"anybody may read":          {root, ourGroup, 0o444, false},
		"another group may read":    {root, theirGroup, 0o440, false},
		"ours, and the group reads": {us, ourGroup, 0o440, false},
		"ours alone":                {us, ourGroup, 0o400, true},
	} {
		if got := closed(c.mode, lent(c.owner, c.group, us, groups)); got != c.closed {
			t.Errorf("%s: closed %t", name, got)
		}
	}
}

package console

import (
	"errors"
	"testing"
	"time"
)

// What the daemon's work found decides too, and an old look says nothing.
func TestHealthOfOldAndDown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		age   time.Duration
		down  bool
		store error
		state string
		ready bool
	}{
		"fresh":         {45 * time.Second, false, nil, "ok", true},
		"old":           {46 * time.Second, false, nil, "unknown", false},
		"down":          {0, true, nil, "down", false},
		"old and down":  {time.Hour, true, nil, "down", false},
		"does not look": {0, false, errors.New("no"), "down", false},
	} {
		f := &Facts{At: noon, Done: noon, Store: c.store, Policies: PolicyState{Loaded: 1}}
		if h := healthOf(f, false, c.down, noon.Add(c.age)); h.State != c.state || h.Ready != c.ready {
			t.Errorf("%s: state %s, ready %t: %v", name, h.State, h.Ready, h.Because)
		}
	}
}

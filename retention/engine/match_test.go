package engine

import (
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// A subject that only an unsigned column can hold can be held.
func TestIdentifiersConvert(t *testing.T) {
	for id, want := range map[string]bool{
		"18446744073709551615": true, "-9223372036854775808": true, " 0042 ": true, "18446744073709551616": false, "1a": false, "": false, "1.5": false,
	} {
		if got := converts(id, retention.KindInteger); got != want {
			t.Errorf("%q converts to an integer: %t", id, got)
		}
	}
}

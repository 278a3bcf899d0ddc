package engine

import (
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

func TestForgotSaysNoMomentThatIsNotKnown(t *testing.T) {
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	for want, f := range map[string]retention.Forgotten{
		"1 batch did 1 row there that it forgot: it may be back":                                {Batches: 1, Rows: 1},
		"2 batches did 30 rows there that it forgot: they may be back":                          {Batches: 2, Rows: 30, Since: time.Unix(0, 0)},
		"since 2026-03-01T08:00:00Z, 1 batch did 3 rows there that it forgot: they may be back": {Batches: 1, Rows: 3, Since: at},
	} {
		if got := forgot(f); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

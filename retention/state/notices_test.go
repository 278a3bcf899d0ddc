package state

import (
	"testing"
	"time"
)

// A cause is told once among replicas, again after its time, and at once when it
// had been over.
func TestNoticesAreToldOnce(t *testing.T) {
	onEach(t, func(t *testing.T, on ground) {
		b := setup(t, on)
		other := b.open()
		defer other.Close()
		due := func(s *Store, cause string) bool {
			t.Helper()
			yes, err := s.NoticeDue(t.Context(), cause, 24*time.Hour)
			must(t, err)
			return yes
		}
		for i, c := range []struct {
			s     *Store
			cause string
			after time.Duration
			want  bool
		}{
			{b.Store, "refusal:a/b:x", 0, true}, {other, "refusal:a/b:x", time.Hour, false},
			{b.Store, "refusal:a/b:x", 23 * time.Hour, true}, {other, "refusal:a/b:y", 0, true}, {other, "refusal:a/b:x", time.Hour, false},
		} {
			b.pass(c.after)
			if got := due(c.s, c.cause); got != c.want {
				t.Errorf("%d: %s: %v, want %v", i, c.cause, got, c.want)
			}
		}
		must(t, other.NoticesOver(t.Context(), "refusal:a/b:x"))
		must(t, other.NoticesOver(t.Context(), "nothing"))
		if !due(b.Store, "refusal:a/b:x") || due(b.Store, "refusal:a/b:y") {
			t.Error("what is over is not forgotten, or more than that is")
		}
	})
}

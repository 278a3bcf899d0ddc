package bind

import (
	"time"

	"github.com/retentiond/retentiond/retention"
)

// locked is the minimum of a store that keeps objects itself: until the time that
// it names, or without an end where it names none that can be read. It forbids
// archive too, which removes the object.
func (b *binder) locked() retention.Minimum {
	c := b.table.Locked
	m := retention.MemberTest{Column: c, Type: retention.AsText, Zone: time.UTC, Cutoff: b.AsOf}
	b.defaults(&m, b.policy)
	return retention.Minimum{
		Where: &retention.Predicate{Test: &retention.Comparison{Column: c, Op: retention.NotNull}},
		Clock: retention.ClockTest{Members: []retention.MemberTest{m}},
	}
}

package schedule

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// Jitter is how long after its time a slot is due: a share of most that is always
// the same for that slot, in every process, and less than half the time to the
// next slot.
func Jitter(id retention.RuleSetID, slot, next time.Time, most time.Duration) time.Duration {
	if !next.IsZero() {
		most = min(most, next.Sub(slot)/2)
	}
	if most < time.Second {
		return 0
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d", id.Policy, id.Set, slot.Unix()))
	return time.Duration(binary.BigEndian.Uint64(sum[:8])%uint64(most/time.Second)) * time.Second
}

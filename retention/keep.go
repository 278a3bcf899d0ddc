package retention

import "time"

// KeepFrom is the retention of our own records: what ended before goes. The zero
// time keeps everything.
type KeepFrom struct {
	Audit time.Time // logs whose last entry is older, whole
	Plans time.Time // plans with their spools; runs with their intents
	Quiet time.Time // runs of slots that found nothing to do, with their plans
	Holds time.Time // holds whose grace was over before
}

// Expired counts what Expire dropped.
type Expired struct {
	Plans, Runs, Holds int64
	Logs               []string
}

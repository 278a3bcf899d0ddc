package retention

import "time"

// Pressure is what a source says of its load. Zero values say nothing.
type Pressure struct {
	Lag            time.Duration // of the replica that is farthest behind
	LagUnknown     bool          // a replica is there that does not say: it counts as lagging
	Running        int           // statements that others run now
	RunningUnknown bool          // the role is not shown them: they count as too many
	Backlog        int64         // PostgreSQL: bytes of log that a slot or an archive waits for; InnoDB: old row versions not purged
	BacklogUnknown bool          // the role is not shown it: it counts as too much
	Vacuuming      bool          // the server tidies the table up
}

// WaitReason is why batches leave a source to others, in a word.
type WaitReason string

// Reasons to wait.
const (
	WaitRate    WaitReason = "rate"    // rows a second, and the rest after a batch
	WaitLag     WaitReason = "lag"     // a replica is behind
	WaitRunning WaitReason = "running" // others run many statements
	WaitBacklog WaitReason = "backlog" // log or old row versions wait
	WaitVacuum  WaitReason = "vacuum"  // the server tidies the table up
	WaitWindow  WaitReason = "window"  // outside of the configured hours
	WaitFlag    WaitReason = "flag"    // a file asks for it
	WaitUnread  WaitReason = "unread"  // the source's load cannot be read
)

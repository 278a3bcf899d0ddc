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

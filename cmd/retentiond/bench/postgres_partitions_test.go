package bench

import (
	"fmt"
	"testing"
	"time"
)

const drops = policyHead + `datasets:
  events: {table: events, subject: {customer: customer_id}, partitions: drop}
rules:
  - {id: events, title: Events, dataset: events, from: created_at, approve: never, keep: 365 days, then: delete}
`

// partitions are dropped as a whole: what that costs, in tables of which one has ten
// times the rows, beside the giant statement.
func (s *postgres) partitions(b *testing.B, rows int) {
	for _, n := range []int{rows / 10, rows} {
		b.Run(fmt.Sprintf("Partitions%d", n), func(b *testing.B) {
			name := fmt.Sprintf("parts%d", n)
			s.template(b, name, partitionsPostgres(n)...)
			contest{title: fmt.Sprintf("PostgreSQL, %d rows in partitions of 30 days: drop the 9 that are due", n), fresh: s.copied(name), ways: []way{
				{name: "retentiond", do: ours{policy: drops}.do},
				{name: "giant DELETE", reach: 6, do: statement("DELETE FROM events WHERE created_at < $1", cutoff())},
			}}.run(b)
		})
	}
}

// partitionsPostgres is the table of the design in partitions that end at the cutoff.
func partitionsPostgres(rows int) []string {
	out := []string{"CREATE TABLE events (id bigserial, customer_id bigint, email text, ip text, user_agent text, payload text, created_at timestamptz, PRIMARY KEY (id, created_at)) PARTITION BY RANGE (created_at)"}
	for k := -9; k < 13; k++ {
		from := cutoff().AddDate(0, 0, 30*k)
		out = append(out, fmt.Sprintf("CREATE TABLE events_%02d PARTITION OF events FOR VALUES FROM ('%s') TO ('%s')", k+9, from.Format(time.RFC3339), from.AddDate(0, 0, 30).Format(time.RFC3339)))
	}
	return append(out, eventsPostgres(rows, rows)[1:]...)
}

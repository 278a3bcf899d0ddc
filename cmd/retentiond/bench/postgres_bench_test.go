package bench

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"
)

const related = policyHead + `datasets:
  prospects: {table: prospects, subject: {person: id}}
rules:
  - {id: prospects, title: Prospects, dataset: prospects, approve: never, keep: 365 days, then: delete,
     from: {latest: [created_at, {table: interactions, on: {prospect_id: id}, column: occurred_at}]}}
`

// BenchmarkPostgres is retentiond beside what people do by hand on PostgreSQL.
func BenchmarkPostgres(b *testing.B) {
	s, rows := newPostgres(b), rowsOr(b, 1_000_000)
	s.template(b, "events", eventsPostgres(rows, rows)...)
	events := s.copied("events")
	title := func(what string) string { return fmt.Sprintf("PostgreSQL, %d rows: %s", rows, what) }
	deleted := "DELETE FROM events e WHERE created_at < $1"

	b.Run("Delete", func(b *testing.B) {
		contest{title: title("delete"), fresh: events, ways: []way{
			{name: "retentiond", do: ours{policy: deletes}.do},
			{name: "giant DELETE", reach: 0.90, do: giant(deleted, 0)},
			{name: "ctid loop, 1000", do: ctids(0)},
			{name: "SELECT keys, DELETE IN, 1000", do: ttl},
		}}.run(b)
	})
	b.Run("DeleteHeld1000", func(b *testing.B) {
		contest{title: title("delete beside 1,000 held subjects"), fresh: events, ways: []way{
			{name: "retentiond", do: ours{policy: deletes, held: 1000}.do},
			{name: "giant DELETE, anti-join", reach: 0.85, do: giant(deleted, 1000)},
			{name: "ctid loop with holds, 1000", do: ctids(1000)},
		}}.run(b)
	})
	b.Run("DeleteHeld100000", func(b *testing.B) {
		contest{title: title("delete beside 100,000 held subjects"), fresh: events, ways: []way{
			{name: "retentiond", do: ours{policy: deletes, held: 100_000}.do},
			{name: "giant DELETE, anti-join", reach: 0.75, do: giant(deleted, 100_000)},
		}}.run(b)
	})
	b.Run("DeleteParallel", func(b *testing.B) {
		contest{title: title("delete, parallel: 2"), fresh: events, ways: []way{
			{name: "retentiond", do: ours{policy: deletes, parallel: 2}.do},
			{name: "giant DELETE", reach: 1.20, do: giant(deleted, 0)},
		}}.run(b)
	})
	b.Run("Anonymise", func(b *testing.B) {
		contest{title: title("anonymise"), fresh: events, ways: []way{
			{name: "retentiond", do: ours{policy: anonymises}.do},
			{name: "giant UPDATE", reach: 1.5, do: giant("UPDATE events e SET email = NULL, ip = left(ip, 8) || '0' WHERE created_at < $1", 0)},
		}}.run(b)
	})
	b.Run("ArchiveTable", func(b *testing.B) {
		contest{title: title("archive to a table"), fresh: events, ways: []way{
			{name: "retentiond", do: ours{policy: archives}.do},
			{name: "INSERT SELECT + DELETE", reach: 0.80, do: moved},
			{name: "the same, with a vault's indexes", do: movedIndexed},
		}}.run(b)
	})
	b.Run("ArchiveSealed", func(b *testing.B) {
		contest{title: title("archive to a sealed vault"), fresh: events, ways: []way{
			{name: "retentiond", do: ours{policy: seals}.do},
			{name: "COPY, DELETE, 10000", reach: 1.0, do: copiedOut(10_000)},
		}}.run(b)
	})
	b.Run("Plan", func(b *testing.B) {
		contest{title: title("plan (rows of the whole table, command's time)"), fresh: events, ways: []way{
			{name: "retentiond plan", do: planned},
			{name: "COUNT FILTER by hand", reach: 1 / 1.3, do: counted(rows)},
		}}.run(b)
	})
	s.related(b, rows/5)
	s.sparse(b, rows)
	s.partitions(b, rows)
	b.Run("Client", func(b *testing.B) {
		client(b, title("a client beside a delete at the default rate"), events, ours{policy: deletes, paced: true})
	})
}

func (s *postgres) related(b *testing.B, rows int) {
	b.Run("DeleteLatest", func(b *testing.B) {
		s.template(b, "related", relatedPostgres(rows)...)
		contest{title: fmt.Sprintf("PostgreSQL, %d rows and %d related ones: delete by the latest of both", rows, 3*rows), fresh: s.copied("related"), ways: []way{
			{name: "retentiond", do: ours{policy: related}.do},
			{name: "giant DELETE, NOT EXISTS", reach: 0.70, do: statement(`DELETE FROM prospects e WHERE created_at < $1
				AND NOT EXISTS (SELECT 1 FROM interactions i WHERE i.prospect_id = e.id AND i.occurred_at >= $1)`, cutoff())},
		}}.run(b)
	})
}

// sparse puts the same due rows into a table of ten times the rows.
func (s *postgres) sparse(b *testing.B, rows int) {
	b.Run("TenTimesTheTable", func(b *testing.B) {
		s.template(b, "small", eventsPostgres(rows/10, rows/10)...)
		s.template(b, "large", eventsPostgres(rows, rows/10)...)
		small, large := s.copied("small"), s.copied("large")
		here := func(template func(*testing.B) *place) func(*testing.B, *place) effort {
			return func(b *testing.B, _ *place) effort {
				p := template(b)
				defer p.drop(b)
				return ours{policy: deletes}.do(b, p)
			}
		}
		contest{title: fmt.Sprintf("PostgreSQL: %d due rows of %d and of %d", rows/25, rows, rows/10), fresh: small, ways: []way{
			{name: "retentiond, large table", do: here(large)},
			{name: "retentiond, small table", reach: 1 / 1.1, do: here(small)},
		}}.run(b)
	})
}

// planned is a dry run, as the whole command: it has no time of its own.
func planned(b *testing.B, p *place) effort {
	b.Helper()
	file := ours{policy: deletes}.house(b, p)
	out, u := command(b, "--config", file, "--output", "json", "plan", "--as-of", today.Format(time.RFC3339))
	var plan struct {
		Steps []struct{ Classes map[string]int64 }
	}
	if err := json.Unmarshal([]byte(out), &plan); err != nil {
		b.Fatal(err)
	}
	return effort{rows: plan.Steps[0].Classes["total"], took: u.took, cpu: u.cpu, peak: u.peak}
}

func counted(rows int) func(*testing.B, *place) effort {
	return func(b *testing.B, p *place) effort {
		b.Helper()
		began := time.Now()
		var open, due, all int
		if err := p.db.QueryRow("SELECT count(*) FILTER (WHERE created_at IS NULL), count(*) FILTER (WHERE created_at < $1), count(*) FROM events", cutoff()).Scan(&open, &due, &all); err != nil {
			b.Fatal(err)
		}
		if all != rows {
			b.Fatal("the table has " + strconv.Itoa(all) + " rows")
		}
		return effort{rows: int64(all), took: time.Since(began)}
	}
}

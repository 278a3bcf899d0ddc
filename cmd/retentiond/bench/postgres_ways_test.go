package bench

import (
	"database/sql"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/lib/pq"
)

// holdTable gives a peer the held subjects as a table with a key.
func holdTable(b *testing.B, p *place, n int) {
	b.Helper()
	ids := make(pq.Int64Array, 0, n)
	for _, id := range held(n) {
		ids = append(ids, int64(id))
	}
	p.exec(b, "CREATE TABLE held (customer_id bigint PRIMARY KEY)")
	p.exec(b, "INSERT INTO held SELECT unnest($1::bigint[])", ids)
	p.exec(b, "ANALYZE held")
}

const notHeld = " AND NOT EXISTS (SELECT 1 FROM held h WHERE h.customer_id = e.customer_id)"

// giant is one statement on everything, beside the same holds.
func giant(text string, n int) func(*testing.B, *place) effort {
	return func(b *testing.B, p *place) effort {
		b.Helper()
		if n > 0 {
			holdTable(b, p, n)
			text := text + notHeld
			return statement(text, cutoff())(b, p)
		}
		return statement(text, cutoff())(b, p)
	}
}

// patience is how long a slow way is watched before its rate is taken as it is.
const patience = 10 * time.Second

// loop repeats a batch until it does nothing.
func loop(batch func(b *testing.B, p *place) int64) func(*testing.B, *place) effort {
	return func(b *testing.B, p *place) effort {
		var e effort
		var all []time.Duration
		began := time.Now()
		for {
			at := time.Now()
			n := batch(b, p)
			all = append(all, time.Since(at))
			e.rows += n
			if n == 0 {
				break
			}
			if time.Since(began) > patience {
				e.part = true
				break
			}
		}
		e.took, e.p99 = time.Since(began), percentile(all, 99)
		return e
	}
}

// ctids is the loop that people write.
func ctids(n int) func(*testing.B, *place) effort {
	where := "e.created_at < $1"
	if n > 0 {
		where += notHeld
	}
	run := loop(func(b *testing.B, p *place) int64 {
		return p.exec(b, "DELETE FROM events WHERE ctid = ANY(ARRAY(SELECT e.ctid FROM events e WHERE "+where+" LIMIT 1000))", cutoff())
	})
	return func(b *testing.B, p *place) effort {
		b.Helper()
		if n > 0 {
			holdTable(b, p, n)
		}
		return run(b, p)
	}
}

// ttl is what CockroachDB's row-level TTL does: keys first, then a delete by key.
func ttl(b *testing.B, p *place) effort {
	b.Helper()
	var last int64
	return loop(func(b *testing.B, p *place) int64 {
		var keys pq.Int64Array
		if err := p.db.QueryRow("SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM (SELECT id FROM events WHERE created_at < $1 AND id > $2 ORDER BY id LIMIT 1000) AS k", cutoff(), last).Scan(&keys); err != nil {
			b.Fatal(err)
		}
		if len(keys) == 0 {
			return 0
		}
		last = keys[len(keys)-1]
		return p.exec(b, "DELETE FROM events WHERE id = ANY($1) AND created_at < $2", keys, cutoff())
	})(b, p)
}

// moved copies everything into a table, then deletes it, in one transaction.
func moved(b *testing.B, p *place) effort {
	b.Helper()
	p.exec(b, "CREATE TABLE old_events (LIKE events)")
	return move(b, p)
}

// movedIndexed is moved where what was archived can be found again: by its own key,
// its clock, the key that it had, and its subject, as in a vault of ours.
func movedIndexed(b *testing.B, p *place) effort {
	b.Helper()
	p.exec(b, "CREATE TABLE old_events (LIKE events, retentiond_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)")
	for _, column := range []string{"id", "customer_id", "created_at"} {
		p.exec(b, "CREATE INDEX ON old_events ("+column+")")
	}
	return move(b, p)
}

func move(b *testing.B, p *place) effort {
	b.Helper()
	began := time.Now()
	tx, err := p.db.Begin()
	if err != nil {
		b.Fatal(err)
	}
	defer tx.Rollback()
	var rows int64
	for _, text := range []string{"INSERT INTO old_events SELECT * FROM events WHERE created_at < $1", "DELETE FROM events WHERE created_at < $1"} {
		r, err := tx.Exec(text, cutoff())
		if err != nil {
			b.Fatal(err)
		}
		if rows, err = r.RowsAffected(); err != nil {
			b.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
	return effort{rows: rows, took: time.Since(began)}
}

// copiedOut lets the server write each batch to a file, plain and not synced, and then
// deletes it.
func copiedOut(n int) func(*testing.B, *place) effort {
	return func(b *testing.B, p *place) effort {
		dir, err := os.MkdirTemp("", "retentiond-copy")
		if err == nil {
			err = os.Chmod(dir, 0o777) //nolint:gosec // the server is another user
		}
		if err != nil {
			b.Fatal(err)
		}
		defer os.RemoveAll(dir)
		var last int64
		files := 0
		return loop(func(b *testing.B, p *place) int64 {
			var to sql.NullInt64
			if err := p.db.QueryRow("SELECT max(id) FROM (SELECT id FROM events WHERE created_at < $1 AND id > $2 ORDER BY id LIMIT $3) AS k", cutoff(), last, n).Scan(&to); err != nil {
				b.Fatal(err)
			}
			if !to.Valid {
				return 0
			}
			files++
			where := fmt.Sprintf("id > %d AND id <= %d AND created_at < '%s'", last, to.Int64, cutoff().Format(time.RFC3339))
			p.exec(b, fmt.Sprintf("COPY (SELECT * FROM events WHERE %s) TO '%s/%d'", where, dir, files))
			last = to.Int64
			return p.exec(b, "DELETE FROM events WHERE "+where)
		})(b, p)
	}
}

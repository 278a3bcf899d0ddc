package bench

import (
	"database/sql"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// postgres is a server with templates to copy.
type postgres struct {
	url    *url.URL
	admin  *sql.DB
	copies int
}

// newPostgres writes durably, has room for the tables, and no checkpoint or
// vacuum of its own falls into somebody's turn.
func newPostgres(b *testing.B) *postgres {
	b.Helper()
	s := servers.NewPostgres(b, watched([]servers.Option{servers.Set("shared_buffers", "1GB"), servers.Set("max_wal_size", "8GB"), servers.Set("checkpoint_timeout", "1h"),
		servers.Set("synchronous_commit", "on"), servers.Set("autovacuum_naptime", "1h")})...)
	u, err := url.Parse(s.Admin())
	if err != nil {
		b.Fatal(err)
	}
	return &postgres{url: u, admin: openPostgres(b, u, "postgres")}
}

func openPostgres(b *testing.B, u *url.URL, database string) *sql.DB {
	b.Helper()
	v := *u
	v.Path = "/" + database
	db, err := sql.Open("postgres", v.String())
	if err != nil {
		b.Fatal(err)
	}
	return db
}

// template is a database that is filled once, and copied for each turn.
func (s *postgres) template(b *testing.B, name string, statements ...string) {
	b.Helper()
	s.do(b, "CREATE DATABASE "+name+" TEMPLATE template0")
	db := openPostgres(b, s.url, name)
	defer db.Close()
	for _, text := range append(statements, "CREATE EXTENSION pg_prewarm", "VACUUM (FREEZE, ANALYZE)") {
		if _, err := db.Exec(text); err != nil {
			b.Fatalf("%.100s: %v", text, err)
		}
	}
}

func (s *postgres) do(b *testing.B, text string) {
	b.Helper()
	if _, err := s.admin.Exec(text); err != nil {
		b.Fatalf("%s: %v", text, err)
	}
}

// copied gives each turn the template as it is: same files, in memory, after a
// checkpoint.
func (s *postgres) copied(template string) func(*testing.B) *place {
	return func(b *testing.B) *place {
		b.Helper()
		s.copies++
		name := fmt.Sprintf("%s_%d", template, s.copies)
		s.do(b, "CREATE DATABASE "+name+" TEMPLATE "+template+" STRATEGY file_copy")
		p := &place{driver: "postgres", db: openPostgres(b, s.url, name)}
		v := *s.url
		v.Path = "/" + name
		p.dsn = v.String()
		p.exec(b, "SELECT pg_prewarm(c.oid) FROM pg_class c WHERE c.relkind IN ('r', 'i') AND c.relnamespace = 'public'::regnamespace")
		s.do(b, "CHECKPOINT")
		p.drop = func(b *testing.B) {
			b.Helper()
			if err := p.db.Close(); err != nil {
				b.Fatal(err)
			}
			s.do(b, "DROP DATABASE "+name+" WITH (FORCE)")
		}
		p.logged = func(b *testing.B) (n int64) {
			b.Helper()
			if err := s.admin.QueryRow("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").Scan(&n); err != nil {
				b.Fatal(err)
			}
			return n
		}
		return p
	}
}

// eventsPostgres is the table of the design: rows in time order, 40 % due.
func eventsPostgres(rows, dueOf int) []string {
	due := dueOf * 2 / 5
	at := fmt.Sprintf("timestamptz '%[1]s' + (i - %[2]d) * CASE WHEN i <= %[2]d THEN interval '243 days' / %[2]d ELSE interval '364 days' / %[3]d END - interval '1 second'",
		cutoff().Format(time.RFC3339), due, max(1, rows-due))
	return []string{
		"CREATE TABLE events (id bigserial PRIMARY KEY, customer_id bigint, email text, ip text, user_agent text, payload text, created_at timestamptz)",
		fmt.Sprintf("INSERT INTO events SELECT i, i * 7919::bigint %% %d, 'user' || i || '@example.org', '192.0.2.' || i %% 256, lpad(i::text, 80, 'u'), lpad(i::text, 200, 'p'), %s FROM generate_series(1, %d) AS i",
			customers, at, rows),
		"CREATE INDEX events_at ON events (created_at)",
		"CREATE INDEX events_customer ON events (customer_id)",
	}
}

// relatedPostgres has prospects whose clock is their last contact: half of those
// created before the cutoff had none since.
func relatedPostgres(rows int) []string {
	c := cutoff().Format(time.RFC3339)
	return []string{
		"CREATE TABLE prospects (id bigserial PRIMARY KEY, email text, payload text, created_at timestamptz NOT NULL)",
		"CREATE TABLE interactions (id bigserial PRIMARY KEY, prospect_id bigint NOT NULL, note text, occurred_at timestamptz NOT NULL)",
		fmt.Sprintf("INSERT INTO prospects SELECT i, 'user' || i || '@example.org', lpad(i::text, 200, 'p'), timestamptz '%s' + (i - %d) * interval '1 minute' - interval '1 second' FROM generate_series(1, %d) AS i", c, rows*4/5, rows),
		fmt.Sprintf("INSERT INTO interactions SELECT i, i %% %d + 1, lpad(i::text, 40, 'n'), timestamptz '%s' + interval '1 day' * CASE WHEN i %% %[1]d %% 2 = 0 AND i > %[1]d THEN 100 ELSE -10 END FROM generate_series(0, %[3]d) AS i", rows, c, 3*rows-1),
		"CREATE INDEX prospects_at ON prospects (created_at)",
		"CREATE INDEX interactions_of ON interactions (prospect_id, occurred_at)",
	}
}

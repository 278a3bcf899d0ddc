package bench

import (
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkSQLite is retentiond beside one giant statement on the same file.
func BenchmarkSQLite(b *testing.B) {
	rows := rowsOr(b, 500_000)
	template := filepath.Join(b.TempDir(), "template.db")
	eventsSQLite(b, template, rows)
	fresh := copiedFile(template)
	title := func(what string) string { return fmt.Sprintf("SQLite, %d rows: %s", rows, what) }
	where := " WHERE created_at < '" + cutoff().Format(time.RFC3339) + "'"

	b.Run("Delete", func(b *testing.B) {
		contest{title: title("delete"), fresh: fresh, ways: []way{
			{name: "retentiond", do: ours{policy: deletes}.do},
			{name: "giant DELETE", do: statement("DELETE FROM events" + where)},
		}}.run(b)
	})
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("DeleteHeld%d", n), func(b *testing.B) {
			contest{title: title(fmt.Sprintf("delete beside %d held subjects", n)), fresh: fresh, ways: []way{
				{name: "retentiond", do: ours{policy: deletes, held: n}.do},
				{name: "giant DELETE, anti-join", do: func(b *testing.B, p *place) effort {
					holdTableSQLite(b, p, n)
					return statement("DELETE FROM events AS e"+where+notHeld)(b, p)
				}},
			}}.run(b)
		})
	}
	b.Run("Redact", func(b *testing.B) {
		contest{title: title("redact"), fresh: fresh, ways: []way{
			{name: "retentiond", do: ours{policy: redacts}.do},
			{name: "giant UPDATE", do: statement("UPDATE events SET email = NULL, ip = substr(ip, 1, 8) || '0'" + where)},
		}}.run(b)
	})
}

func eventsSQLite(b *testing.B, file string, rows int) {
	b.Helper()
	due := rows * 2 / 5
	db := openSQLite(b, file)
	defer db.Close()
	for _, text := range []string{
		"CREATE TABLE events (id INTEGER PRIMARY KEY, customer_id INTEGER, email TEXT, ip TEXT, user_agent TEXT, payload TEXT, created_at TEXT)",
		fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO events SELECT i, i * 7919 %% %d, 'user' || i || '@example.org', '192.0.2.' || (i %% 256), printf('%%080d', i), printf('%%0200d', i),
			strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ', %d - 1 + CASE WHEN i <= %[4]d THEN (i - %[4]d) * 243 * 86400 / %[4]d ELSE (i - %[4]d) * 364 * 86400 / %[5]d END, 'unixepoch') FROM n`,
			rows, customers, cutoff().Unix(), due, rows-due),
		"CREATE INDEX events_at ON events (created_at)", "CREATE INDEX events_customer ON events (customer_id)", "PRAGMA wal_checkpoint(TRUNCATE)",
	} {
		if _, err := db.Exec(text); err != nil {
			b.Fatalf("%.100s: %v", text, err)
		}
	}
}

func openSQLite(b *testing.B, file string) *sql.DB {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=secure_delete(OFF)")
	if err != nil {
		b.Fatal(err)
	}
	return db
}

func copiedFile(template string) func(*testing.B) *place {
	return func(b *testing.B) *place {
		b.Helper()
		dir, err := os.MkdirTemp(b.TempDir(), "copy")
		if err != nil {
			b.Fatal(err)
		}
		file := filepath.Join(dir, "events.db")
		duplicate(b, template, file)
		p := &place{driver: "sqlite", dsn: file, db: openSQLite(b, file), logged: func(*testing.B) int64 { return 0 }}
		p.drop = func(b *testing.B) {
			b.Helper()
			if err := p.db.Close(); err != nil {
				b.Fatal(err)
			}
			if err := os.RemoveAll(dir); err != nil {
				b.Fatal(err)
			}
		}
		return p
	}
}

func duplicate(b *testing.B, from, to string) {
	b.Helper()
	in, err := os.Open(from)
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		b.Fatal(err)
	}
	for _, err := range []error{out.Sync(), out.Close()} {
		if err != nil {
			b.Fatal(err)
		}
	}
}

func holdTableSQLite(b *testing.B, p *place, n int) {
	b.Helper()
	p.exec(b, "CREATE TABLE held (customer_id INTEGER PRIMARY KEY)")
	p.exec(b, fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO held SELECT i * %d FROM n", n-1, customers/n))
}

package bench

import (
	"os"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// watched adds what BENCH_STATEMENTS needs to a server: it counts statements,
// which costs it a little, so it is not on otherwise.
func watched(options []servers.Option) []servers.Option {
	if os.Getenv("BENCH_STATEMENTS") == "" {
		return options
	}
	return append(options, servers.Set("shared_preload_libraries", "pg_stat_statements"), servers.Set("pg_stat_statements.track", "all"), servers.Set("track_io_timing", "on"))
}

// statements logs where the server's time went in our run on the place.
func (p *place) statements(b *testing.B) {
	b.Helper()
	if os.Getenv("BENCH_STATEMENTS") == "" || p.driver != "postgres" {
		return
	}
	var updated, hot int64
	if err := p.db.QueryRow("SELECT sum(n_tup_upd), sum(n_tup_hot_upd) FROM pg_stat_user_tables").Scan(&updated, &hot); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d rows were updated, %d of them without a write to an index", updated, hot)
	p.exec(b, "CREATE EXTENSION pg_stat_statements")
	rows, err := p.db.Query(`SELECT calls, total_exec_time::numeric(12,1), max_exec_time::numeric(12,1), rows, wal_bytes, query FROM pg_stat_statements
		WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY total_exec_time DESC LIMIT 14`)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var calls, n, wal int64
		var total, most float64
		var text string
		if err := rows.Scan(&calls, &total, &most, &n, &wal, &text); err != nil {
			b.Fatal(err)
		}
		b.Logf("%6d calls %10.1f ms, at most %8.1f ms, %8d rows, %10d bytes of WAL: %.420s", calls, total, most, n, wal, strings.Join(strings.Fields(text), " "))
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
}

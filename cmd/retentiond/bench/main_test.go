package bench

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := program.remove(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(1, code)
	}
	os.Exit(code)
}

// rowsOr is the size of a table: BENCH_ROWS, or n.
func rowsOr(b *testing.B, n int) int {
	b.Helper()
	text := os.Getenv("BENCH_ROWS")
	if text == "" {
		return n
	}
	asked, err := strconv.Atoi(text)
	if err != nil || asked < 1000 {
		b.Fatalf("BENCH_ROWS=%s: a number of at least 1000", text)
	}
	return asked
}

// today is the instant as of which everything is due or not: the clock is read
// once, so that a run over midnight compares the same rows.
var today = time.Now().UTC()

// cutoff is where `keep: 365 days` ends in UTC: days before it are over.
func cutoff() time.Time { return today.Truncate(24*time.Hour).AddDate(0, 0, -365) }

package bench

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The size that one instance is asked to bear: a large table, many held subjects
// and many rules.
const (
	scaleHeld  = 100_000
	scaleRules = 1_000
	scaleRows  = 10_000_000
	mostMemory = 64 << 20
)

// BenchmarkScale goes through plan, run and verify, one after the other, and
// fails where one of them needs more memory than it may. It is not part of
// `make bench`: it takes minutes.
func BenchmarkScale(b *testing.B) {
	for b.Loop() {
		rows := rowsOr(b, scaleRows)
		p := scaleWorld(b, rows)
		o := ours{policy: scalePolicy(), held: scaleHeld}
		t := &table{title: fmt.Sprintf("SQLite, %d rows, %d held subjects, %d rules", rows, scaleHeld, scaleRules), rounds: 1}
		file := o.house(b, p)
		for _, c := range []struct {
			name string
			args []string
		}{
			{"plan", []string{"plan", "--as-of", today.Format(time.RFC3339)}},
			{"run", []string{"run", "--as-of", today.Format(time.RFC3339)}},
			{"verify", []string{"audit", "verify"}},
		} {
			_, u := command(b, append([]string{"--config", file, "--output", "json"}, c.args...)...)
			t.notes = append(t.notes, fmt.Sprintf("%-6s %8.1f s, %8.1f s of CPU, %4d MiB at most", c.name, u.took.Seconds(), u.cpu.Seconds(), u.peak>>20))
			b.ReportMetric(u.took.Seconds(), c.name+"-s")
			b.ReportMetric(float64(u.peak>>20), c.name+"-MiB")
			if u.peak > mostMemory {
				b.Errorf("%s took %d MiB of memory, %d are allowed", c.name, u.peak>>20, mostMemory>>20)
			}
		}
		b.ReportMetric(0, "ns/op")
		add(t)
		p.drop(b)
	}
}

// scaleWorld is the large table, and a small one for each rule but the first.
func scaleWorld(b *testing.B, rows int) *place {
	b.Helper()
	file := b.TempDir() + "/scale.db"
	eventsSQLite(b, file, rows)
	db := openSQLite(b, file)
	defer db.Close()
	var text strings.Builder
	text.WriteString("BEGIN;")
	for i := 1; i < scaleRules; i++ {
		fmt.Fprintf(&text, "CREATE TABLE small_%d (id INTEGER PRIMARY KEY, customer_id INTEGER, created_at TEXT); INSERT INTO small_%d WITH RECURSIVE n(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM n WHERE k < 99) SELECT id, customer_id, created_at FROM n JOIN events ON id = k * %d + %d;", i, i, rows/100, i)
	}
	text.WriteString("COMMIT")
	if _, err := db.Exec(text.String()); err != nil {
		b.Fatal(err)
	}
	return &place{driver: "sqlite", dsn: file, drop: func(*testing.B) {}}
}

func scalePolicy() string {
	var datasets, rules strings.Builder
	for i := range scaleRules {
		name := fmt.Sprintf("small_%d", i)
		if i == 0 {
			name = "events"
		}
		fmt.Fprintf(&datasets, "  %s: {table: %s, subject: {customer: customer_id}}\n", name, name)
		fmt.Fprintf(&rules, "  - {id: %s, title: %s, dataset: %s, from: created_at, approve: never, keep: 365 days, then: delete}\n", name, name, name)
	}
	return policyHead + "datasets:\n" + datasets.String() + "rules:\n" + rules.String()
}

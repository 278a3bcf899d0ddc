package postgres

import (
	"sync"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

func TestLagByMarks(t *testing.T) {
	type ask struct {
		now, written, replayed float64
		behind                 time.Duration
		unknown                bool
	}
	for name, asks := range map[string][]ask{
		"all replayed":                     {{1, 100, 100, 0, false}, {2, 200, 200, 0, false}},
		"behind since nobody knows when":   {{1, 100, 90, 0, true}, {2, 100, 90, time.Second, true}, {3, 100, 100, 0, false}},
		"never far behind a busy primary":  {{1, 100, 99, 0, true}, {2, 200, 199, 0, false}, {3, 300, 299, 0, false}},
		"paused":                           {{1, 100, 100, 0, false}, {2, 200, 100, 0, false}, {5, 300, 100, 3 * time.Second, false}, {9, 300, 100, 7 * time.Second, false}, {10, 300, 250, 5 * time.Second, false}, {11, 300, 300, 0, false}},
		"a place that is not shown":        {{1, 100, -1, 0, true}, {2, 100, -1, time.Second, true}},
		"paused while nothing was written": {{1, 100, 100, 0, false}, {60, 100, 100, 0, false}, {61, 200, 100, 0, false}, {63, 200, 100, 2 * time.Second, false}},
	} {
		var m marks
		for i, a := range asks {
			behind, unknown := m.lag(a.now, a.written, a.replayed)
			if behind != a.behind || unknown != a.unknown {
				t.Errorf("%s, %d: %s %t, want %s %t", name, i, behind, unknown, a.behind, a.unknown)
			}
		}
	}
	var m marks
	for i := range 3 * mostMarks {
		m.lag(float64(i), float64(i+10), 1)
	}
	if len(m.list) > mostMarks {
		t.Errorf("%d marks are kept", len(m.list))
	}
}

// A vacuum of the table is seen while it lasts.
func TestPressureSeesVacuum(t *testing.T) {
	b := setup(t, "CREATE TABLE p (id bigint PRIMARY KEY, filler text) WITH (autovacuum_enabled = off); INSERT INTO p SELECT i, repeat('x', 500) FROM generate_series(1, 20000) AS i; DELETE FROM p WHERE id % 2 = 0", "p")
	if p, err := b.s.Pressure(t.Context(), tn("p")); err != nil || p.Vacuuming {
		t.Fatalf("before: %+v %v", p, err)
	}
	conn, err := b.app.Connx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var pid int
	if err := conn.GetContext(t.Context(), &pid, "SELECT pg_backend_pid() FROM set_config('vacuum_cost_delay', '100', false) AS a, set_config('vacuum_cost_limit', '1', false) AS b"); err != nil {
		t.Fatal(err)
	}
	var ended sync.WaitGroup
	ended.Add(1)
	go func() {
		defer ended.Done()
		_, _ = conn.ExecContext(t.Context(), "VACUUM p") // cancelled below
	}()
	var p retention.Pressure
	for end := time.Now().Add(20 * time.Second); !p.Vacuuming && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if p, err = b.s.Pressure(t.Context(), tn("p")); err != nil {
			t.Fatal(err)
		}
	}
	if !p.Vacuuming {
		t.Error("the vacuum is not seen")
	}
	b.exec("SELECT pg_cancel_backend($1::int)", pid)
	ended.Wait()
}

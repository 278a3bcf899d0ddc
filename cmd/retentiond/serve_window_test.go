package main

import (
	"bytes"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
)

// A run that reaches the end of its source's window stops between batches, says
// when it goes on, and does the rest then. What it did is done, and audited.
func TestWindowEndsARun(t *testing.T) {
	t.Parallel()
	const rows = 30_000
	dir, db := bulk(t, rows)
	s := site{T: t, dir: dir}
	s.write("policy.yaml", strings.Replace(bulkPolicy, "then: delete", "then: delete, approve: never", 1))
	began := time.Now().UTC().Truncate(time.Minute)
	ends := began.Add(30 * time.Minute)
	window := began.Add(-time.Hour).Format("15:04") + "-" + ends.Format("15:04")
	s.write("retentiond.yaml", strings.Replace(bulkConfig, "dsn: ./bulk.db", `dsn: ./bulk.db, throttle: {rate: 5000, window: "`+window+`"}`, 1))
	a := newApp(streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}, Env: os.Environ()})
	a.config = s.path("retentiond.yaml")
	h, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	// After the second batch it is half an hour later: the clock guard has passed.
	var batches atomic.Int64
	h.engine.Reached = func(p retention.Point) {
		if p == retention.PointConcluded {
			batches.Add(1)
		}
	}
	h.engine.Now = func() time.Time {
		if batches.Load() > 1 {
			return time.Now().Add(30 * time.Minute)
		}
		return time.Now()
	}
	report, err := h.engine.Run(t.Context(), engine.RunRequest{Unattended: true})
	if err != nil {
		t.Fatal(err)
	}
	rest := left(t, db)
	opens := began.Add(23 * time.Hour)
	if report.ResumeAt == nil || !report.ResumeAt.Equal(opens) || report.Interrupted || report.SlotOver() || report.Finished() {
		t.Errorf("report %+v, the window opens at %s", report, opens)
	}
	step := report.Steps[0]
	if rest == 0 || rest == rows || step.Done != rows-rest || step.Spared.NotReached != rest || !strings.Contains(step.Error, "outside of the window") {
		t.Errorf("%d rows left; step %+v", rest, step)
	}
	if at := h.engine.Opens("bulk", []string{"logs"}, ends); !at.Equal(opens) {
		t.Errorf("opens at %s, want %s", at, opens)
	}
	h.engine.Now, h.engine.Reached = time.Now, nil
	if report, err = h.engine.Run(t.Context(), engine.RunRequest{Unattended: true}); err != nil || !report.SlotOver() || left(t, db) != 0 {
		t.Errorf("the next night: %+v, %v, %d rows left", report, err, left(t, db))
	}
	if audited(t, dir) != rows {
		t.Errorf("%d of %d audited", audited(t, dir), rows)
	}
}

// Where nothing is due, a closed window ends nothing.
func TestWindowOfNothing(t *testing.T) {
	t.Parallel()
	dir, db := bulk(t, 1)
	if _, err := db.Exec("DELETE FROM logs"); err != nil {
		t.Fatal(err)
	}
	s := site{T: t, dir: dir}
	closed := time.Now().UTC().Add(3 * time.Hour)
	s.write("retentiond.yaml", strings.Replace(bulkConfig, "dsn: ./bulk.db", `dsn: ./bulk.db, throttle: {window: "`+closed.Format("15:04")+"-"+closed.Add(time.Hour).Format("15:04")+`"}`, 1))
	a := newApp(streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}, Env: os.Environ()})
	a.config = s.path("retentiond.yaml")
	h, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	report, err := h.engine.Run(t.Context(), engine.RunRequest{Unattended: true})
	if err != nil || report.ResumeAt != nil || report.Verdict != retention.VerdictOK {
		t.Errorf("%+v, %v", report, err)
	}
}

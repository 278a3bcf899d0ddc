package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention/engine"
)

// On servers too a closed window lets nothing go, and says when it opens; and a limited
// rate is kept.
func TestWindowAndRateOnServers(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		t.Run(on.driver, func(t *testing.T) {
			t.Parallel()
			s := newSiteOn(t, on, shopNever, shopRows())
			s.do(exitOK, "check", "--install")
			opens := time.Now().UTC().Add(3 * time.Hour).Truncate(time.Minute)
			s.options(`throttle: {window: "` + opens.Format("15:04") + "-" + opens.Add(time.Hour).Format("15:04") + `"}`)
			a := newApp(streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}, Env: os.Environ()})
			a.config = s.path("retentiond.yaml")
			h, err := a.open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			report, err := h.engine.Run(t.Context(), engine.RunRequest{Unattended: true})
			h.close()
			if err != nil || report.ResumeAt == nil || report.Steps[0].Done != 0 {
				t.Errorf("%+v, %v", report, err)
			}
			if got := s.ids(); got != "1 2 3 4 5 6" {
				t.Errorf("rows %s are left in a closed window", got)
			}
			rows := map[string]string{"postgres": "INSERT INTO prospects SELECT i, 'x', 'lost', '2015-01-01' FROM generate_series(100, 159) AS i",
				"mysql": "INSERT INTO prospects SELECT seq, 'x', 'lost', '2015-01-01' FROM seq_100_to_159"}[on.driver]
			s.exec("crm.db", rows)
			s.options("throttle: {rate: 20}")
			began := time.Now()
			s.do(exitOK, "run", "--output", "json").is("steps/0/done", "62")
			if took := time.Since(began); took < 2*time.Second {
				t.Errorf("62 rows at 20 a second took %s", took)
			}
		})
	}
}

package main

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// What a server quotes of rows in its errors reaches neither the daemon's log nor
// the audit log.
func TestServerErrorsHoldNoValues(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		t.Run(on.String(), func(t *testing.T) {
			t.Parallel()
			policy := strings.Replace(daemonPolicy, "    keep: 3 years\n", "    where: {sql: \"10 / (CASE WHEN CAST(status AS DECIMAL) = 1 THEN 1 ELSE 2 END) > 0\"}\n    keep: 3 years\n", 1)
			if on.String() == "postgres" {
				policy = strings.ReplaceAll(policy, "CAST(status AS DECIMAL)", "status::int")
			}
			s := newSiteOn(t, on, policy, strings.ReplaceAll(shopRows(), "'lost'", "'zqmarker'"))
			d := s.serve(soon(4*time.Second), "RETENTIOND_HTTP_LISTEN=")
			until(t, "no run ended", func() bool { return d.out.has("a run ended") || d.out.has("refused") })
			d.stops(syscall.SIGTERM, exitOK)
			for name, text := range map[string]string{"the log": d.out.String(), "the audit log": s.query("state.db", "SELECT line FROM audit_entries")} {
				if i := strings.Index(text, "zqmarker"); i >= 0 {
					t.Errorf("%s holds a value: …%s…", name, text[max(0, i-300):min(len(text), i+100)])
				}
			}
			if on.String() == "postgres" && !d.out.has("22P02") && !d.out.has("invalid") && !d.out.has("policy_error") {
				t.Errorf("the condition did not fail, the test shows nothing:\n%s", d.out)
			}
		})
	}
}

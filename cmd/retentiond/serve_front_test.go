package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention/notify"
)

// listener is a place for a daemon to listen at.
func listener(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// asks asks the daemon; 0 where it does not answer.
func asks(address, path string) (int, string) {
	client := http.Client{Timeout: 5 * time.Second}
	answer, err := client.Get("http://" + address + path)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(body)
}

// hook is a receiver of notices that keeps what it was sent.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
	forged int
}

func newHook(t *testing.T, secret string) *hook {
	t.Helper()
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var stamp int64
		_, _ = fmt.Sscanf(r.Header.Get(notify.SignatureHeader), "t=%d,", &stamp)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.bodies = append(h.bodies, string(body))
		if r.Header.Get(notify.SignatureHeader) != notify.Sign(secret, time.Unix(stamp, 0), body) {
			h.forged++
		}
	}))
	t.Cleanup(h.Close)
	return h
}

// got counts the notices of a kind.
func (h *hook) got(kind string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, b := range h.bodies {
		var x struct{ Kind string }
		if json.Unmarshal([]byte(b), &x) == nil && x.Kind == kind {
			n++
		}
	}
	return n
}

func (h *hook) all() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.bodies, "\n")
}

// marked are rows, people and words that must appear nowhere outside of the
// databases.
const marked = `
CREATE TABLE prospects (id INTEGER PRIMARY KEY, email TEXT, status TEXT, created_at TEXT);
CREATE INDEX prospects_created ON prospects (created_at);
CREATE TABLE interactions (id INTEGER PRIMARY KEY, prospect_id INTEGER REFERENCES prospects (id), occurred_at TEXT);
CREATE INDEX interactions_prospect ON interactions (prospect_id, occurred_at);
CREATE TABLE logs (id TEXT PRIMARY KEY, who TEXT, at TEXT);
INSERT INTO prospects VALUES (900000001, 'zqmarker@example.org', 'zqmarker', '2015-03-01 10:00:00'), (900000002, 'zqmarker2@example.org', 'zqmarker', '2016-05-02 10:00:00');
INSERT INTO logs VALUES ('zqmarker-1', 'zqmarker', '2015-01-01 10:00:00'), ('zqmarker-2', 'zqmarker', '2015-01-02 10:00:00');
`

const markedPolicy = siteHead + "schedule: \"* * * * *\"\ndatasets:\n" +
	"  prospects:\n    table: prospects\n    subject: {person: id}\n    children:\n      - {table: interactions, on: {prospect_id: id}, then: delete}\n" +
	"  logs: {table: logs, subject: {login: who}}\n" + `rules:
  - {id: prospects, title: Prospects, dataset: prospects, where: {status: zqmarker}, from: created_at, keep: 3 years, then: delete, approve: never}
  - {id: logs, title: Logs, dataset: logs, from: at, keep: 1 year, then: delete}
`

// A daemon at work shows health and metrics, tells of a plan that waits by webhook
// and mail, once each, and nothing that it shows, logs or tells holds a row, a
// person, a matter or a reason.
func TestServeShowsAndTellsNobodysData(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, markedPolicy, marked)
	s.exec("crm.db", "CREATE TRIGGER stop BEFORE DELETE ON prospects WHEN old.id = 900000002 BEGIN SELECT raise(ABORT, 'zqmarker says no'); END")
	s.do(exitOK, "hold", "place", "--matter", "zqmatter", "--subject", "login:zqmarker", "--subject", "person:900000001", "--reason", "zqreason", "--by", "zqby",
		"--review", "2020-01-01")
	s.exec("crm.db", "INSERT INTO logs VALUES ('zqmarker-3', 'zqother', '2015-01-02 10:00:00')")
	hook := newHook(t, "zqsecret")
	mails, err := servers.StartMail(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer mails.Close()
	at := listener(t)
	s.write("retentiond.yaml", siteConfig+fmt.Sprintf("notify:\n  webhook: {url: %q, secret: zqsecret}\n  mail: {server: %q, from: r@example.org, to: [dpo@example.org]}\n", hook.URL, mails.Addr))
	d := s.serve(soon(4*time.Second), "RETENTIOND_HTTP_LISTEN="+at)
	until(t, "it is not ready", func() bool { code, _ := asks(at, "/readyz"); return code == http.StatusOK })
	until(t, "nobody was told of the plan that waits", func() bool { return hook.got("approval") > 0 })
	until(t, "nobody was told of the hold's review", func() bool { return hook.got("hold_review") > 0 })
	until(t, "no mail came", func() bool { return len(mails.Mails()) > 0 })
	var metrics string
	until(t, "no metrics of the run", func() bool {
		_, metrics = asks(at, "/metrics")
		return strings.Contains(metrics, `retentiond_overdue_rows{policy="shop",rule="logs",source="crm"} 1`)
	})
	for _, want := range []string{`retentiond_runs_total{policy="shop"`, `retentiond_refusals_total{code="approval",policy="shop",rule="logs"} 1`,
		"retentiond_plans_waiting 1", "retentiond_holds_review_due 1", `retentiond_source_up{source="crm"} 1`, `retentiond_rows{class="held",policy="shop",rule="logs",source="crm"} 2`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	if code, body := asks(at, "/healthz"); code != http.StatusOK {
		t.Errorf("/healthz: %d %s", code, body)
	}
	s.do(exitOK, "healthcheck", "--ready", "--address", at)
	_, ready := asks(at, "/readyz")
	d.stops(syscall.SIGTERM, exitOK)
	if n := hook.got("approval"); n != 1 || hook.forged > 0 {
		t.Errorf("%d notices of one plan, %d forged", n, hook.forged)
	}
	log, err := os.ReadFile(filepath.Join(s.dir, "audit.key.checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"the log": d.out.String(), "the metrics": metrics, "/readyz": ready, "notices": hook.all(), "mails": strings.Join(mails.Mails(), "\n"),
		"the audit log": s.query("state.db", "SELECT line FROM audit_entries"), "the checkpoint": string(log)} {
		for _, never := range []string{"zq", "90000000", "example.org'", "dpo@"} {
			if name == "mails" && never == "dpo@" {
				continue // whom it is for
			}
			if i := strings.Index(text, never); i >= 0 {
				t.Errorf("%s holds %q: …%s…", name, never, text[max(0, i-120):min(len(text), i+120)])
			}
		}
	}
}

// A daemon whose state store cannot be opened lives, says that it is not ready, and
// tells so; it needs no help once the store is back.
func TestServeSaysThatTheStoreIsDown(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, daemonPolicy, siteSQL)
	s.do(exitOK, "plan")
	s.save("aside", "state.db")
	s.remove("state.db")
	if err := os.Mkdir(s.path("state.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	hook := newHook(t, "")
	at := listener(t)
	d := s.start("RETENTIOND_HTTP_LISTEN="+at, "RETENTIOND_NOTIFY_WEBHOOK_URL="+hook.URL)
	until(t, "it does not say that the store is down", func() bool {
		code, body := asks(at, "/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(body, `"state":"down"`)
	})
	if code, _ := asks(at, "/healthz"); code != http.StatusOK {
		t.Errorf("a daemon that waits is not alive: %d", code)
	}
	until(t, "nobody was told", func() bool { return hook.got("state_down") == 1 })
	if _, metrics := asks(at, "/metrics"); !strings.Contains(metrics, "retentiond_state_up 0") {
		t.Error("the metrics do not say that the store is down")
	}
	if err := os.Remove(s.path("state.db")); err != nil {
		t.Fatal(err)
	}
	s.restore("aside", "state.db")
	until(t, "it did not come back", func() bool { code, _ := asks(at, "/readyz"); return code == http.StatusOK })
	d.stops(syscall.SIGTERM, exitOK)
}

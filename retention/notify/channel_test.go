package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

func sample() Notice {
	return Notice{Kind: Refusal, Cause: "refusal:shop/logs:limit_rows", Policy: "shop", Rule: "logs", Code: "limit_rows", Run: "r-1",
		Rows: 7, Text: "A run was refused: more rows than its limit — été.", Do: "Look.", At: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)}
}

func TestWebhookIsSigned(t *testing.T) {
	var got []byte
	var signature string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got, _ = io.ReadAll(r.Body)
		signature = r.Header.Get(SignatureHeader)
	}))
	defer s.Close()
	now := time.Date(2026, 3, 1, 10, 0, 5, 0, time.UTC)
	w, err := NewWebhook(s.URL, "s3cret", "example.org/retention", func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Send(t.Context(), sample()); err != nil {
		t.Fatal(err)
	}
	if signature != Sign("s3cret", now, got) || !strings.HasPrefix(signature, "t=1772359205,v1=") {
		t.Errorf("signature %q", signature)
	}
	if signature == Sign("other", now, got) || signature == Sign("s3cret", now.Add(time.Second), got) {
		t.Error("the signature covers neither secret nor time")
	}
	var b map[string]any
	if err := json.Unmarshal(got, &b); err != nil || b["kind"] != "refusal" || b["origin"] != "example.org/retention" || b["rows"] != 7.0 {
		t.Errorf("%v %s", err, got)
	}
}

// A receiver that is overloaded is asked again; one that refuses is not; and a
// redirect is not followed, since the body would go to somebody else.
func TestWebhookTriesAgain(t *testing.T) {
	var calls, elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	status := make(chan int, 4)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.Header().Set("Location", other.URL)
		w.WriteHeader(<-status)
	}))
	defer s.Close()
	w, err := NewWebhook(s.URL+"/?token=hidden", "", "o", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	status <- 503
	status <- 200
	if err := w.Send(t.Context(), sample()); err != nil || calls.Load() != 2 {
		t.Errorf("after an overload: %v, %d calls", err, calls.Load())
	}
	for _, code := range []int{400, 307} {
		calls.Store(0)
		status <- code
		if err := w.Send(t.Context(), sample()); err == nil || calls.Load() != 1 {
			t.Errorf("after %d: %v, %d calls", code, err, calls.Load())
		}
	}
	if elsewhere.Load() != 0 {
		t.Error("a redirect was followed")
	}
	s.Close()
	w.Patience = time.Millisecond
	if err := w.Send(t.Context(), sample()); err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("a receiver that is gone: %v", err)
	}
}

func TestWebhookAddress(t *testing.T) {
	for address, fine := range map[string]bool{
		"https://example.org/x": true, "http://127.0.0.1:9/x": true, "http://localhost:9/": true,
		"http://example.org/x": false, "ftp://example.org": false, "example.org": false, "": false, "https://": false,
	} {
		if _, err := NewWebhook(address, "", "", time.Now); (err == nil) != fine {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// trusted is a TLS configuration of a server on loopback, and a client's trust in it.
func trusted(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, &tls.Config{RootCAs: pool}
}

func mailTo(t *testing.T, server string, m Mail) *Mail {
	t.Helper()
	m.Server, m.From, m.To, m.Now = server, "retentiond@example.org", []string{"dpo@example.org", "ops@example.org"}, time.Now
	m.Origin = "example.org/retention"
	out, err := NewMail(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMailIsEncryptedAndReadable(t *testing.T) {
	server, client := trusted(t)
	s, err := servers.StartMail(server)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m := mailTo(t, s.Addr, Mail{TLS: client, User: "u", Password: "p"})
	if err := m.Send(t.Context(), sample()); err != nil {
		t.Fatal(err)
	}
	said := strings.Join(s.Lines(), "\n")
	if i, j := strings.Index(said, "STARTTLS"), strings.Index(said, "AUTH PLAIN"); i < 0 || j < i {
		t.Errorf("the password went before the encryption:\n%s", said)
	}
	mail := s.Mails()[0]
	for _, want := range []string{"Subject: [retentiond] refusal shop logs limit_rows", "To: dpo@example.org, ops@example.org", "=C3=A9t=C3=A9", "Rule:   logs", "Run:    r-1"} {
		if !strings.Contains(mail, want) {
			t.Errorf("no %q in\n%s", want, mail)
		}
	}
	// A server that cannot prove who it is gets nothing.
	m.TLS, m.Patience = nil, time.Millisecond
	if err := m.Send(t.Context(), sample()); err == nil || len(s.Mails()) != 1 {
		t.Errorf("an unknown certificate: %v", err)
	}
}

// Without encryption only a server on loopback is written to.
func TestMailInTheClear(t *testing.T) {
	s, err := servers.StartMail(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m := mailTo(t, s.Addr, Mail{})
	if err := m.Send(t.Context(), sample()); err != nil || len(s.Mails()) != 1 {
		t.Fatalf("on loopback: %v", err)
	}
	m.host = "mail.example.org" // the same server under a name that is not loopback's
	if err := m.Send(t.Context(), sample()); !errors.Is(err, errPlain) || len(s.Mails()) != 1 {
		t.Errorf("elsewhere: %v", err)
	}
	m.host = "127.0.0.1"
	s.Refuse("550 no such sender")
	began := time.Now()
	if err := m.Send(t.Context(), sample()); err == nil || time.Since(began) > 20*time.Second {
		t.Errorf("a refusal for good: %v", err)
	}
}

func TestMailAddresses(t *testing.T) {
	for _, bad := range []Mail{
		{Server: "mail.example.org", From: "a@b.example", To: []string{"c@d.example"}},
		{Server: "m:25", From: "a@b.example"},
		{Server: "m:25", From: "Ada <a@b.example>", To: []string{"c@d.example"}},
		{Server: "m:25", From: "a@b.example", To: []string{"c@d.example\r\nBcc: e@f.example"}},
	} {
		if _, err := NewMail(bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// A mail whose sending is cut off ends at once.
func TestMailCutOff(t *testing.T) {
	s, err := servers.StartMail(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Refuse("451 later")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := mailTo(t, s.Addr, Mail{}).Send(ctx, sample()); err == nil || time.Since(began) > 20*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}

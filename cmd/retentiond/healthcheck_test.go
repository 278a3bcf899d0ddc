package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/configs"
	"github.com/retentiond/retentiond/retention/console"
)

func TestHealthcheckAsksTheDaemon(t *testing.T) {
	instance := "another"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(console.InstanceHeader, instance)
		if r.URL.Path != "/healthz" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte(`{"path":"` + r.URL.Path + `"}`))
	}))
	defer s.Close()
	address := s.Listener.Addr().String()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "retentiond.yaml")
	if err := os.WriteFile(file, []byte("http: {listen: 0.0.0.0:"+port+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := answer(t, "--config", file, "healthcheck"); code != exitError || !strings.Contains(errs, "another process has the port") {
		t.Errorf("the daemon of another configuration: exit code %d: %s", code, errs)
	}
	cfg, err := configs.Load(file, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	instance = instanceOf(cfg)
	code, out, errs := answer(t, "--config", file, "healthcheck")
	if code != exitOK || !strings.Contains(out, "/healthz") {
		t.Errorf("alive: exit code %d: %s%s", code, out, errs)
	}
	code, out, errs = answer(t, "healthcheck", "--ready", "--address", address)
	if code != exitError || !strings.Contains(out, "/readyz") || !strings.Contains(errs, "503") {
		t.Errorf("not ready: exit code %d: %s%s", code, out, errs)
	}
	s.Close()
	if code, _, errs = answer(t, "healthcheck", "--address", address); code != exitError || !strings.Contains(errs, "does not answer") {
		t.Errorf("gone: exit code %d: %s", code, errs)
	}
}

func TestHealthcheckWithoutAnAddress(t *testing.T) {
	file := filepath.Join(t.TempDir(), "retentiond.yaml")
	if err := os.WriteFile(file, []byte("http: {listen: \"\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := answer(t, "--config", file, "healthcheck"); code != exitUsage || !strings.Contains(errs, "http.listen") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	if code, _, errs := answer(t, "healthcheck", "--address", "nowhere"); code != exitUsage {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// answer runs one command line in this process.
func answer(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, streams{In: strings.NewReader(""), Out: &o, Err: &e})
	return code, o.String(), e.String()
}

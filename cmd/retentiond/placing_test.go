package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// What a hold waits for is said once, and once more when it is over: a daemon asks each
// minute (L11).
func TestPlacingIsSaidOnce(t *testing.T) {
	t.Parallel()
	s := newTree(t, "logs/u1-20200101.log")
	s.do(exitOK, "check", "--install")
	s.rename("tree", "away")
	s.place("person:1", exitRefused)
	a := newApp(streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}, Env: os.Environ()})
	a.config = s.path("retentiond.yaml")
	h, err := a.open(t.Context())
	must(t, err)
	defer h.close()
	core, told := observer.New(zap.InfoLevel)
	h.engine.Log = zap.New(core)
	said := func(when, want string) {
		t.Helper()
		for range 3 {
			must(t, h.engine.Settle(t.Context()))
		}
		var got []string
		for _, e := range told.TakeAll() {
			got = append(got, e.Message)
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s it said %q, want %q", when, got, want)
		}
	}
	said("while the folder is away", "a hold is still placing")
	s.rename("away", "tree")
	said("once it is back", "a hold waits no more")
}

package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
)

// check shows every mistake of a policy that does not load, with place and hint; and
// commands about a person say that, not that nobody is of that type.
func TestBrokenPolicyIsTheMessage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bad := strings.NewReplacer("rules:", "ruless:", "timezone:", "timezon:").Replace(sitePolicy)
	if bad == sitePolicy {
		t.Fatal("the policy is not broken")
	}
	s.write("policies/shop.yaml", bad)
	s.do(exitUsage, "check").says("did you mean rules?", "did you mean timezone?", "shop.yaml:")
	for _, args := range [][]string{
		{"explain", "--subject", "person:42"},
		{"hold", "place", "--matter", "M", "--subject", "person:42", "--reason", "r", "--by", "Ada"},
	} {
		r := s.do(exitUsage, args...).says("did you mean rules?", "shop.yaml:")
		if strings.Contains(r.out+r.err, "no dataset has") {
			t.Errorf("%v: %s%s", args, r.out, r.err)
		}
	}
}

func TestFlagsInWords(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, tt := range []struct {
		args        []string
		says, never string
	}{
		{[]string{"status", "--log-level", "loud"}, "one of debug, info, warn, error", "one of ,"},
		{[]string{"demo", "--rows", "abc"}, `--rows "abc" is no whole number`, "strconv"},
	} {
		r := s.do(exitUsage, tt.args...).says(tt.says)
		if strings.Contains(r.out+r.err, tt.never) {
			t.Errorf("%v: %s%s", tt.args, r.out, r.err)
		}
	}
}

// A command that only looks has no batch at work: a stop is told as such, and is all
// there is to tell.
func TestInterruptedLook(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, args := range [][]string{{"plan"}, {"inventory"}, {"explain", "--subject", "person:42"}, {"audit", "verify"}} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var out, errs bytes.Buffer
		code := execute(ctx, newApp(streams{Out: &out, Err: &errs}), append([]string{"--config", s.path("retentiond.yaml")}, args...))
		if text := out.String() + errs.String(); code != exitInterrupted || !strings.Contains(text, "interrupted") || strings.Contains(text, "context canceled") {
			t.Errorf("%v: %d %s", args, code, text)
		}
	}
	for looks, want := range map[bool]string{true: "", false: "stopping after the batch at work; a second signal ends at once\n"} {
		var errs bytes.Buffer
		a := newApp(streams{Err: &errs})
		a.looks.Store(looks)
		signals, stopped := make(chan os.Signal, 1), make(chan struct{})
		go obey(signals, a, func() { close(stopped) })
		signals <- os.Interrupt
		if <-stopped; errs.String() != want {
			t.Errorf("looks %t: %q", looks, errs.String())
		}
	}
}

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// redactPolicy masks addresses after a month; logs go after a year.
const redactPolicy = `version: 1
policy: files
title: Files
controller: Example
timezone: Europe/Paris
source: tree
limits: {share: 100%, rows: 1000000}
datasets:
  logs:
    files: "logs/*"
    subject: {person: {name: '^u(?P<id>\d+)-'}}
rules:
  - id: addresses
    title: Addresses in logs
    dataset: logs
    from: {name: '-(?P<date>\d{8})'}
    approve: never
    stages:
      - {keep: 1 month, then: redact, columns: {content: {mask_ip: [24, 48]}}}
      - {keep: 10 years, then: delete}
`

func newLogs(t *testing.T) site {
	t.Helper()
	s := newTree(t)
	s.write("policies/files.yaml", redactPolicy)
	return s
}

func gzipped(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.Bytes()
}

// logOf is the text of a file, unpacked.
func (s site) logOf(name string) string {
	s.Helper()
	b, err := os.ReadFile(s.path("tree/" + name))
	must(s.T, err)
	if !strings.HasSuffix(name, ".gz") {
		return string(b)
	}
	r, err := gzip.NewReader(bytes.NewReader(b))
	must(s.T, err)
	text, err := io.ReadAll(r)
	must(s.T, err)
	return string(text)
}

// Addresses in due logs lose their host bits, once; what is held, young or not
// understood stays as it is, and a log that changes is due again (L3, L10, L11).
func TestFilesAreRedacted(t *testing.T) {
	t.Parallel()
	s := newLogs(t)
	day := time.Now().AddDate(0, -2, 0).Format("20060102")
	const line, masked = "203.0.113.45 - [2001:db8:1:2::5]:80\n", "203.0.113.0 - [2001:db8:1::]:80\n"
	young := "logs/u1-" + time.Now().Format("20060102")
	want := map[string]string{
		"logs/u1-" + day: masked + masked, "logs/u2-\n-" + day: masked, "logs/u1-" + day + ".gz": masked, "logs/u1-none-" + day: "no address\n",
		"logs/u7-" + day: line, young: line,
	}
	s.put("logs/u1-"+day, []byte(line+line))
	s.put("logs/u2-\n-"+day, []byte(line))
	s.put("logs/u1-"+day+".gz", gzipped(line))
	s.put("logs/u1-none-"+day, []byte("no address\n"))
	s.put("logs/u7-"+day, []byte(line))
	s.put(young, []byte(line))
	names := make([]string, 0, len(want))
	for n := range want {
		names = append(names, n)
	}
	slices.Sort(names)
	now := func() map[string]string {
		out := map[string]string{}
		for _, n := range names {
			out[n] = s.logOf(n)
		}
		return out
	}
	s.hold("person:7")
	s.do(exitOK, "plan", "--output", "json").is("steps/0/classes/due", "4", "steps/0/classes/held", "1", "steps/0/classes/active", "1", "steps/0/classes/total", "6")
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "4", "steps/1/done", "0")
	s.wantTree(names...)
	for n, text := range now() {
		if text != want[n] {
			t.Errorf("%q has\n%q, want\n%q", n, text, want[n])
		}
		st, err := os.Stat(s.path("tree/" + n))
		if must(t, err); !st.ModTime().Equal(time.Unix(1_600_000_000, 123_456_789)) || st.Mode().Perm() != 0o744 {
			t.Errorf("%q is of %v, %v", n, st.ModTime(), st.Mode())
		}
	}
	s.do(exitOK, "plan", "--output", "json").is("steps/0/classes/due", "0", "steps/0/classes/done", "4", "steps/0/classes/held", "1")
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "0")
	f, err := os.OpenFile(s.path("tree/logs/u1-"+day), os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteString("198.51.100.7\n")
	must(t, err)
	must(t, f.Close())
	s.put("logs/u3-bad-"+day+".gz", gzipped(line)[:30])
	s.do(exitPartial, "run", "--output", "json").is("steps/0/done", "1", "steps/0/spared/failed", "1").says("no text")
	if got := s.logOf("logs/u1-" + day); got != masked+masked+"198.51.100.0\n" {
		t.Errorf("the log that changed has %q", got)
	}
	s.do(exitOK, "audit", "verify")
	s.do(exitOK, "explain", "--dataset", "files/logs", "--key", young).says("active")
}

// A run that redacts files and is killed at any moment is settled exactly: a file is
// the old one or the new one, and what is audited is new (L7).
func TestFilesRedactCrash(t *testing.T) {
	t.Parallel()
	base := newLogs(t)
	day := time.Now().AddDate(0, -2, 0).Format("20060102")
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprintf("logs/u%d-%s", i, day))
		base.put(names[i], []byte("203.0.113.45 a\n"))
	}
	slices.Sort(names)
	for _, at := range []string{"journalled:1", "removing:1", "acted:1", "receipted:1", "committing:1", "committed:1", "concluded:1"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			s := site{T: t, dir: base.dir}.copyTree()
			cmd, out := retentiondProcess(t, s.dir, "run")
			cmd.Env = append(cmd.Env, envCrashAt+"="+at)
			if err := cmd.Run(); !killed(err) {
				t.Fatalf("it did not die: %v: %s", err, out)
			}
			count := func(text string) (n int64) {
				for _, name := range names {
					if s.logOf(name) == text {
						n++
					}
				}
				return n
			}
			anew := count("203.0.113.0 a\n")
			if anew+count("203.0.113.45 a\n") != int64(len(names)) {
				t.Error("some file is neither the old one nor the new one")
			}
			if done := audited(t, s.dir); done > anew {
				t.Errorf("%d are audited, %d are new", done, anew)
			}
			s.do(exitOK, "run")
			s.wantTree(names...)
			if got, done := count("203.0.113.0 a\n"), audited(t, s.dir); got != int64(len(names)) || done < got || done > got+anew {
				t.Errorf("%d of %d are new, %d are audited", got, len(names), done)
			}
			s.do(exitOK, "audit", "verify")
			s.do(exitOK, "inventory")
		})
	}
}

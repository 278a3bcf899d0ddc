package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// perFolder is how many files lie in each folder of the tree; two of five are due.
const perFolder = 1000

const (
	filesConfig = `state: sqlite:./state.db
policies: ./policies
sources: {tree: {driver: files, root: "%s", throttle: {rate: unlimited}}}
audit: {origin: bench.example/retention, key_file: ./audit.key}
`
	filesPolicy = `version: 1
policy: bench
title: Bench
controller: Bench
timezone: UTC
source: tree
limits: {rows: 1000000000, share: 100%%}
datasets:
  logs: {files: "**/*.log"%s}
rules:
  - {id: logs, title: Logs, dataset: logs, from: %s, keep: 365 days, then: delete, approve: never}
`
)

// BenchmarkFiles is retentiond beside `find -delete` with the same test, on trees that
// are alike, in folders where files that are due lie between others. The time of ours
// is that of the whole command: find walks and tests within its own.
func BenchmarkFiles(b *testing.B) {
	n := rowsOr(b, 100_000)
	fresh := func(b *testing.B) *place { return newTree(b, n) }
	for name, from := range map[string]string{"Modified": "modified", "Name": "{name: '-(?P<date>\\d{8})-'}"} {
		b.Run(name, func(b *testing.B) {
			contest{title: fmt.Sprintf("files, %d, clock: %s", n, from), fresh: fresh, ways: []way{
				{name: "retentiond", do: filesOurs(from, ", subject: none, why: of nobody")},
				{name: "find -delete", reach: 0.7, do: findDelete},
			}}.run(b)
		})
	}
	b.Run("Subject", func(b *testing.B) {
		contest{title: fmt.Sprintf("files, %d, with a subject in the name", n), fresh: fresh, ways: []way{
			{name: "retentiond", do: filesOurs("modified", `, subject: {person: {name: '^u(?P<id>\d+)-'}}`)},
			{name: "find -delete", reach: 0.7, do: findDelete},
		}}.run(b)
	})
}

// newTree makes the files, and waits until they are written: no way pays for the making.
func newTree(b *testing.B, n int) *place {
	b.Helper()
	dir, err := os.MkdirTemp(b.TempDir(), "tree")
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		folder := filepath.Join(dir, fmt.Sprintf("%04d", i/perFolder))
		at := cutoff().AddDate(0, 0, 1+i%300)
		if i%5 < 2 {
			at = cutoff().AddDate(0, 0, -1-i%300)
		}
		if i%perFolder == 0 {
			if err := os.Mkdir(folder, 0o755); err != nil {
				b.Fatal(err)
			}
		}
		file := filepath.Join(folder, fmt.Sprintf("u%d-%s-%07d.log", i%customers, at.Format("20060102"), i))
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			b.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			b.Fatal(err)
		}
	}
	syscall.Sync()
	p := &place{dsn: dir, logged: func(*testing.B) int64 { return 0 }}
	p.drop = func(b *testing.B) {
		b.Helper()
		if err := os.RemoveAll(dir); err != nil {
			b.Fatal(err)
		}
	}
	return p
}

func findDelete(b *testing.B, p *place) effort {
	b.Helper()
	cmd := exec.Command("find", p.dsn, "-type", "f", "-name", "*.log", "!", "-newermt", cutoff().Add(-time.Second).Format("2006-01-02 15:04:05 UTC"), "-printf", "x", "-delete")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	began := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("find: %v: %s", err, errs.String())
	}
	e := effort{rows: int64(out.Len()), took: time.Since(began), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	return e
}

func filesOurs(from, subject string) func(*testing.B, *place) effort {
	return func(b *testing.B, p *place) effort {
		b.Helper()
		dir := b.TempDir()
		file := filepath.Join(dir, "retentiond.yaml")
		write(b, file, fmt.Sprintf(filesConfig, p.dsn))
		write(b, filepath.Join(dir, "policies", "bench.yaml"), fmt.Sprintf(filesPolicy, subject, from))
		command(b, "--config", file, "check", "--install")
		out, u := command(b, "--config", file, "--output", "json", "run", "--as-of", today.Format(time.RFC3339))
		var report struct {
			Verdict string
			Steps   []struct{ Done int64 }
		}
		if err := json.Unmarshal([]byte(out), &report); err != nil || report.Verdict != "ok" || len(report.Steps) != 1 {
			b.Fatalf("the run is not ok (%v):\n%.3000s", err, out)
		}
		return effort{rows: report.Steps[0].Done, took: u.took, cpu: u.cpu, peak: u.peak}
	}
}

package main

import (
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// chatPolicy is a chat that is cleared every minute, beside a table with much to do.
const chatPolicy = `version: 1
policy: chat
title: Chat
controller: Shop
timezone: Europe/Paris
source: bulk
schedule: "* * * * *"
limits: {rows: 1000000, share: 100%}
datasets:
  messages: {table: messages, subject: {person: id}}
rules:
  - {id: messages, title: Messages, dataset: messages, from: at, keep: 0 seconds, then: delete, approve: never}
`

// envChat is how many slots people measure by hand.
const envChat = "RETENTIOND_CHAT"

// chatLimits are what is promised, and what a machine that does other things at the
// same time takes.
const (
	chatLatency = 10 * time.Second
	idleKiB     = 64 << 10
	workKiB     = 128 << 10
)

// A rule of zero seconds under a schedule of every minute: from when the slot is due
// to when its rows are gone, with a figure of it; and what the daemon needs of memory
// while nothing happens, and once it has deleted 200,000 rows.
func TestServeChat(t *testing.T) {
	t.Parallel()
	dir, db := bulk(t, 200_000)
	s := site{T: t, dir: dir}
	s.write("retentiond.yaml", strings.Replace(bulkConfig, "./policy.yaml", "./policies", 1)+"\nhttp: {listen: 127.0.0.1:0}\n")
	s.write("policies/chat.yaml", chatPolicy)
	for _, q := range []string{"CREATE TABLE messages (id INTEGER PRIMARY KEY, at TEXT)", "CREATE INDEX messages_at ON messages (at)"} {
		_, err := db.Exec(q)
		must(t, err)
	}
	slots, err := strconv.Atoi("0" + os.Getenv(envChat))
	must(t, err)
	d := s.serve(soon(20 * time.Second))
	time.Sleep(5 * time.Second)
	idle := statusKiB(t, d.cmd.Process.Pid, "VmRSS")
	var begun, gone []time.Duration
	for range max(1, slots) {
		g, b := d.clears(db)
		gone, begun = append(gone, g), append(begun, b)
	}
	slices.Sort(begun)
	slices.Sort(gone)
	s.write("policies/bulk.yaml", strings.Replace(s.read("policy.yaml"), "\ndatasets:", "\nschedule: \"* * * * *\"\ndatasets:", 1))
	d.says("policies changed: policy bulk is new")
	s.exec("state.db", "UPDATE schedules SET fired = fired - 60000000 WHERE policy = 'bulk'")
	d.says("a plan waits for approval")
	s.do(exitOK, "approve", s.query("state.db", "SELECT plan FROM parked"), "--by", "Ada", "--reason", "checked")
	s.exec("state.db", "UPDATE schedules SET fired = fired - 60000000 WHERE policy = 'bulk'")
	until(t, "the rows were not deleted", func() bool { return left(t, db) == 0 })
	peak := statusKiB(t, d.cmd.Process.Pid, "VmHWM")
	d.stops(syscall.SIGTERM, exitOK)
	t.Logf("from due to begun: %s, at most %s; to the last row gone: %s, at most %s; memory: %d MiB idle, %d MiB at work", begun[len(begun)/2], begun[len(begun)-1],
		gone[len(gone)/2], gone[len(gone)-1], idle>>10, peak>>10)
	if worst := gone[len(gone)-1]; worst > chatLatency {
		t.Errorf("rows were gone %s after their slot was due", worst)
	}
	if idle > idleKiB || peak > workKiB {
		t.Errorf("memory: %d KiB idle, %d KiB at work", idle, peak)
	}
}

// clears writes messages, and says how long after the next slot was due they were gone,
// and its run began. The daemon's clock is its own: what it logs counts.
func (d daemonProcess) clears(db *sql.DB) (gone, begun time.Duration) {
	d.Helper()
	_, err := db.Exec("INSERT INTO messages (at) SELECT '2026-01-01 00:00:00' FROM logs LIMIT 1000")
	must(d.T, err)
	fired := strings.Count(d.out.String(), "a slot is due")
	until(d.T, "no slot came", func() bool { return strings.Count(d.out.String(), "a slot is due") > fired })
	due := time.Now()
	until(d.T, "the messages are still there", func() bool {
		var n int
		must(d.T, db.QueryRow("SELECT count(*) FROM messages").Scan(&n))
		return n == 0
	})
	gone = time.Since(due)
	var last string
	for line := range strings.SplitSeq(d.out.String(), "\n") {
		if _, text, ok := strings.Cut(line, `"latency":`); ok {
			last, _, _ = strings.Cut(text, "}")
		}
	}
	seconds, err := strconv.ParseFloat(last, 64)
	must(d.T, err)
	return (gone + time.Duration(seconds*float64(time.Second))).Round(time.Millisecond), time.Duration(seconds * float64(time.Second)).Round(time.Millisecond)
}

// statusKiB is a figure of a process.
func statusKiB(t *testing.T, pid int, what string) (kib int64) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	for line := range strings.SplitSeq(string(text), "\n") {
		if f := strings.Fields(line); len(f) == 3 && f[0] == what+":" {
			kib, err = strconv.ParseInt(f[1], 10, 64)
			must(t, err)
		}
	}
	return kib
}

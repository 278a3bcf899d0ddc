package state

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// process tells one process from all others of the same host, so that a reused
// pid is not taken for its owner.
type process struct {
	space string // host, boot and pid namespace
	pid   int
	start string // start time in clock ticks since boot; empty: unknown
}

func thisProcess() process {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		boot = []byte("?")
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		space = "?"
	}
	start, _ := startOf(os.Getpid())
	return process{fmt.Sprintf("%s|%s|%s", host, bytes.TrimSpace(boot), space), os.Getpid(), start}
}

// String is how a process is stored.
func (p process) String() string { return fmt.Sprintf("%s|%d|%s", p.space, p.pid, p.start) }

func parseProcess(s string) (p process, ok bool) {
	rest, start, ok1 := cutLast(s)
	space, pid, ok2 := cutLast(rest)
	n, err := strconv.Atoi(pid)
	return process{space, n, start}, ok1 && ok2 && err == nil
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '|')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// gone reports whether owner is surely dead: a process of p's own host, boot and
// pid namespace that runs no more. Where that cannot be known, it is not gone.
func (p process) gone(owner string) bool {
	o, ok := parseProcess(owner)
	if !ok || o.start == "" || p.start == "" || o.space != p.space {
		return false
	}
	start, alive := startOf(o.pid)
	return !alive || start != o.start
}

// startOf reads a process's start time; alive = false where there is no such
// process, or only its remains (a zombie).
func startOf(pid int) (start string, alive bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", !os.IsNotExist(err)
	}
	// The command's name is in parentheses and may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const state, starttime = 0, 19
	if len(fields) <= starttime {
		return "", true
	}
	return fields[starttime], fields[state] != "Z" && fields[state] != "X"
}

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// plainName is how the program is called where it is simply on the PATH.
const plainName = "retentiond"

// programName is how a person calls this program again: as it was typed, by its
// name alone where the PATH finds that same file, or with `go run`.
func programName(arg0 string) string {
	if underGoRun(arg0) {
		return "go run ./cmd/retentiond"
	}
	if arg0 == "" {
		return plainName
	}
	if !strings.ContainsRune(filepath.ToSlash(arg0), '/') {
		return quote(arg0)
	}
	if onPath(arg0) {
		return quote(filepath.Base(arg0))
	}
	return quote(arg0)
}

// underGoRun reports whether `go run` built the program for this one call.
func underGoRun(arg0 string) bool {
	path := filepath.ToSlash(arg0)
	return strings.Contains(path, "/go-build") && strings.Contains(path, "/exe/")
}

func onPath(arg0 string) bool {
	found, err := exec.LookPath(filepath.Base(arg0))
	if err != nil {
		return false
	}
	a, errA := os.Stat(found)
	b, errB := os.Stat(arg0)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// program is how this command line's program is called.
func (a *app) program() string {
	if a.Prog == "" {
		return plainName
	}
	return a.Prog
}

// command is a command of ours as texts name it, with what stands before it and
// whether its help is meant: a name behind a slash is one already rewritten.
var command = regexp.MustCompile(`(^|[^/\w.-])retentiond ((approve|archive|audit|check|completion|demo|explain|hold|init|inventory|plan|policy|` +
	`reject|resume|run|runs|serve|status|stop-all|version|--help)\b(?: [a-z]+)?( --help)?)`)

// typed rewrites the commands in a text, so that each can be copied and run: with
// this program's name, and this command line's configuration where it is read.
func (a *app) typed(text string) string {
	return command.ReplaceAllStringFunc(text, func(s string) string {
		m := command.FindStringSubmatch(s)
		switch m[3] {
		case "completion", "demo", "init", "version", "--help":
			return m[1] + a.program() + " " + m[2]
		}
		if m[4] != "" {
			return m[1] + a.program() + " " + m[2]
		}
		return m[1] + a.retry("%s", m[2])
	})
}

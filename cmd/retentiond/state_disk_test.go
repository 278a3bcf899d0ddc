package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// envFileSize makes the process under test fail every write beyond that many
// bytes of a file, as a quota or a full disk does.
const envFileSize = "TEST_RETENTIOND_FSIZE"

// limitFiles is called by TestMain in the process under test.
func limitFiles() {
	n, err := strconv.ParseUint(os.Getenv(envFileSize), 10, 64)
	if err != nil {
		return
	}
	signal.Ignore(syscall.SIGXFSZ) // so that the write itself fails
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
		fmt.Fprintln(os.Stderr, "limit files:", err)
		os.Exit(99)
	}
}

// A store that can be written no more, at whatever point of the run: it says so,
// what was done is audited once there is room, and the log verifies (L7).
func TestStateOverQuota(t *testing.T) {
	t.Parallel()
	const rows = 3000
	for _, kib := range []int{0, 4, 32, 64, 128, 192} {
		t.Run(fmt.Sprint(kib, " KiB"), func(t *testing.T) {
			t.Parallel()
			dir, db := bulk(t, rows)
			first, said := retentiondProcess(t, dir, "plan")
			if err := first.Run(); err != nil {
				t.Fatalf("plan: %v: %s", err, said)
			}
			cmd, out := retentiondProcess(t, dir, "run", "--approve", "--by", "Ada")
			cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", envFileSize, kib<<10))
			code := exitCode(cmd.Run())
			if code != exitError && code != exitPartial && code != exitRefused && !(code == exitOK && left(t, db) == 0) || strings.Contains(out.String(), "goroutine") {
				t.Fatalf("exit code %d: %s", code, out)
			}
			if kib == 0 && (left(t, db) != rows || !strings.Contains(out.String(), "make room")) {
				t.Errorf("%d rows left; %s", left(t, db), out)
			}
			next, out := retentiondProcess(t, dir, "run", "--approve", "--by", "Ada")
			if err := next.Run(); err != nil {
				t.Fatalf("with room again: %v: %s", err, out)
			}
			if rest, done := left(t, db), audited(t, dir); rest != 0 || done != rows {
				t.Errorf("%d rows left, %d of %d audited", rest, done, rows)
			}
			verify, out := retentiondProcess(t, dir, "audit", "verify")
			if err := verify.Run(); err != nil {
				t.Errorf("audit verify: %v: %s", err, out)
			}
		})
	}
}

// A disk that is really full, where this user may mount one; the quota above is
// the same for the others.
func TestStateOnAFullDisk(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.write("disk/keep", "")
	if err := syscall.Mount("tmpfs", s.path("disk"), "tmpfs", 0, "size=1m"); err != nil {
		if os.Geteuid() == 0 && !errors.Is(err, syscall.EPERM) {
			t.Fatal(err)
		}
		t.Logf("no disk of its own (%v): TestStateOverQuota stands in", err)
		return
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(s.path("disk"), 0); err != nil {
			t.Error(err)
		}
	})
	s.write("retentiond.yaml", strings.NewReplacer("./state.db", "./disk/state.db", "./audit.key", "./disk/audit.key").Replace(siteConfig))
	s.do(exitOK, "plan")
	fill(t, s.path("disk/ballast"))
	s.untouched("crm.db", func() {
		s.do(exitError, "run", "--approve", "--by", "Ada").oneError("disk is full", "make room")
		s.do(exitError, "hold", "place", "--matter", "M", "--subject", "person:1", "--reason", "r", "--by", "Ada").oneError("disk is full", "make room")
	})
	s.remove("disk/ballast")
	s.approve().is("steps/0/done", "2")
	s.do(exitOK, "audit", "verify")
}

// fill writes until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, n := range []int{4096, 1} {
		for b := make([]byte, n); err == nil; {
			_, err = f.Write(b)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		err = nil
	}
}

// asNobody runs retentiond as a user who owns nothing: root may write anywhere.
func asNobody(s site, want int, args ...string) reply {
	s.Helper()
	cmd, _ := retentiondProcess(s.T, "", append([]string{"--config", s.path("retentiond.yaml")}, args...)...)
	if os.Geteuid() == 0 {
		self, err := os.Open(cmd.Path)
		if err != nil {
			s.Fatal(err)
		}
		defer self.Close()
		// Its directory is root's alone: the file is handed over open.
		cmd.Path, cmd.ExtraFiles = "/proc/self/fd/3", []*os.File{self}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if cmd.ProcessState == nil {
		s.Fatal(err)
	}
	return reply{s.T, exitCode(err), out.String(), errs.String()}.wants(want, args)
}

// readable lets everybody read the site, and nobody write.
func readable(s site) {
	s.Helper()
	for _, dir := range []string{filepath.Dir(s.dir), s.dir} {
		if err := os.Chmod(dir, 0o755); err != nil {
			s.Fatal(err)
		}
	}
	err := filepath.Walk(s.dir, func(p string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			err = os.Chmod(p, 0o444)
		} else if err == nil {
			err = os.Chmod(p, 0o555)
		}
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = os.Chmod(s.dir, 0o755) }) // so that it can be removed
}

func chmod(s site, mode os.FileMode, names ...string) {
	s.Helper()
	for _, n := range names {
		if err := os.Chmod(s.path(n), mode); err != nil {
			s.Fatal(err)
		}
	}
}

// What this user may not read or write is said, with what would help.
func TestNoPermission(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, says, remedy string
		make               func(s site)
	}{
		{"state read-only", "read-only", "make both writable", func(s site) {}},
		{"state unreadable", "cannot be opened", "who may write there", func(s site) { chmod(s, 0, "state.db") }},
		{"no state yet, and nowhere to make it", "permission denied", "", func(s site) {
			chmod(s, 0o755, ".")
			s.remove("state.db")
			chmod(s, 0o555, ".")
		}},
		{"key unreadable", "read audit key file", "permission denied", func(s site) { chmod(s, 0, "audit.key") }},
		{"no key yet, and nowhere to make it", "", "", func(s site) {
			chmod(s, 0o755, ".")
			s.remove("audit.key")
			chmod(s, 0o555, ".")
		}},
		{"policies unreadable", "policies", "permission denied", func(s site) { chmod(s, 0, "policies") }},
		{"configuration unreadable", "retentiond.yaml", "permission denied", func(s site) { chmod(s, 0, "retentiond.yaml") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := lived(t)
			before := s.content("crm.db")
			readable(s)
			tt.make(s)
			code := exitError
			if strings.HasPrefix(tt.name, "configuration") {
				code = exitUsage
			}
			asNobody(s, code, "run").oneError(tt.says, tt.remedy)
			chmod(s, 0o755, ".")
			if after := s.content("crm.db"); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("changed: %v", after)
			}
		})
	}
}

// A source that may only be read can be planned, which needs SELECT alone (L5),
// and is refused before the first write.
func TestSourceReadOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.exec("crm.db", "PRAGMA journal_mode=DELETE")
	s.write("own/retentiond.yaml", strings.NewReplacer("./policies", "../policies", "./crm.db", "../crm.db").Replace(siteConfig))
	readable(s)
	own := site{T: t, dir: s.path("own")}
	if err := os.Chmod(own.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	asNobody(own, exitOK, "plan", "--output", "json").is("steps/0/classes/due", "2")
	r := asNobody(own, exitRefused, "run", "--approve", "--by", "Ada", "--output", "json").is("refusals/0/code", "source_down", "steps", "[]")
	r.says("read-only", "write permission")
	chmod(s, 0o755, ".")
	if got := s.ids(); got != "1 2 3 4 5 6" {
		t.Errorf("rows %s", got)
	}
}

// maxRSS is the peak memory of a process that ended, in KiB.
func maxRSS(p *os.ProcessState) int64 {
	if u, ok := p.SysUsage().(*syscall.Rusage); ok {
		return u.Maxrss
	}
	return 0
}

package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// retentiondProcess is a command line in a process of its own.
func retentiondProcess(t *testing.T, dir string, args ...string) (cmd *exec.Cmd, out *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out = &bytes.Buffer{}
	cmd = &exec.Cmd{Path: self, Args: append([]string{"retentiond"}, args...), Dir: dir, Stdout: out, Stderr: out, Env: os.Environ()}
	return cmd, out
}

// afterFirstBatch waits until some of the rows are gone.
func afterFirstBatch(t *testing.T, db *sql.DB, rows int64) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		var n int64
		if err := db.QueryRow("SELECT count(*) FROM logs").Scan(&n); err == nil && n < rows {
			return
		}
	}
	t.Fatal("no batch was done within a minute")
}

// audited is the sum of what the audit log says was done.
func audited(t *testing.T, dir string) (n int64) {
	t.Helper()
	var out, errs bytes.Buffer
	args := []string{"--config", filepath.Join(dir, "retentiond.yaml"), "--output", "json", "audit", "list"}
	if code := run(context.Background(), args, streams{In: strings.NewReader(""), Out: &out, Err: &errs}); code != exitOK {
		t.Fatalf("audit list: exit code %d: %s", code, errs.String())
	}
	var log struct {
		Entries []struct {
			Kind string
			Done int64
		}
	}
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	for _, e := range log.Entries {
		if e.Kind == "batch.outcome" || e.Kind == "batch.settled" {
			n += e.Done
		}
	}
	return n
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// One signal stops between batches, with exit 130 and a report.
func TestSignalStopsBetweenBatches(t *testing.T) {
	const rows = 40_000
	dir, db := bulk(t, rows)
	cmd, out := retentiondProcess(t, dir, "run", "--approve", "--by", "Ada")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	afterFirstBatch(t, db, rows)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(cmd.Wait()); code != exitInterrupted {
		t.Fatalf("exit code %d, want %d: %s", code, exitInterrupted, out)
	}
	if !strings.Contains(out.String(), "Interrupted.") || !strings.Contains(out.String(), "stopping after the batch at work") {
		t.Errorf("output %s", out)
	}
	if rest := left(t, db); rest == 0 || audited(t, dir) != rows-rest {
		t.Errorf("%d rows left of %d, %d audited", rest, rows, audited(t, dir))
	}
}

// A process that dies leaves an intent at most; the next run settles it, and
// the log adds up to the rows that went (L7).
func TestKilledRunIsSettled(t *testing.T) {
	const rows = 40_000
	dir, db := bulk(t, rows)
	cmd, out := retentiondProcess(t, dir, "run", "--approve", "--by", "Ada")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	afterFirstBatch(t, db, rows)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if rest := left(t, db); rest == 0 {
		t.Fatalf("nothing was left to settle: %s", out)
	}
	next, out := retentiondProcess(t, dir, "run")
	if err := next.Run(); err != nil {
		t.Fatalf("the run after: %v: %s", err, out)
	}
	if rest, done := left(t, db), audited(t, dir); rest != 0 || done != rows {
		t.Errorf("%d rows left, %d of %d audited", rest, done, rows)
	}
	verify, out := retentiondProcess(t, dir, "audit", "verify")
	if err := verify.Run(); err != nil {
		t.Errorf("audit verify: %v: %s", err, out)
	}
}

// Two runs never work side by side; a hold is placed beside a working one,
// and from its return on no held row goes (L3).
func TestBesideAWorkingRun(t *testing.T) {
	const rows = 60_000
	dir, db := bulk(t, rows)
	cmd, out := retentiondProcess(t, dir, "run", "--approve", "--by", "Ada")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	afterFirstBatch(t, db, rows)
	second, said := retentiondProcess(t, dir, "run", "--output", "json")
	if code := exitCode(second.Run()); code != exitError || !strings.Contains(said.String(), `"busy"`) {
		t.Errorf("a second run: exit code %d: %s", code, said)
	}
	hold, said := retentiondProcess(t, dir, "hold", "place", "--matter", "M1", "--dataset", "bulk/logs", "--reason", "claim", "--by", "Ada")
	began := time.Now()
	if err := hold.Run(); err != nil {
		t.Fatalf("hold place: %v: %s", err, said)
	}
	took, held := time.Since(began), left(t, db)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the run: %v: %s", err, out)
	}
	if rest := left(t, db); rest != held {
		t.Errorf("%d rows were there when the hold was in force, %d after the run", held, rest)
	}
	if held == 0 {
		t.Error("the run was over before the hold: nothing was tested")
	}
	if took > 5*time.Second {
		t.Errorf("hold place took %s, at most 5 s are promised", took)
	}
}

// until waits for something that comes within a minute.
func until(t *testing.T, not string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s within two minutes", not)
		}
	}
}

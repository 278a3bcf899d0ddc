package main

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// TestCrash kills a run at every point that it passes, and asks for every law
// before and after the next run (L6, L7): at its first, second and last pass in
// one world, at the second of those of a batch in the others, and on servers where
// they do otherwise than delete; RETENTIOND_CRASHES asks for all.
func TestCrash(t *testing.T) {
	worlds := crashWorlds()
	for _, name := range []string{"delete", "redact", "archive", "sealed", "elsewhere", "elsewhere-end"} {
		for _, on := range onServers() {
			worlds = append(worlds, worldOn(on, name))
		}
	}
	worlds = append(worlds, partitionWorld(), mariaPartitionWorld())
	for _, w := range worlds {
		t.Run(w.title(), func(t *testing.T) {
			t.Parallel()
			tp := w.make(t)
			every := os.Getenv(envCrashes) != "" || w.on.server == nil && w.name == "delete"
			for _, p := range retention.Points() {
				if !every && (p < retention.PointIntended || p > retention.PointConcluded) {
					continue
				}
				if !every && w.on.server != nil && !slices.Contains(ownPoints(w), p) {
					continue
				}
				for i, nth := range passes(tp.counts[p], every) {
					byPlan := (int(p)+i)%2 == 0 && nth <= 2 && w.dataset == "" && p != retention.PointSettling && p != retention.PointSettled // a plan's batches are others in number
					t.Run(fmt.Sprintf("%s:%d/plan=%t", p, nth, byPlan), func(t *testing.T) {
						tp.crash(t, fmt.Sprintf("%s:%d", p, nth), byPlan)
					})
				}
			}
		})
	}
}

// ownPoints are those at which a batch of the world does otherwise on a server than one
// of delete, or of rows alone.
func ownPoints(w crashWorld) []retention.Point {
	switch w.name {
	case "delete", "partitions":
		return retention.Points()
	case "redact":
		return []retention.Point{retention.PointActed, retention.PointCommitted}
	}
	return []retention.Point{retention.PointSealing, retention.PointCopied, retention.PointActed, retention.PointReceipted, retention.PointCommitting, retention.PointCommitted}
}

// envCrashes is how many crashes at random moments people ask for by hand.
const envCrashes = "RETENTIOND_CRASHES"

// passes are the first, the second and the last of n, or the second of them.
func passes(n int, every bool) []int {
	switch {
	case n == 0:
		return nil
	case n == 1:
		return []int{1}
	case !every:
		return []int{2}
	case n == 2:
		return []int{1, 2}
	}
	return []int{1, 2, n}
}

// crash is one trial: a process dies at the point, the laws hold, the next run
// does the rest, and the laws hold.
func (tp *template) crash(t *testing.T, at string, byPlan bool) {
	dir := tp.copy(t)
	before := tp.audited(t, dir)
	tp.dies(t, dir, envCrashAt+"="+at, tp.runArgs(t, dir, byPlan)...)
	tp.afterCrash(t, dir, before)
	tp.recovers(t, dir, byPlan, before)
}

// TestCrashTwice kills the run that settles what a killed run left.
func TestCrashTwice(t *testing.T) {
	for _, w := range []crashWorld{worldNamed("slices"), worldNamed("archive"), worldOn(onPostgres(), "delete"), worldOn(onMariaDB(), "archive")} {
		t.Run(w.title(), func(t *testing.T) {
			t.Parallel()
			tp := w.make(t)
			for _, first := range []string{"acted:2", "committed:2"} {
				seconds := []string{"settling", "settled", "concluded", "started"}
				if w.on.server != nil {
					seconds = seconds[:2]
				}
				for _, second := range seconds {
					t.Run(first+"/"+second, func(t *testing.T) {
						dir := tp.copy(t)
						before := tp.audited(t, dir)
						tp.dies(t, dir, envCrashAt+"="+first, tp.runArgs(t, dir, false)...)
						tp.dies(t, dir, envCrashAt+"="+second, tp.runArgs(t, dir, false)...)
						tp.afterCrash(t, dir, before)
						tp.recovers(t, dir, false, before)
					})
				}
			}
		})
	}
}

// TestCrashBeforeErase: what a killed run had no time to rewrite, the next one
// rewrites, though no row is left for it to take.
func TestCrashBeforeErase(t *testing.T) {
	t.Parallel()
	w := worldNamed("delete-rollback-journal")
	w.name, w.erase = "rewritten", "rewritten"
	w.final = append(w.final, "SELECT 'free pages' FROM pragma_freelist_count WHERE freelist_count > 0")
	tp := w.make(t)
	for _, at := range []string{"erasing:1", "committed:2", "ended:1"} {
		t.Run(at, func(t *testing.T) { tp.crash(t, at, false) })
	}
}

// worldOn is a world on another ground than a file.
func worldOn(on ground, name string) crashWorld {
	w := worldNamed(name)
	w.on = on
	return w
}

func (w crashWorld) title() string {
	if w.on.server == nil {
		return w.name
	}
	return w.on.driver + "-" + w.name
}

func worldNamed(name string) crashWorld {
	for _, w := range crashWorlds() {
		if w.name == name {
			return w
		}
	}
	return crashWorld{}
}

// TestCrashAnyTime kills runs at random moments, the beginnings of state store,
// gate and vault included. RETENTIOND_CRASHES=1000 asks for more.
func TestCrashAnyTime(t *testing.T) {
	trials := trialsOf(t, envCrashes, 30)
	worlds := []crashWorld{worldNamed("delete-rollback-journal"), worldNamed("slices"), worldNamed("anonymise"), worldNamed("archive"),
		worldOn(onPostgres(), "archive"), worldOn(onMariaDB(), "delete")}
	for _, w := range worlds {
		t.Run(w.title(), func(t *testing.T) {
			t.Parallel()
			tp := w.make(t)
			for i := range trials / len(worlds) {
				dir := tp.copy(t)
				before := tp.audited(t, dir)
				late := time.Duration(rand.Int64N(int64(500 * time.Millisecond)))
				cmd, out := retentiondProcess(t, dir, tp.runArgs(t, dir, i%2 == 0)...)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(late)
				_ = cmd.Process.Kill()
				if err := cmd.Wait(); err != nil && !killed(err) {
					t.Fatalf("after %s: %v: %s", late, err, out)
				}
				tp.afterCrash(t, dir, before)
				tp.recovers(t, dir, i%2 == 0, before)
				if t.Failed() {
					t.Fatalf("killed after %s", late)
				}
			}
		})
	}
}

// trialsOf is how many trials the environment asks for.
func trialsOf(t *testing.T, name string, least int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return least
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q", name, text)
	}
	return n
}

// dies runs a command that must be killed by itself.
func (tp *template) dies(t *testing.T, dir, env string, args ...string) {
	t.Helper()
	cmd, out := retentiondProcess(t, dir, args...)
	cmd.Env = append(cmd.Env, env)
	if err := cmd.Run(); !killed(err) {
		t.Fatalf("%s, %s: %v did not die: %v: %s", tp.name, env, args, err, out)
	}
}

func killed(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// afterCrash asks what must be true at any moment: nothing that is held or not
// due was touched, no child is without its parent, nothing went without an
// intent, and nothing is audited that did not happen.
func (tp *template) afterCrash(t *testing.T, dir string, before int64) {
	t.Helper()
	tp.none(t, dir, "after the crash", tp.always)
	done, acted := tp.audited(t, dir)-before, tp.actedOn(t, dir)
	open := tp.ofState(t, dir, "SELECT coalesce(sum(CASE planned WHEN -1 THEN 20000 ELSE planned END), 0) FROM intents WHERE concluded = 0")
	if done > acted || acted > done+open {
		t.Errorf("after the crash %d rows were acted on, %d are audited and %d intended", acted, done, open)
	}
}

// recovers runs until nothing is left, and asks for every law.
func (tp *template) recovers(t *testing.T, dir string, byPlan bool, before int64) {
	t.Helper()
	var out, errs bytes.Buffer
	args := append([]string{"--config", filepath.Join(dir, "retentiond.yaml"), "--output", "json"}, tp.runArgs(t, dir, byPlan)...)
	code := run(context.Background(), args, streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	switch {
	case byPlan && code == exitRefused && strings.Contains(out.String(), "expired_plan"): // it had ended
	case code != exitOK:
		t.Fatalf("the run after: exit code %d: %s%s", code, out.String(), errs.String())
	default:
		addsUp(t, out.Bytes())
	}
	addsUp(t, tp.commandIn(t, dir, exitOK, tp.dated("run")...))
	tp.none(t, dir, "in the end", append(slices.Clone(tp.always), tp.final...))
	if done, acted := tp.audited(t, dir)-before, tp.actedOn(t, dir); done != acted {
		t.Errorf("%d rows were acted on, %d are audited", acted, done)
	}
	tp.settledOnce(t, dir)
	tp.commandIn(t, dir, exitOK, "audit", "verify")
	tp.commandIn(t, dir, exitOK, tp.dated("inventory")...)
	tp.everyRunEnds(t, dir)
}

// everyRunEnds asks the list of runs for a verdict of each, also of those that were
// killed, and for the rows that the log says went.
func (tp *template) everyRunEnds(t *testing.T, dir string) {
	t.Helper()
	var doc struct{ Runs []runDoc }
	if err := json.Unmarshal(tp.commandIn(t, dir, exitOK, "runs", "list", "--limit", "1000"), &doc); err != nil {
		t.Fatal(err)
	}
	done, told := int64(0), true
	for _, r := range doc.Runs {
		done += r.Done
		// What a run said as it ended stays as it was said: a batch whose server died is
		// audited once a later run settles it.
		told = told && r.Verdict != nil && !slices.Contains([]retention.Verdict{retention.VerdictPartial, retention.VerdictFailed, retention.VerdictRefused}, retention.Verdict(*r.Verdict))
		if r.Verdict == nil {
			t.Errorf("run without a verdict, though nothing is at work: %+v", r)
		}
	}
	if audited := tp.audited(t, dir); done > audited || told && done != audited {
		t.Errorf("the runs' totals are %d rows, %d are audited: %+v", done, audited, doc.Runs)
	}
}

// addsUp asks of every step that planned = done + spared, and none failed.
func addsUp(t *testing.T, report []byte) {
	t.Helper()
	var r retention.RunReport
	if err := json.Unmarshal(report, &r); err != nil {
		t.Fatalf("%v: %s", err, report)
	}
	for _, s := range r.Steps {
		if s.Planned != s.Done+s.Spared.Sum() || s.Spared.Failed > 0 || s.Error != "" {
			t.Errorf("a step does not add up: %+v", s)
		}
	}
}

func (tp *template) onState(t *testing.T, dir string, do func(*sql.DB)) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "state.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	do(db)
}

// ofState is the one number that a query of the state store gives.
func (tp *template) ofState(t *testing.T, dir, q string) (n int64) {
	t.Helper()
	tp.onState(t, dir, func(db *sql.DB) {
		if err := db.QueryRow(q).Scan(&n); err != nil {
			t.Fatal(err)
		}
	})
	return n
}

// audited is the sum of what the audit log says was done.
func (tp *template) audited(t *testing.T, dir string) int64 {
	t.Helper()
	return tp.ofState(t, dir, "SELECT coalesce(sum(CAST(line AS TEXT) ->> '$.done'), 0) FROM audit_entries WHERE kind IN ('batch.outcome', 'batch.settled')")
}

// settled counts the batches whose outcome is known from the receipt alone.
func (tp *template) settled(t *testing.T, dir string) int {
	t.Helper()
	return int(tp.ofState(t, dir, "SELECT count(*) FROM audit_entries WHERE kind = 'batch.settled'"))
}

// openIntents counts the batches whose end is not known.
func (tp *template) openIntents(t *testing.T, dir string) int64 {
	t.Helper()
	return tp.ofState(t, dir, "SELECT count(*) FROM intents WHERE concluded = 0")
}

// settledOnce: no intent is open, none has two outcomes, and each receipt that is
// still there says what its outcome says.
func (tp *template) settledOnce(t *testing.T, dir string) {
	t.Helper()
	outcomes := map[string]string{}
	tp.onState(t, dir, func(db *sql.DB) {
		for _, q := range []string{
			"SELECT id FROM intents WHERE concluded = 0",
			"SELECT 'no outcome: ' || id FROM intents WHERE 1 <> (SELECT count(*) FROM audit_entries WHERE kind IN ('batch.outcome', 'batch.settled') AND instr(CAST(line AS TEXT), '\"' || id || '\"'))",
		} {
			if bad := query(t, db, q); len(bad) > 0 {
				t.Errorf("%d intents, such as %q, of %s", len(bad), bad[0], q)
			}
		}
		for _, line := range query(t, db, "SELECT id, outcome ->> '$.Done' FROM intents") {
			id, done, _ := strings.Cut(line, " ")
			outcomes[id] = done
		}
	})
	var receipts []string
	tp.onSource(t, dir, func(db *sql.DB) {
		rows := map[string]string{"mysql": "`rows`"}[tp.on.driver]
		receipts = query(t, db, "SELECT intent, state, "+cmp.Or(rows, "rows")+" FROM retentiond_receipt")
	})
	for _, line := range receipts {
		f := strings.Fields(line)
		if tp.ends && f[1] == "abandoned" { // whether its segment ended, the vault tells
			continue
		}
		if done, known := outcomes[f[0]]; !known || f[1] == "done" && done != f[2] || f[1] == "abandoned" && done != "0" {
			t.Errorf("receipt %q, but the outcome is %q", line, done)
		}
	}
}

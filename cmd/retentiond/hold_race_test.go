package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// placeArgs is a hold on persons, by number.
func placeArgs(persons ...int) []string {
	args := []string{"hold", "place", "--output", "json", "--matter", "race", "--reason", "claim", "--by", "Ada"}
	for _, p := range persons {
		args = append(args, "--subject", fmt.Sprintf("person:%d", p))
	}
	return args
}

// holdsAre asks for the states of all holds, in order of their placing.
func (tp *template) holdsAre(t *testing.T, dir, when string, want ...string) {
	t.Helper()
	var list struct {
		Holds []struct{ State string }
	}
	if err := json.Unmarshal(tp.commandIn(t, dir, exitOK, "hold", "list"), &list); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range list.Holds {
		got = append(got, h.State)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: the holds are %v, want %v", when, got, want)
	}
}

// stayed are queries that give no row where nothing of the persons is gone.
func stayed(persons ...int) []string {
	in := strings.Trim(strings.ReplaceAll(fmt.Sprint(persons), " ", ", "), "[]")
	return []string{
		"SELECT id FROM old.prospects WHERE person IN (" + in + ") EXCEPT SELECT id FROM prospects",
		"SELECT id FROM old.calls WHERE prospect IN (SELECT id FROM old.prospects WHERE person IN (" + in + ")) EXCEPT SELECT id FROM calls",
	}
}

// TestPlacerDies kills `hold place` between its steps: from the first on the
// hold is seen by every batch, and the next run, or the next hold, completes it
// (L3).
func TestPlacerDies(t *testing.T) {
	t.Parallel()
	for _, w := range []crashWorld{worldNamed("delete"), worldOn(onPostgres(), "delete"), worldOn(onMariaDB(), "delete")} {
		t.Run(w.title(), func(t *testing.T) {
			t.Parallel()
			w.make(t).placerDies(t)
		})
	}
}

func (tp *template) placerDies(t *testing.T) {
	for _, at := range []string{"placed", "passed", "marked", "in_force"} {
		t.Run(at, func(t *testing.T) {
			dir := tp.copy(t)
			state := map[bool]string{true: "in_force", false: "placing"}[at == "in_force"]
			tp.dies(t, dir, envCrashAt+"="+at, placeArgs(33, 44)...)
			tp.holdsAre(t, dir, "after the crash", "in_force", state)
			tp.commandIn(t, dir, exitOK, tp.runArgs(t, dir, false)...)
			tp.holdsAre(t, dir, "after the next run", "in_force", "in_force")
			tp.none(t, dir, "after the next run", append(stayed(33, 44), "SELECT id FROM prospects WHERE NOT (person IN (33, 44) OR "+kept+")"))
			tp.commandIn(t, dir, exitOK, "audit", "verify")
		})
	}
	t.Run("completed by the next hold", func(t *testing.T) {
		dir := tp.copy(t)
		tp.dies(t, dir, envCrashAt+"=placed", placeArgs(33)...)
		tp.commandIn(t, dir, exitOK, placeArgs(44)...)
		tp.holdsAre(t, dir, "after the next hold", "in_force", "in_force", "in_force")
	})
	t.Run("beside a working run", func(t *testing.T) {
		p, dir := tp.pausesLeased(t, "intended:1", "20s")
		tp.dies(t, dir, envCrashAt+"=placed", placeArgs(33, 1555)...)
		began := time.Now()
		if code, said := p.goesOn(t); code != exitOK {
			t.Fatalf("the run: exit code %d: %s", code, said)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("a hold that nobody completes slowed the run to %s", took)
		}
		tp.holdsAre(t, dir, "after the run", "in_force", "in_force")
		tp.none(t, dir, "after the run", stayed(33, 1555))
	})
}

// TestPlaceWaitsForTheGate stops a run while it has the gate: place says what it
// waits for and gives up with 4; the hold stays placing, and every batch after
// this one sees it.
func TestPlaceWaitsForTheGate(t *testing.T) {
	t.Parallel()
	tp := worldNamed("delete").make(t)
	p, dir := tp.pausesRun(t, "acted:1")
	place, out := retentiondProcess(t, dir, append(placeArgs(300, 1500, 1599), "--wait", "2s", "--output", "text")...)
	began := time.Now()
	code := exitCode(place.Run())
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("place --wait 2s took %s", took)
	}
	for _, want := range []string{"placing", "crm", "another process holds the write lock"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("place does not say %q: %s", want, out)
		}
	}
	if code != exitRefused {
		t.Errorf("place: exit code %d, want %d: %s", code, exitRefused, out)
	}
	tp.holdsAre(t, dir, "while the gate is taken", "in_force", "placing")
	switch code, said := p.goesOn(t); {
	case code == exitOK:
	case strings.Contains(said, "ran out"): // it slept longer than its lease: it acts no more, and the next run ends what is left
		tp.commandIn(t, dir, exitOK, tp.runArgs(t, dir, false)...)
	default:
		t.Errorf("the run that woke: exit code %d: %s", code, said)
	}
	tp.holdsAre(t, dir, "after the run", "in_force", "in_force")
	tp.none(t, dir, "after the run", stayed(1500, 1599)) // 300 was in the batch that had the gate
	tp.commandIn(t, dir, exitOK, "audit", "verify")
}

// TestHoldsBesideProcesses places holds from processes of their own at random
// moments, beside a run at full speed and others that always try to begin.
func TestHoldsBesideProcesses(t *testing.T) {
	t.Parallel()
	for _, w := range []crashWorld{worldNamed("delete"), worldOn(onPostgres(), "delete"), worldOn(onMariaDB(), "delete")} {
		w.seed = seedRows(30_000)
		t.Run(w.title(), func(t *testing.T) {
			t.Parallel()
			w.make(t).holdsBeside(t)
		})
	}
}

func (tp *template) holdsBeside(t *testing.T) {
	dir := tp.copy(t)
	cmd, out := retentiondProcess(t, dir, tp.runArgs(t, dir, false)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	ended, trials := false, 0
	held := map[int][]string{}
	var slowest time.Duration
	for !ended && trials < 40 {
		person := 1 + rand.IntN(30_000)
		began := time.Now()
		place, said := retentiondProcess(t, dir, append(placeArgs(person), "--allow-unmatched")...)
		if err := place.Run(); err != nil {
			t.Fatalf("place: %v: %s", err, said)
		}
		slowest = max(slowest, time.Since(began))
		held[person] = tp.thoseOf(t, dir, person)
		trials++
		together(t, []string{"second", "third", "fourth"}, func(t *testing.T, name string) {
			other, said := retentiondProcess(t, dir, "run", "--output", "json")
			if code := exitCode(other.Run()); code != exitOK && !strings.Contains(said.String(), `"busy"`) {
				t.Errorf("a %s run: exit code %d: %s", name, code, said)
			}
		})
		select {
		case err := <-over:
			ended = true
			if err != nil {
				t.Errorf("the run: %v: %s", err, out)
			}
		default:
		}
	}
	if !ended {
		if err := <-over; err != nil {
			t.Errorf("the run: %v: %s", err, out)
		}
	}
	for person, was := range held {
		if is := tp.thoseOf(t, dir, person); !slices.Equal(is, was) {
			t.Errorf("person %d had %v when the hold was in force, and %v in the end", person, was, is)
		}
	}
	if slowest > 5*time.Second {
		t.Errorf("place took %s, at most 5 s are promised", slowest)
	}
	t.Logf("%d holds, the slowest %s as a process", trials, slowest)
	tp.none(t, dir, "in the end", tp.always)
	tp.settledOnce(t, dir)
	tp.commandIn(t, dir, exitOK, "audit", "verify")
}

// thoseOf are the rows about a person, and their children.
func (tp *template) thoseOf(t *testing.T, dir string, person int) (out []string) {
	t.Helper()
	tp.onSource(t, dir, func(db *sql.DB) {
		out = query(t, db, fmt.Sprintf("SELECT id FROM prospects WHERE person = %[1]d UNION ALL SELECT -c.id FROM calls c JOIN prospects p ON p.id = c.prospect WHERE p.person = %[1]d ORDER BY 1", person))
	})
	return out
}

package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

func TestWindow(t *testing.T) {
	for _, c := range []struct {
		window string
		open   []string
		closed []string
	}{
		{"22:00-06:00", []string{"22:00:00", "23:59:59", "00:00:00", "05:59:59"}, []string{"06:00:00", "12:00:00", "21:59:59"}},
		{"01:30-04:00", []string{"01:30:00", "03:59:59"}, []string{"01:29:59", "04:00:00", "23:00:00"}},
	} {
		w, err := ParseWindow(c.window)
		if err != nil {
			t.Fatal(err)
		}
		if w.String() != c.window {
			t.Errorf("%s is written %s", c.window, w)
		}
		for i, at := range append(append([]string{}, c.open...), c.closed...) {
			clock, err := time.Parse(time.TimeOnly, at)
			if err != nil {
				t.Fatal(err)
			}
			if open := i < len(c.open); w.Open(clock) != open {
				t.Errorf("%s at %s: open is %t", c.window, at, !open)
			}
		}
	}
	for _, bad := range []string{"", "22-06", "24:00-06:00", "22:60-06:00", "later"} {
		if _, err := ParseWindow(bad); err == nil {
			t.Errorf("%q is a window", bad)
		}
	}
}

func TestPressureThatMakesWait(t *testing.T) {
	full := Throttle{Lag: time.Second, Running: 3, Backlog: 1000, Vacuum: true}
	for _, c := range []struct {
		name    string
		t       Throttle
		p       retention.Pressure
		because string
	}{
		{"calm", full, retention.Pressure{Lag: time.Second, Running: 3, Backlog: 1000}, ""},
		{"lag", full, retention.Pressure{Lag: 2 * time.Second}, "2s behind"},
		{"a lag that is not known is a lag", full, retention.Pressure{LagUnknown: true}, "does not say"},
		{"statements", full, retention.Pressure{Running: 4}, "4 statements"},
		{"statements that are not shown are too many", full, retention.Pressure{RunningUnknown: true}, "does not show what others run"},
		{"a backlog that is not shown is too much", full, retention.Pressure{BacklogUnknown: true}, "does not show its backlog"},
		{"backlog", full, retention.Pressure{Backlog: 1001}, "backlog of 1001"},
		{"vacuum", full, retention.Pressure{Vacuuming: true}, "tidies"},
		{"nothing was asked for", Throttle{}, retention.Pressure{Lag: time.Hour, LagUnknown: true, Running: 99, RunningUnknown: true, Backlog: 1 << 40, BacklogUnknown: true, Vacuuming: true}, ""},
	} {
		if _, got := c.t.over(c.p); (got == "") != (c.because == "") || !strings.Contains(got, c.because) {
			t.Errorf("%s: %q", c.name, got)
		}
	}
	if full.asks() != true || (&Throttle{Rate: 5, Flag: "x"}).asks() {
		t.Error("a source is asked when nothing depends on its answer, or the other way round")
	}
}

func TestRate(t *testing.T) {
	th := Throttle{Rate: 1000, Rest: 0.5, Pause: 10 * time.Millisecond}
	if got := th.dues(250); got != 250*time.Millisecond {
		t.Errorf("250 rows at 1,000 a second take %s", got)
	}
	if got := (&Throttle{}).dues(1 << 40); got != 0 {
		t.Errorf("without a rate, rows take %s", got)
	}
	if a, b := th.rest(100*time.Millisecond), th.rest(time.Millisecond); a != 50*time.Millisecond || b != 10*time.Millisecond {
		t.Errorf("rests of %s and %s", a, b)
	}
}

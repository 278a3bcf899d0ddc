package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention"
)

// TestServerDies ends the database server with SIGKILL while a batch is open, or
// just committed: each intent is settled exactly, and what is gone is audited,
// whether the server is back when the run comes to it, or not (L7).
func TestServerDies(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		t.Run(on.driver, func(t *testing.T) {
			t.Parallel()
			s := on.privateServer(t)
			tp := worldOn(on.of(s), "delete").make(t)
			for _, trial := range []struct {
				at   string
				back bool // before the run comes to it
			}{{"intended:2", true}, {"acted:2", true}, {"receipted:2", false}, {"committing:2", true}, {"committing:2", false}, {"committed:2", false}, {"concluded:1", false}} {
				t.Run(fmt.Sprintf("%s/back=%t", trial.at, trial.back), func(t *testing.T) { tp.serverDies(t, s, trial.at, trial.back) })
			}
			for range trialsOf(t, envServerCrashes, 2) {
				tp.serverDiesAnyTime(t, s)
			}
		})
	}
}

// envServerCrashes is how many crashes of each server at random moments people
// ask for by hand.
const envServerCrashes = "RETENTIOND_SERVER_CRASHES"

func (tp *template) serverDies(t *testing.T, s *servers.Server, at string, back bool) {
	p, dir := tp.pausesRun(t, at)
	must(t, s.Kill())
	if back {
		must(t, s.Start())
	}
	code, said := p.goesOn(t)
	if !back {
		must(t, s.Start())
	}
	tp.toldOfIt(t, dir, code, said)
	tp.afterCrash(t, dir, 0)
	tp.recovers(t, dir, false, 0)
}

// serverDiesAnyTime kills the server beside a run at full speed, and starts it
// again a moment later.
func (tp *template) serverDiesAnyTime(t *testing.T, s *servers.Server) {
	t.Helper()
	dir := tp.copy(t)
	cmd, out := retentiondProcess(t, dir, tp.runArgs(t, dir, false)...)
	must(t, cmd.Start())
	late := time.Duration(rand.Int64N(int64(700 * time.Millisecond)))
	time.Sleep(late)
	must(t, s.Kill())
	must(t, s.Start())
	tp.toldOfIt(t, dir, exitCode(cmd.Wait()), out.String())
	tp.afterCrash(t, dir, 0)
	tp.recovers(t, dir, false, 0)
	if t.Failed() {
		t.Fatalf("the server was killed after %s", late)
	}
}

// toldOfIt: a run whose server died ends by itself, in order, and without the
// password of the source in what it says.
func (tp *template) toldOfIt(t *testing.T, dir string, code int, said string) {
	t.Helper()
	switch code {
	case exitOK, exitError, exitPartial, exitRefused:
	default:
		t.Errorf("the run ended with exit code %d: %s", code, said)
	}
	if strings.Contains(said, "goroutine ") || strings.Contains(said, tp.on.passwordOf(t, tp.on.dsn(t, dir))) {
		t.Errorf("the run said: %s", said)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// behind makes the directory's configuration go through a proxy.
func (tp *template) behind(t *testing.T, dir string, via func(testing.TB, string) string) {
	t.Helper()
	writeFile(t, filepath.Join(dir, dsnFile), via(t, tp.on.dsn(t, dir)))
}

// runTold is a run in this process that tells of every point.
func (tp *template) runTold(t *testing.T, dir string, told func(retention.Point)) (int, string) {
	t.Helper()
	var out, errs bytes.Buffer
	a := newApp(streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	var mu sync.Mutex // ranges are done by several workers
	a.points = func(p retention.Point) {
		mu.Lock()
		defer mu.Unlock()
		told(p)
	}
	args := append([]string{"--config", filepath.Join(dir, "retentiond.yaml"), "--output", "json"}, tp.runArgs(t, dir, false)...)
	code := execute(context.Background(), a, args)
	return code, out.String() + errs.String()
}

// TestCommitIsLost: the reply to a COMMIT is lost, or the COMMIT itself. The
// receipt alone tells which; nothing is done twice, and nothing unaudited (L7).
func TestCommitIsLost(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		for _, name := range []string{"delete", "archive"} {
			w := worldOn(on, name)
			t.Run(w.title(), func(t *testing.T) {
				t.Parallel()
				tp, proxy := w.make(t), servers.NewProxy(t, on.server(t))
				losses := map[string]func(int){"reply": proxy.LoseReplies, "commit": proxy.LoseCommits}
				for what, lose := range losses {
					for _, batches := range [][]int{{1}, {2}, {1, 2}} {
						t.Run(fmt.Sprintf("%s/%v", what, batches), func(t *testing.T) { tp.loses(t, proxy, lose, what == "reply", batches) })
					}
				}
			})
		}
	}
}

func (tp *template) loses(t *testing.T, proxy *servers.Proxy, lose func(int), done bool, batches []int) {
	dir := tp.copy(t)
	tp.behind(t, dir, proxy.Via)
	lost, seen := proxy.Lost(), 0
	code, said := tp.runTold(t, dir, func(p retention.Point) {
		if p != retention.PointCommitting {
			return
		}
		seen++
		for _, n := range batches {
			if n == seen {
				lose(1)
			}
		}
	})
	if n := proxy.Lost() - lost; n != len(batches) && (done || n == 0) {
		t.Fatalf("%d commits were lost, not %d: %s", n, len(batches), said)
	}
	open := int(tp.openIntents(t, dir)) // where the commit of a settling was lost
	if done && code != exitOK && open == 0 {
		t.Errorf("every batch is done, but the run ends with %d: %s", code, said)
	}
	if (!done || open > 0) && code != exitPartial {
		t.Errorf("a batch is not done, or not known, but the run ends with %d: %s", code, said)
	}
	tp.afterCrash(t, dir, 0)
	// A run settles some by itself: ranges that found nothing left to do.
	n, usual := proxy.Lost()-lost, tp.counts[retention.PointSettled]
	if settled := tp.settled(t, dir); settled+open < n || settled > n+usual+1 {
		t.Errorf("%d batches were settled from their receipts and %d are open, %d commits were lost", settled, open, n)
	}
	tp.recovers(t, dir, false, 0)
}

// TestConnectionIsCut cuts every connection at each point of a batch.
func TestConnectionIsCut(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		w := worldOn(on, "delete")
		t.Run(w.title(), func(t *testing.T) {
			t.Parallel()
			tp, proxy := w.make(t), servers.NewProxy(t, on.server(t))
			for _, at := range []retention.Point{retention.PointBegun, retention.PointTested, retention.PointActed, retention.PointReceipted, retention.PointCommitting, retention.PointCommitted} {
				t.Run(at.String(), func(t *testing.T) {
					dir := tp.copy(t)
					tp.behind(t, dir, proxy.Via)
					seen := 0
					code, said := tp.runTold(t, dir, func(p retention.Point) {
						if p != at {
							return
						}
						if seen++; seen == 2 {
							proxy.Cut()
						}
					})
					tp.toldOfIt(t, dir, code, said)
					if at == retention.PointCommitted && code != exitOK {
						t.Errorf("nothing was open, but the run ends with %d: %s", code, said)
					}
					tp.afterCrash(t, dir, 0)
					tp.recovers(t, dir, false, 0)
				})
			}
		})
	}
}

// TestPlaceLosesItsCommit: the pass of a hold loses its COMMIT, or the reply. Place
// says in force only where it knows, and the hold ends in force (L3).
func TestPlaceLosesItsCommit(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		t.Run(on.driver, func(t *testing.T) {
			t.Parallel()
			tp, proxy := worldOn(on, "delete").make(t), servers.NewProxy(t, on.server(t))
			for what, lose := range map[string]func(int){"reply": proxy.LoseReplies, "commit": proxy.LoseCommits} {
				t.Run(what, func(t *testing.T) {
					dir := tp.copy(t)
					tp.behind(t, dir, proxy.Via)
					lose(1)
					place, out := retentiondProcess(t, dir, append(placeArgs(33, 44), "--wait", "5s")...)
					code := exitCode(place.Run())
					lose(0)
					if code != exitOK && code != exitRefused {
						t.Errorf("place: exit code %d: %s", code, out)
					}
					state := map[bool]string{true: "in_force", false: "placing"}[code == exitOK]
					tp.holdsAre(t, dir, "after place", "in_force", state)
					tp.commandIn(t, dir, exitOK, tp.runArgs(t, dir, false)...)
					tp.holdsAre(t, dir, "after the next run", "in_force", "in_force")
					tp.none(t, dir, "after the next run", stayed(33, 44))
				})
			}
		})
	}
}

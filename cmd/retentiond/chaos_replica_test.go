package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// chaosReplica is one daemon, or what is left of it.
type chaosReplica struct {
	site
	c *chaos
	n int

	mu      sync.Mutex
	cmd     *exec.Cmd
	out     *said
	mark    string // part of its claims in the store
	gone    chan struct{}
	stopped bool
}

// start starts the daemon. It has a pid namespace of its own where this user may
// make one, as in a container: the others cannot see that it is dead, only that its
// lease is over.
func (r *chaosReplica) start() {
	for _, apart := range []bool{os.Geteuid() == 0, false} {
		cmd, _ := retentiondProcess(r.T, r.dir, "serve", "--log-level", "debug")
		out := &said{}
		cmd.Stdout, cmd.Stderr = out, out
		if apart {
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
		}
		if err := cmd.Start(); err != nil && apart {
			continue // the kernel does not let us
		} else if err != nil {
			r.Errorf("start a daemon: %v", err)
			return
		}
		mark := fmt.Sprintf("|%d|", cmd.Process.Pid)
		if apart {
			space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", cmd.Process.Pid))
			if err != nil {
				r.Errorf("the daemon's namespace: %v", err)
			}
			mark = space
		}
		r.runs(cmd, out, mark)
		return
	}
}

// runs keeps a started process, and looks at how it ends.
func (r *chaosReplica) runs(cmd *exec.Cmd, out *said, mark string) {
	gone := make(chan struct{})
	r.c.watch.back(mark) // the kernel gives the number of a namespace that ended again
	r.mu.Lock()
	r.cmd, r.out, r.mark, r.gone, r.stopped = cmd, out, mark, gone, false
	r.mu.Unlock()
	go func() {
		defer close(gone)
		err := cmd.Wait()
		if code := exitCode(err); !killed(err) && code != exitOK {
			r.Errorf("daemon %d ended with exit code %d: %s", r.n, code, tailOf(out.String()))
		}
		if strings.Contains(out.String(), "goroutine ") {
			r.Errorf("daemon %d: a crash: %s", r.n, out)
		}
	}()
	r.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-gone
		if dir := os.Getenv("RETENTIOND_KEEP"); dir != "" {
			_ = os.WriteFile(fmt.Sprintf("%s/daemon-%d-%d.log", dir, r.n, cmd.Process.Pid), []byte(out.String()), 0o600)
		}
	})
}

// tailOf is the end of a long text.
func tailOf(text string) string { return text[max(0, len(text)-4000):] }

// signal sends a signal; its process may be gone.
func (r *chaosReplica) signal(sig syscall.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.cmd.Process.Signal(sig)
	r.stopped = sig == syscall.SIGSTOP
}

// end asks the daemon to end, and waits.
func (r *chaosReplica) end() {
	r.Helper()
	r.signal(syscall.SIGTERM)
	select {
	case <-r.gone:
	case <-time.After(time.Minute):
		r.Errorf("daemon %d does not end: %s", r.n, tailOf(r.out.String()))
		r.signal(syscall.SIGKILL)
		<-r.gone
	}
}

// works reports whether the daemon serves and is not stopped.
func (r *chaosReplica) works() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.gone:
		return false
	default:
		return !r.stopped && r.out.has(`"serving"`)
	}
}

// hurtReplicas kills, stops and ends daemons at random, until ctx is done; each that
// it stopped goes on.
func (c *chaos) hurtReplicas(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for i, r := range c.replicas {
		all.Go(func() {
			for wait := time.Duration(i+1) * 4 * time.Second; nap(ctx, wait, wait+6*time.Second); wait = 4 * time.Second {
				r.hurt(ctx)
			}
		})
	}
}

// hurt does one thing to a daemon.
func (r *chaosReplica) hurt(ctx context.Context) {
	switch n := rand.IntN(10); {
	case n < 5:
		r.c.counts.add("kill -9")
		r.signal(syscall.SIGKILL)
		<-r.gone
		r.c.watch.lost(r.mark)
		nap(ctx, 0, 8*time.Second)
		r.start()
	case n < 7:
		r.pause(ctx, "short stop", time.Second, 6*time.Second)
	case n < 9:
		r.pause(ctx, "long stop", 25*time.Second, 40*time.Second) // a lease lasts 20 s
	default:
		r.c.counts.add("SIGTERM")
		r.end()
		r.start()
	}
}

func (r *chaosReplica) pause(ctx context.Context, what string, least, most time.Duration) {
	r.c.counts.add(what)
	r.signal(syscall.SIGSTOP)
	r.c.watch.lost(r.mark)
	nap(ctx, least, most)
	r.c.watch.back(r.mark)
	r.signal(syscall.SIGCONT)
}

// hurtServers crashes database servers at random, until ctx is done.
func (c *chaos) hurtServers(ctx context.Context) {
	for nap(ctx, 8*time.Second, 25*time.Second) {
		name := []string{"state", "source"}[rand.IntN(2)]
		s := c.servers[name]
		c.counts.add(name + " server crashed")
		if err := s.Kill(); err != nil {
			c.Errorf("kill the %s server: %v", name, err)
			return
		}
		nap(ctx, 0, 3*time.Second)
		if err := s.Start(); err != nil {
			c.Errorf("start the %s server: %v", name, err)
			return
		}
	}
}

package servers

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

const readyWithin = 90 * time.Second

// NewPostgres starts a PostgreSQL server for this test only; it ends with the test.
func NewPostgres(t testing.TB, options ...Option) *Server {
	t.Helper()
	return own(t, postgres{}, options)
}

// NewMariaDB starts a MariaDB server for this test only; it ends with the test.
func NewMariaDB(t testing.TB, options ...Option) *Server {
	t.Helper()
	return own(t, mariadb{}, options)
}

func own(t testing.TB, e engine, options []Option) *Server {
	t.Helper()
	s := must(t)(launch(e, options))
	endWith(t, s)
	return s
}

func endWith(t testing.TB, s *Server) {
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
}

// Start starts a stopped or killed server in the same directory, on the same
// port, and returns when it answers.
func (s *Server) Start() error {
	if err := s.mine("started"); err != nil {
		return err
	}
	before := s.logSize()
	if err := s.keeper.start(); err != nil {
		return fmt.Errorf("%s: %w", s.engine.name(), err)
	}
	return s.answers(func() error {
		if !strings.Contains(s.logFrom(before), stillThere) {
			return fmt.Errorf("%s ended at start:\n%s", s.engine.name(), s.logTail())
		}
		before = s.logSize()
		return s.keeper.start()
	})
}

// stillThere is what PostgreSQL says where a session of the server that was killed has
// not ended yet: it starts a moment later.
const stillThere = "pre-existing shared memory block"

func (s *Server) logSize() int64 {
	st, err := os.Stat(s.Log())
	if err != nil {
		return 0
	}
	return st.Size()
}

// logFrom is what the server said from there on.
func (s *Server) logFrom(at int64) string {
	b, err := os.ReadFile(s.Log())
	if err != nil {
		return err.Error()
	}
	return string(b[min(at, int64(len(b))):])
}

// Recover returns when a server that met a full disk answers again: one that is
// starting itself anew is waited for, one that ended is started.
func (s *Server) Recover() error {
	if err := s.mine("started"); err != nil {
		return err
	}
	return s.answers(s.keeper.start)
}

// answers waits until the server answers, and asks ended what to do where it ended.
func (s *Server) answers(ended func() error) (err error) {
	for end := time.Now().Add(readyWithin); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = s.ping(); err == nil {
			return nil
		}
		if !s.keeper.running() {
			if err := ended(); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("%s does not answer: %w\n%s", s.engine.name(), err, s.logTail())
}

// Kill ends all processes of the server with SIGKILL, as a crash would. It
// returns when the server is gone. What was committed is there after [Server.Start].
func (s *Server) Kill() error {
	if err := s.mine("killed"); err != nil {
		return err
	}
	return s.keeper.end(killAll)
}

// Stop ends the server as an administrator would: sessions are cut, data is written.
func (s *Server) Stop() error {
	if err := s.mine("stopped"); err != nil {
		return err
	}
	polite := syscall.SIGTERM
	if s.engine.name() == (postgres{}).name() {
		polite = syscall.SIGINT // "fast": SIGTERM would wait for the clients
	}
	return s.keeper.end(func(pid int) error { return signal(pid, polite) })
}

// mine refuses what would hurt the other tests that share the server.
func (s *Server) mine(verb string) error {
	if s.keeper == nil || s.shared {
		return errors.New("a shared server is not " + verb + " by a test: start one with NewPostgres or NewMariaDB")
	}
	return nil
}

func (s *Server) ping() error {
	db, err := s.engine.open(s.Admin())
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Ping()
}

func (s *Server) logTail() string { return tail(s.Log()) }

func tail(log string) string {
	const enough = 3000
	b, err := os.ReadFile(log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-enough):])
}

package servers

import (
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
)

// Server is one database server. A shared one (Postgres, MariaDB) must be left
// running; one of a test's own (NewPostgres, NewMariaDB) may be killed.
type Server struct {
	engine engine
	addr   address
	conf   settings
	keeper *keeper // nil: named by the environment, not ours to end
	dir    string
	shared bool
}

// address is how an administrator reaches a server.
type address struct {
	host     string
	port     int
	user     string
	password string
	params   string // the query part of every DSN, without "?"
}

// engine is what PostgreSQL and MariaDB do differently.
type engine interface {
	name() string
	variable() string
	users() []string
	program() (string, error)
	// prepare makes the data directory of a server that never ran.
	prepare(s *Server) error
	// secure makes the settings and DSN parameters of a server that requires TLS.
	secure(s *Server) error
	command(s *Server, program string) []string
	stopSignal() string
	parse(dsn string) (address, error)
	dsn(a address, database string) string
	open(dsn string) (*sql.DB, error)
	createDatabase(db *sql.DB, name string) error
	dropDatabase(db *sql.DB, name string) error
	createRole(db *sql.DB, name, password string) (grantee string, err error)
	dropRole(db *sql.DB, name string) error
	commitMessage() *regexp.Regexp
	replication
}

// replication is what a replica needs of its engine. prepareReplica fills the
// directory before the first start, follow runs after it.
type replication interface {
	prepareReplica(primary, replica *Server) error
	follow(primary, replica *Server) error
	pause(replica *sql.DB) error
	resume(replica *sql.DB) error
	catchUp(primary, replica *sql.DB) error
}

// shared holds the servers of this process: a server must outlive the test that
// asks first, and no caller outlives all tests. It is never replaced.
var shared = struct{ postgres, mariadb func() (*Server, error) }{
	postgres: sync.OnceValues(func() (*Server, error) { return share(postgres{}) }),
	mariadb:  sync.OnceValues(func() (*Server, error) { return share(mariadb{}) }),
}

// Postgres returns the PostgreSQL server of this process, or the one that
// RETENTIOND_TEST_POSTGRES names. It fails the test where there is none.
func Postgres(t testing.TB) *Server { return must(t)(shared.postgres()) }

// MariaDB returns the MariaDB server of this process, or the one that
// RETENTIOND_TEST_MARIADB names. It fails the test where there is none.
func MariaDB(t testing.TB) *Server { return must(t)(shared.mariadb()) }

// ForEnvironment starts one server of each kind (those that the environment
// names already are used) and returns NAME=DSN for each. They run until stop is
// called or this process ends.
func ForEnvironment() (vars []string, stop func() error, err error) {
	var all []*Server
	stop = func() error {
		var errs []error
		for _, s := range all {
			errs = append(errs, s.close())
		}
		return errors.Join(errs...)
	}
	for _, start := range []func() (*Server, error){shared.postgres, shared.mariadb} {
		s, err := start()
		if err != nil {
			return nil, stop, err
		}
		all = append(all, s)
		vars = append(vars, s.engine.variable()+"="+s.Admin())
	}
	return vars, stop, nil
}

func must(t testing.TB) func(*Server, error) *Server {
	t.Helper()
	return func(s *Server, err error) *Server {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func share(e engine) (*Server, error) {
	dsn := os.Getenv(e.variable())
	if dsn == "" {
		s, err := launch(e, nil)
		if err == nil {
			s.shared = true
		}
		return s, err
	}
	a, err := e.parse(dsn)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.variable(), err)
	}
	s := &Server{engine: e, addr: a, shared: true}
	if err := s.ping(); err != nil {
		return nil, fmt.Errorf("the server that %s names: %w", e.variable(), err)
	}
	return s, nil
}

// launch makes a server of our own from nothing and returns when it answers.
func launch(e engine, options []Option) (*Server, error) {
	s := &Server{engine: e, addr: address{host: "127.0.0.1", user: "admin", password: random()}}
	for _, o := range options {
		o(&s.conf)
	}
	if err := s.build(func() error { return e.prepare(s) }); err != nil {
		return nil, err
	}
	return s, nil
}

// build makes the directory and its keeper, fills it with prepare, and starts.
func (s *Server) build(prepare func() error) (err error) {
	name := s.engine.name()
	program, err := s.engine.program()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if s.keeper, err = newKeeper(name, s.engine.stopSignal(), s.engine.users()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	s.dir = s.keeper.dir
	if err := s.mount(); err != nil {
		return fmt.Errorf("%s: %w", name, errors.Join(err, s.close()))
	}
	steps := []func() error{prepare}
	if s.conf.tls && s.conf.cert == "" {
		steps = append(steps, func() error { return s.engine.secure(s) })
	}
	steps = append(steps, func() error { return s.firstStart(program) })
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("%s: %w", name, errors.Join(err, s.close()))
		}
	}
	return nil
}

// firstStart looks for a port that nobody takes before the server does.
func (s *Server) firstStart(program string) (err error) {
	for range 5 {
		if s.addr.port, err = freePort(); err != nil {
			return err
		}
		argv := s.engine.command(s, program)
		if s.conf.fake != "" {
			if argv, err = faked(s.conf.fake, argv); err != nil {
				return err
			}
		}
		if err = s.keeper.command(argv); err != nil {
			return err
		}
		if err = s.Start(); err == nil {
			return nil
		}
		if s.keeper.running() {
			return err
		}
	}
	return err
}

func (s *Server) close() error {
	if s.keeper == nil {
		return nil
	}
	return errors.Join(s.unmount(), s.keeper.close())
}

// Admin returns the administrator's DSN, without a database of the test.
func (s *Server) Admin() string { return s.engine.dsn(s.addr, "") }

// Addr returns host:port of the server.
func (s *Server) Addr() string { return fmt.Sprintf("%s:%d", s.addr.host, s.addr.port) }

// Log returns the file that the server writes its messages to; empty for a
// server that the environment names.
func (s *Server) Log() string {
	if s.keeper == nil {
		return ""
	}
	return filepath.Join(s.dir, "log")
}

func random() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead
	return hex.EncodeToString(b[:])
}

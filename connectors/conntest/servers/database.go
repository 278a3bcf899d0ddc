package servers

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
)

// Database makes an empty database with a name of its own and returns the
// administrator's DSN to it. It is dropped at the end of the test, whoever is
// still connected.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	return s.database(t, s.engine.createDatabase)
}

// Copy makes a database that is what the PostgreSQL database of dsn is, with which
// nobody may be connected, and returns and drops it as [Server.Database] does.
func (s *Server) Copy(t testing.TB, dsn string) string {
	t.Helper()
	_, template, err := s.split(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return s.database(t, func(db *sql.DB, name string) error {
		_, err := db.Exec(`CREATE DATABASE "` + name + `" TEMPLATE "` + template + `"`)
		return err
	})
}

func (s *Server) database(t testing.TB, create func(db *sql.DB, name string) error) string {
	t.Helper()
	name := "t_" + random()
	if err := s.admin(func(db *sql.DB) error { return create(db, name) }); err != nil {
		t.Fatalf("create a database: %v", err)
	}
	s.after(t, func(db *sql.DB) error { return s.engine.dropDatabase(db, name) })
	return s.engine.dsn(s.addr, name)
}

// Role makes a user that may do in the database of dsn only what the grants
// give, and returns the DSN of that user to that database. A grant is the words
// between GRANT and TO: "SELECT, DELETE ON people", "EXECUTE ON FUNCTION f(int)".
// The user is dropped at the end of the test.
func (s *Server) Role(t testing.TB, dsn string, grants ...string) string {
	t.Helper()
	a, database, err := s.split(dsn)
	if err != nil {
		t.Fatal(err)
	}
	a.user, a.password = "r_"+random(), random()
	db, err := s.engine.open(s.engine.dsn(s.addr, database))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	grantee, err := s.engine.createRole(db, a.user, a.password)
	if err != nil {
		t.Fatalf("create a user: %v", err)
	}
	t.Cleanup(func() { s.dropRole(t, database, a.user) })
	for _, g := range grants {
		if _, err := db.Exec("GRANT " + g + " TO " + grantee); err != nil {
			t.Fatalf("grant %q: %v", g, err)
		}
	}
	return s.engine.dsn(a, database)
}

// dropRole goes to the database of the role: that is where it has grants.
func (s *Server) dropRole(t testing.TB, database, name string) {
	if !s.shared {
		return
	}
	db, err := s.engine.open(s.engine.dsn(s.addr, database))
	if err != nil {
		t.Error(err)
		return
	}
	defer db.Close()
	if err := s.engine.dropRole(db, name); err != nil {
		t.Errorf("drop a user: %v", err)
	}
}

// Load runs a script of several statements in the database of dsn.
func (s *Server) Load(t testing.TB, dsn, script string) {
	t.Helper()
	if err := s.load(dsn, script); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) load(dsn, script string) error {
	db, err := s.engine.open(dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(script)
	return err
}

func (s *Server) admin(do func(*sql.DB) error) error {
	db, err := s.engine.open(s.Admin())
	if err != nil {
		return err
	}
	defer db.Close()
	return do(db)
}

// after cleans a shared server; one of a test's own goes away as a whole.
func (s *Server) after(t testing.TB, do func(*sql.DB) error) {
	if !s.shared {
		return
	}
	t.Cleanup(func() {
		if err := s.admin(do); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
}

// via returns a DSN of this server with another address.
func (s *Server) via(t testing.TB, dsn, host string, port int) string {
	t.Helper()
	a, database, err := s.split(dsn)
	if err != nil {
		t.Fatal(err)
	}
	a.host, a.port = host, port
	return s.engine.dsn(a, database)
}

// split takes a DSN of this server apart.
func (s *Server) split(dsn string) (address, string, error) {
	a, err := s.engine.parse(dsn)
	if err != nil {
		return a, "", err
	}
	rest, _, _ := strings.Cut(dsn[strings.LastIndexByte(dsn[:paramsAt(dsn)], '/')+1:], "?")
	if rest == "" {
		return a, "", errors.New("the DSN names no database")
	}
	return a, rest, nil
}

func paramsAt(dsn string) int {
	if i := strings.LastIndexByte(dsn, '?'); i >= 0 {
		return i
	}
	return len(dsn)
}

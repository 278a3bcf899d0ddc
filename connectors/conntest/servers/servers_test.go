package servers

import (
	"testing"
)

func each(t *testing.T, f func(t *testing.T, s *Server)) {
	t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
	t.Run("mariadb", func(t *testing.T) { f(t, MariaDB(t)) })
}

func count(t *testing.T, s *Server, dsn, query string) (n int) {
	t.Helper()
	db, err := s.engine.open(dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDatabasesAreApart(t *testing.T) {
	each(t, func(t *testing.T, s *Server) {
		for i := range 2 {
			dsn := s.Database(t)
			s.Load(t, dsn, "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1), (2)")
			if n := count(t, s, dsn, "SELECT count(*) FROM a"); n != 2 {
				t.Errorf("database %d has %d rows, want 2", i, n)
			}
		}
	})
}

func TestRoleHasItsGrantsOnly(t *testing.T) {
	each(t, func(t *testing.T, s *Server) {
		dsn := s.Database(t)
		s.Load(t, dsn, "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)")
		role := s.Role(t, dsn, "SELECT ON a")
		if n := count(t, s, role, "SELECT count(*) FROM a"); n != 0 {
			t.Errorf("%d rows", n)
		}
		for _, forbidden := range []string{"SELECT * FROM b", "INSERT INTO a VALUES (1)"} {
			if err := s.load(role, forbidden); err == nil {
				t.Errorf("the role may %s", forbidden)
			}
		}
	})
}

// What was created for a test is gone after it, even with a transaction open.
func TestDatabaseAndRoleAreDropped(t *testing.T) {
	each(t, func(t *testing.T, s *Server) {
		var dsn, role string
		t.Run("inner", func(t *testing.T) {
			dsn = s.Database(t)
			s.Load(t, dsn, "CREATE TABLE a (id int PRIMARY KEY)")
			role = s.Role(t, dsn, "SELECT, INSERT ON a")
			db, err := s.engine.open(role)
			if err != nil {
				t.Fatal(err)
			}
			tx, err := db.Begin()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec("INSERT INTO a VALUES (1)"); err != nil {
				t.Fatal(err)
			}
			// Cleanups run last in, first out: this one comes after both drops.
		})
		for _, gone := range []string{dsn, role} {
			if err := s.load(gone, "SELECT 1"); err == nil {
				t.Error("there after the test")
			}
		}
	})
}

func TestSharedServerIsNotKilled(t *testing.T) {
	each(t, func(t *testing.T, s *Server) {
		for _, err := range []error{s.Kill(), s.Stop(), s.Start()} {
			if err == nil {
				t.Error("a test ended the server of the others")
			}
		}
	})
}

package servers

import (
	"database/sql"
	"testing"
)

func throughProxy(t *testing.T, s *Server) (dsn string, db *sql.DB, p *Proxy) {
	t.Helper()
	dsn = s.Database(t)
	s.Load(t, dsn, "CREATE TABLE a (word varchar(20))")
	p = NewProxy(t, s)
	db, err := s.engine.open(p.Via(t, dsn))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return dsn, db, p
}

func insert(t *testing.T, db *sql.DB, word string) (committed error) {
	t.Helper()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("INSERT INTO a VALUES ('" + word + "')"); err != nil {
		t.Fatal(err)
	}
	return tx.Commit()
}

func TestLostReplyIsDurable(t *testing.T) {
	each(t, func(t *testing.T, s *Server) {
		dsn, db, p := throughProxy(t, s)
		p.LoseReplies(2)
		for i := range 2 {
			if err := insert(t, db, "one"); err == nil {
				t.Error("the reply to COMMIT came through")
			}
			if n := count(t, s, dsn, "SELECT count(*) FROM a"); n != i+1 {
				t.Errorf("%d rows, want %d", n, i+1)
			}
		}
		if err := insert(t, db, "two"); err != nil {
			t.Errorf("after the armed ones: %v", err)
		}
		if p.Lost() != 2 || p.Commits() != 3 {
			t.Errorf("%d of %d COMMITs were lost, want 2 of 3", p.Lost(), p.Commits())
		}
	})
}

func TestLostCommitIsRolledBack(t *testing.T) {
	each(t, func(t *testing.T, s *Server) {
		dsn, db, p := throughProxy(t, s)
		p.LoseCommits(1)
		if err := insert(t, db, "one"); err == nil {
			t.Error("COMMIT came through")
		}
		if n := count(t, s, dsn, "SELECT count(*) FROM a"); n != 0 || p.Lost() != 1 {
			t.Errorf("%d rows, want none; %d COMMITs lost, want 1", n, p.Lost())
		}
	})
}

// The word COMMIT in data or a comment is no COMMIT.
func TestOnlyCommitIsLost(t *testing.T) {
	each(t, func(t *testing.T, s *Server) {
		dsn, db, p := throughProxy(t, s)
		p.LoseReplies(1)
		for _, q := range []string{"INSERT INTO a VALUES ('COMMIT')", "INSERT /* COMMIT */ INTO a VALUES ('x')"} {
			if _, err := db.Exec(q); err != nil {
				t.Errorf("%s: %v", q, err)
			}
		}
		p.LoseReplies(0)
		if err := insert(t, db, "commit"); err != nil {
			t.Errorf("disarmed: %v", err)
		}
		if n := count(t, s, dsn, "SELECT count(*) FROM a"); n != 3 || p.Lost() != 0 || p.Commits() != 1 {
			t.Errorf("%d rows, %d lost of %d COMMITs; want 3, 0 of 1", n, p.Lost(), p.Commits())
		}
	})
}

func TestCutEndsConnections(t *testing.T) {
	each(t, func(t *testing.T, s *Server) {
		_, db, p := throughProxy(t, s)
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		p.Cut()
		if err := tx.Commit(); err == nil {
			t.Error("the connection lives")
		}
		if err := insert(t, db, "new connection"); err != nil {
			t.Error(err)
		}
	})
}

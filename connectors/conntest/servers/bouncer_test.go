package servers

import (
	"context"
	"testing"
)

// Two transactions of one client connection run in two sessions of the server
// when another client takes the first in between: the trap of transaction mode.
func TestPgBouncerPoolsTransactions(t *testing.T) {
	s := Postgres(t)
	dsn := s.Database(t)
	s.Load(t, dsn, "CREATE TABLE a (id int PRIMARY KEY)")
	b := PgBouncer(t, s)
	role := s.Role(t, dsn, "SELECT ON a") // made after the pool
	if n := count(t, s, b.Via(t, role), "SELECT count(*) FROM a"); n != 0 {
		t.Errorf("%d rows", n)
	}
	if err := s.load(b.Via(t, role), "INSERT INTO a VALUES (1)"); err == nil {
		t.Error("the role may insert: the pool is another user")
	}

	db, err := s.engine.open(b.Via(t, dsn))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	backend := func(q interface {
		Scan(...any) error
	}) (pid int) {
		t.Helper()
		if err := q.Scan(&pid); err != nil {
			t.Fatal(err)
		}
		return pid
	}
	const query = "SELECT pg_backend_pid()"
	one, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	first := backend(one.QueryRowContext(ctx, query))
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if other := backend(tx.QueryRow(query)); other != first {
		t.Fatalf("the second client got session %d, want the idle %d", other, first)
	}
	if second := backend(one.QueryRowContext(ctx, query)); second == first {
		t.Error("the first client still has its session: this is no transaction mode")
	}
}

package servers

import "testing"

func TestReplicaShowsNothingWhilePaused(t *testing.T) {
	for _, s := range []*Server{NewPostgres(t), NewMariaDB(t, TLS)} {
		dsn := s.Database(t)
		s.Load(t, dsn, "CREATE TABLE a (id int PRIMARY KEY)")
		r := s.Replica(t)
		look := func() int { return count(t, r.Server, r.Via(t, dsn), "SELECT count(*) FROM a") }

		s.Load(t, dsn, "INSERT INTO a VALUES (1)")
		r.CatchUp(t)
		if n := look(); n != 1 {
			t.Errorf("%s: %d rows on the replica, want 1", s.engine.name(), n)
		}
		r.Pause(t)
		s.Load(t, dsn, "INSERT INTO a VALUES (2)")
		if n := look(); n != 1 {
			t.Errorf("%s: %d rows on the paused replica, want 1", s.engine.name(), n)
		}
		r.Resume(t)
		r.CatchUp(t)
		if n := look(); n != 2 {
			t.Errorf("%s: %d rows on the replica, want 2", s.engine.name(), n)
		}
	}
}

// A replica finds its primary again after a crash of either.
func TestReplicaSurvivesCrashes(t *testing.T) {
	for _, s := range []*Server{NewPostgres(t), NewMariaDB(t)} {
		dsn := s.Database(t)
		s.Load(t, dsn, "CREATE TABLE a (id int PRIMARY KEY)")
		r := s.Replica(t)
		for i, crash := range []*Server{s, r.Server} {
			if err := crash.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := crash.Start(); err != nil {
				t.Fatal(err)
			}
			s.Load(t, dsn, []string{"INSERT INTO a VALUES (1)", "INSERT INTO a VALUES (2)"}[i])
			r.CatchUp(t)
			if n := count(t, r.Server, r.Via(t, dsn), "SELECT count(*) FROM a"); n != i+1 {
				t.Errorf("%s: %d rows on the replica, want %d", s.engine.name(), n, i+1)
			}
		}
	}
}

package servers

import (
	"strings"
	"testing"
)

func TestTLSIsRequired(t *testing.T) {
	pg, my := NewPostgres(t, TLS), NewMariaDB(t, TLS)
	for _, c := range []struct {
		s         *Server
		with, off string
		query     string
	}{
		{pg, pg.Admin(), strings.Replace(pg.Admin(), "sslmode=verify-full", "sslmode=disable", 1),
			"SELECT count(*) FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl"},
		{my, my.Admin(), strings.TrimSuffix(my.Admin(), "?tls=skip-verify"),
			"SELECT count(*) FROM information_schema.session_status WHERE variable_name = 'Ssl_cipher' AND variable_value <> ''"},
	} {
		if n := count(t, c.s, c.with, c.query); n != 1 {
			t.Errorf("%s: the session is not encrypted", c.s.engine.name())
		}
		if c.off == c.with {
			t.Fatalf("%s: the DSN has no TLS: %s", c.s.engine.name(), c.with)
		}
		if err := c.s.load(c.off, "SELECT 1"); err == nil {
			t.Errorf("%s: a session without TLS is let in", c.s.engine.name())
		}
	}
}

func TestSetReachesTheServer(t *testing.T) {
	pg, my := NewPostgres(t, Set("work_mem", "5MB")), NewMariaDB(t, Set("innodb_lock_wait_timeout", "3"))
	if n := count(t, pg, pg.Admin(), "SELECT setting::int FROM pg_settings WHERE name = 'work_mem'"); n != 5120 {
		t.Errorf("work_mem is %d kB", n)
	}
	if n := count(t, my, my.Admin(), "SELECT @@innodb_lock_wait_timeout"); n != 3 {
		t.Errorf("innodb_lock_wait_timeout is %d", n)
	}
}

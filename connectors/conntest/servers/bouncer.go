package servers

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"time"
)

// Bouncer is a pgbouncer in transaction mode: two transactions of one client
// may run in different sessions of the server.
type Bouncer struct {
	server *Server
	keeper *keeper
	port   int
}

// PgBouncer starts a pgbouncer in transaction mode before a PostgreSQL server.
// All users and databases of the server are reached through it. It ends with
// the test.
func PgBouncer(t testing.TB, s *Server) *Bouncer {
	t.Helper()
	b := &Bouncer{server: s}
	if err := b.start(); err != nil {
		t.Fatalf("pgbouncer: %v", err)
	}
	t.Cleanup(func() {
		if err := b.keeper.close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// Via returns the DSN that goes through the pool. It is without TLS.
func (b *Bouncer) Via(t testing.TB, dsn string) string {
	t.Helper()
	direct := *b.server
	direct.engine = plain{}
	return direct.via(t, dsn, "127.0.0.1", b.port)
}

// plain is PostgreSQL behind a pool, which takes no TLS from its clients.
type plain struct{ postgres }

func (p plain) dsn(a address, database string) string {
	a.params = "sslmode=disable"
	return p.postgres.dsn(a, database)
}

func (b *Bouncer) start() (err error) {
	if b.server.engine != (postgres{}) {
		return errors.New("it stands before PostgreSQL only")
	}
	program, err := find("pgbouncer", "pgbouncer")
	if err != nil {
		return err
	}
	if b.keeper, err = newKeeper("pgbouncer", "KILL", b.server.engine.users()); err != nil {
		return err
	}
	if b.port, err = freePort(); err == nil {
		err = b.configure(program)
	}
	if err == nil {
		err = b.keeper.start()
	}
	if err == nil {
		err = b.ready()
	}
	if err != nil {
		return errors.Join(err, b.keeper.close())
	}
	return nil
}

// configure: the administrator looks other users up in the server, so roles
// made later are known as well.
func (b *Bouncer) configure(program string) error {
	a := b.server.addr
	users, err := b.keeper.write("users.txt", []byte(fmt.Sprintf("%q %q\n", a.user, a.password)))
	if err != nil {
		return err
	}
	tls := "disable"
	if b.server.conf.tls {
		tls = "require"
	}
	conf, err := b.keeper.write("pgbouncer.ini", []byte(fmt.Sprintf(`[databases]
* = host=%s port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
pool_mode = transaction
max_client_conn = 200
auth_type = scram-sha-256
auth_file = %s
auth_user = %s
admin_users = %s
ignore_startup_parameters = extra_float_digits
server_tls_sslmode = %s
`, a.host, a.port, b.port, users, a.user, a.user, tls)))
	if err != nil {
		return err
	}
	return b.keeper.command([]string{program, conf})
}

func (b *Bouncer) ready() (err error) {
	for end := time.Now().Add(readyWithin); time.Now().Before(end) && b.keeper.running(); time.Sleep(20 * time.Millisecond) {
		var c net.Conn
		if c, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", b.port)); err == nil {
			return c.Close()
		}
	}
	return errors.Join(errors.New("it does not answer"), err, errors.New(tail(b.keeper.dir+"/log")))
}

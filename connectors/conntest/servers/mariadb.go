package servers

import (
	"database/sql"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
)

type mariadb struct{}

func (mariadb) name() string       { return "mariadb" }
func (mariadb) variable() string   { return "RETENTIOND_TEST_MARIADB" }
func (mariadb) users() []string    { return []string{"mysql"} }
func (mariadb) stopSignal() string { return "KILL" }

func (mariadb) program() (string, error) {
	return find("mariadbd", "mariadb-server-core", "mariadb-client-core")
}

func (mariadb) prepare(s *Server) error {
	install, err := find("mariadb-install-db", "mariadb-server-core", "mariadb-client-core")
	if err != nil {
		return err
	}
	if err := s.keeper.run(install, "--no-defaults", "--datadir="+filepath.Join(s.dir, "data"), "--skip-test-db",
		"--auth-root-authentication-method=socket", "--skip-name-resolve"); err != nil {
		return err
	}
	// Read at each start, and not for replicas: they have their own.
	_, err = s.keeper.write("init.sql", []byte(fmt.Sprintf("SET sql_log_bin = 0;\n"+
		"CREATE USER IF NOT EXISTS '%[1]s'@'%%' IDENTIFIED BY '%[2]s';\n"+
		"GRANT ALL PRIVILEGES ON *.* TO '%[1]s'@'%%' WITH GRANT OPTION;\n", s.addr.user, s.addr.password)))
	return err
}

func (mariadb) secure(s *Server) error {
	cert, key, err := s.certificate()
	if err != nil {
		return err
	}
	s.conf.cert = cert
	s.conf.args = append(s.conf.args, "ssl-cert="+cert, "ssl-key="+key, "require-secure-transport=ON")
	s.addr.params = "tls=skip-verify" // a name that verifies is registered by the caller, with CA
	return nil
}

func (mariadb) command(s *Server, program string) []string {
	argv := []string{program, "--no-defaults", "--datadir=" + filepath.Join(s.dir, "data"),
		"--port=" + strconv.Itoa(s.addr.port)}
	for _, set := range append([]string{
		"bind-address=127.0.0.1",
		"socket=server.sock", // relative to the data directory: a path has a short limit
		"pid-file=server.pid",
		"tmpdir=" + s.dir, // its own: a server that starts clears other servers' temporary tables away
		"init-file=" + filepath.Join(s.dir, "init.sql"),
		"skip-name-resolve",
		"max-connections=200",
		"innodb-buffer-pool-size=128M",
		"innodb-flush-log-at-trx-commit=1",
		"log-bin=binlog",
		"sync-binlog=1",
		"server-id=" + strconv.Itoa(s.addr.port), // unique on this machine, as the port is
		"character-set-server=utf8mb4",
	}, s.conf.args...) {
		argv = append(argv, "--"+set)
	}
	return argv
}

func (mariadb) parse(dsn string) (address, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return address{}, err
	}
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return address{}, fmt.Errorf("not of the form user:password@tcp(host:port)/: %w", err)
	}
	a := address{host: host, user: c.User, password: c.Passwd}
	if i := strings.LastIndexByte(dsn, '?'); i >= 0 {
		a.params = dsn[i+1:]
	}
	a.port, err = strconv.Atoi(port)
	return a, err
}

func (mariadb) dsn(a address, database string) string {
	dsn := fmt.Sprintf("%s:%s@tcp(%s:%d)/%s", a.user, a.password, a.host, a.port, database)
	if a.params != "" {
		dsn += "?" + a.params
	}
	return dsn
}

// open takes several statements in one text, and does not print a lost connection.
func (mariadb) open(dsn string) (*sql.DB, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	c.MultiStatements = true
	c.Logger = &mysql.NopLogger{}
	conn, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(conn), nil
}

func (mariadb) createDatabase(db *sql.DB, name string) error {
	_, err := db.Exec("CREATE DATABASE `" + name + "`")
	return err
}

// dropDatabase ends the sessions in the database first: an open transaction
// would hold the drop up.
func (mariadb) dropDatabase(db *sql.DB, name string) error {
	rows, err := db.Query("SELECT id FROM information_schema.processlist WHERE db = ?", name)
	if err != nil {
		return err
	}
	var kill strings.Builder
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		fmt.Fprintf(&kill, "KILL %d\n", id)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for k := range strings.Lines(kill.String()) {
		_, _ = db.Exec(k) // it may have ended by itself
	}
	_, err = db.Exec("SET lock_wait_timeout = 30; DROP DATABASE IF EXISTS `" + name + "`")
	return err
}

func (mariadb) createRole(db *sql.DB, name, password string) (string, error) {
	_, err := db.Exec("CREATE USER '" + name + "'@'%' IDENTIFIED BY '" + password + "'")
	return "'" + name + "'@'%'", err
}

func (mariadb) dropRole(db *sql.DB, name string) error {
	_, err := db.Exec("DROP USER '" + name + "'@'%'")
	return err
}

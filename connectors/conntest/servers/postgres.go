package servers

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"

	_ "github.com/lib/pq" // the driver "postgres"
)

type postgres struct{}

func (postgres) name() string       { return "postgres" }
func (postgres) variable() string   { return "RETENTIOND_TEST_POSTGRES" }
func (postgres) users() []string    { return []string{"postgres"} }
func (postgres) stopSignal() string { return "QUIT" }

func (postgres) program() (string, error) {
	initdb, err := find("initdb", "postgresql")
	if err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(initdb), "postgres"), nil
}

// tool is a program of the same version as the server.
func (p postgres) tool(name string) (string, error) {
	server, err := p.program()
	return filepath.Join(filepath.Dir(server), name), err
}

func (p postgres) prepare(s *Server) error {
	initdb, err := p.tool("initdb")
	if err != nil {
		return err
	}
	pw, err := s.keeper.write("pw", []byte(s.addr.password))
	if err != nil {
		return err
	}
	s.addr.params = "sslmode=disable"
	if err := s.keeper.run(initdb, "-D", filepath.Join(s.dir, "data"), "-U", s.addr.user, "--pwfile="+pw,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"); err != nil {
		return err
	}
	return p.hba(s, "host")
}

// hba lets in who has a password, over connections of one kind.
func (postgres) hba(s *Server, kind string) error {
	_, err := s.keeper.write("data/pg_hba.conf", []byte(
		kind+" all         all 127.0.0.1/32 scram-sha-256\n"+
			kind+" replication all 127.0.0.1/32 scram-sha-256\n"))
	return err
}

func (p postgres) secure(s *Server) error {
	cert, key, err := s.certificate()
	if err != nil {
		return err
	}
	s.conf.cert = cert
	s.conf.args = append(s.conf.args, "ssl=on", "ssl_cert_file="+cert, "ssl_key_file="+key)
	s.addr.params = url.Values{"sslmode": {"verify-full"}, "sslrootcert": {cert}}.Encode()
	return p.hba(s, "hostssl")
}

func (postgres) command(s *Server, program string) []string {
	argv := []string{program, "-D", filepath.Join(s.dir, "data"), "-p", strconv.Itoa(s.addr.port)}
	for _, set := range append([]string{
		"listen_addresses=127.0.0.1",
		"unix_socket_directories=",
		"fsync=on",
		"shared_buffers=64MB",
		"max_connections=200",
		"wal_level=replica",
		"log_line_prefix=%m [%p] %q%u@%d ",
	}, s.conf.args...) {
		argv = append(argv, "-c", set)
	}
	return argv
}

func (postgres) parse(dsn string) (address, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.User == nil || u.Hostname() == "" {
		return address{}, errors.New("not of the form postgres://user:password@host:port/?sslmode=…")
	}
	a := address{host: u.Hostname(), port: 5432, user: u.User.Username(), params: u.RawQuery}
	a.password, _ = u.User.Password()
	if p := u.Port(); p != "" {
		a.port, err = strconv.Atoi(p)
	}
	return a, err
}

func (postgres) dsn(a address, database string) string {
	if database == "" {
		database = "postgres"
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(a.user, a.password),
		Host: fmt.Sprintf("%s:%d", a.host, a.port), Path: "/" + database, RawQuery: a.params}
	return u.String()
}

func (postgres) open(dsn string) (*sql.DB, error) { return sql.Open("postgres", dsn) }

func (postgres) createDatabase(db *sql.DB, name string) error {
	_, err := db.Exec(`CREATE DATABASE "` + name + `" TEMPLATE template0`)
	return err
}

func (postgres) dropDatabase(db *sql.DB, name string) error {
	_, err := db.Exec(`DROP DATABASE IF EXISTS "` + name + `" WITH (FORCE)`)
	return err
}

func (postgres) createRole(db *sql.DB, name, password string) (string, error) {
	_, err := db.Exec(`CREATE ROLE "` + name + `" LOGIN PASSWORD '` + password + `'`)
	return `"` + name + `"`, err
}

func (postgres) dropRole(db *sql.DB, name string) error {
	_, err := db.Exec(`DROP OWNED BY "` + name + `"; DROP ROLE "` + name + `"`)
	return err
}

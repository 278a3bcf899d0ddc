package engine_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// plots makes one database of a server for each world, and drops it.
type plots struct {
	y      *yard
	admin  *sql.DB
	create string // makes the database of a quoted name
	clear  string // empties the database it is sent to; empty: it is dropped instead
	spare  chan string
	ready  string // what the reading session is set to once the world stands
	dsn    func(database string) string
	open   func(dsn string) (*sql.DB, error)
}

// serverPlot starts a server for the worlds alone: its sessions are in a zone
// that no policy has.
func serverPlot(t *testing.T, y *yard) func(context.Context, string) (*plot, error) {
	t.Helper()
	p := &plots{y: y, spare: make(chan string, 64)}
	if y.roomy {
		defer elsewhere(t, y.dir)()
	}
	switch y.name {
	case "postgres":
		s := servers.NewPostgres(t, servers.Set("timezone", "Asia/Tokyo"))
		u, err := url.Parse(s.Database(t))
		if err != nil {
			t.Fatal(err)
		}
		p.create, p.ready = "CREATE DATABASE %s TEMPLATE template0", "SET TIME ZONE 'UTC'; SET datestyle TO ISO, YMD"
		p.clear = dropSchemas
		p.dsn = func(name string) string { return u.JoinPath("..", name).String() }
		p.open = func(dsn string) (*sql.DB, error) { return sql.Open("postgres", dsn) }
	case "mysql":
		s := servers.NewMariaDB(t, servers.Set("default-time-zone", "+05:30"))
		c, err := mysql.ParseDSN(s.Database(t))
		if err != nil {
			t.Fatal(err)
		}
		p.create, p.ready = "CREATE DATABASE %s", "SET time_zone = '+00:00'"
		p.dsn = func(name string) string {
			one := c.Clone()
			one.DBName = name
			return one.FormatDSN()
		}
		p.open = func(dsn string) (*sql.DB, error) { return sql.Open("mysql", dsn) }
	}
	var err error
	if p.admin, err = p.open(p.dsn(map[string]string{"postgres": "postgres", "mysql": "mysql"}[y.name])); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.admin.Close() })
	return p.make
}

// dropSchemas empties a PostgreSQL database, which costs less than another one.
const dropSchemas = `DO $$ DECLARE s text; BEGIN
  FOR s IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', s);
  END LOOP;
  CREATE SCHEMA public;
END $$`

// elsewhere makes temporary files in dir until the returned function is called.
func elsewhere(t *testing.T, dir string) func() {
	t.Helper()
	old, had := os.LookupEnv("TMPDIR")
	if err := os.Setenv("TMPDIR", dir); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _ = os.Setenv("TMPDIR", old); !had {
			_ = os.Unsetenv("TMPDIR")
		}
	}
}

func (p *plots) make(ctx context.Context, _ string) (*plot, error) {
	name, err := p.empty(ctx)
	if err != nil {
		return nil, err
	}
	dsn := p.dsn(name)
	app, err := p.open(dsn)
	if err != nil {
		return nil, err
	}
	app.SetMaxOpenConns(1)
	return &plot{app: app, dsn: dsn, ready: p.ready, drop: func() { p.leave(name, app) }}, nil
}

// empty is a database with nothing in it.
func (p *plots) empty(ctx context.Context) (string, error) {
	select {
	case name := <-p.spare:
		return name, nil
	default:
	}
	name := fmt.Sprintf("world%d", p.y.last.Add(1))
	_, err := p.admin.ExecContext(ctx, fmt.Sprintf(p.create, p.y.quote(name)))
	return name, err
}

// leave drops what is in the database, for the next world; where it cannot, the
// database stays until the server ends with the test.
func (p *plots) leave(name string, app *sql.DB) {
	defer app.Close()
	if p.clear == "" {
		_, _ = p.admin.Exec("DROP DATABASE " + p.y.quote(name))
		return
	}
	if _, err := app.Exec(p.clear); err == nil {
		p.spare <- name
	}
}

package engine_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// plots makes one database of a server for each world, and drops it.
type plots struct {
	y      *yard
	admin  *sql.DB
	create string // makes the database of a quoted name
	ready  string // what the reading session is set to once the world stands
	dsn    func(database string) string
	open   func(dsn string) (*sql.DB, error)
}

// serverPlot starts a server for the worlds alone: its sessions are in a zone
// that no policy has.
func serverPlot(t *testing.T, y *yard) func(context.Context, string) (*plot, error) {
	t.Helper()
	p := &plots{y: y}
	switch y.name {
	case "postgres":
		s := servers.NewPostgres(t, servers.Set("timezone", "Asia/Tokyo"))
		u, err := url.Parse(s.Database(t))
		if err != nil {
			t.Fatal(err)
		}
		p.create, p.ready = "CREATE DATABASE %s TEMPLATE template0 STRATEGY file_copy", "SET TIME ZONE 'UTC'; SET datestyle TO ISO, YMD"
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

func (p *plots) make(ctx context.Context, _ string) (*plot, error) {
	name := fmt.Sprintf("world%d", p.y.last.Add(1))
	if _, err := p.admin.ExecContext(ctx, fmt.Sprintf(p.create, p.y.quote(name))); err != nil {
		return nil, err
	}
	dsn := p.dsn(name)
	app, err := p.open(dsn)
	if err != nil {
		return nil, err
	}
	app.SetMaxOpenConns(1)
	drop := func() {
		_ = app.Close()
		_, _ = p.admin.Exec("DROP DATABASE " + p.y.quote(name)) // the server ends with the test
	}
	return &plot{app: app, dsn: dsn, ready: p.ready, drop: drop}, nil
}

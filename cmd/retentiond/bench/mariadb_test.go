package bench

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// mariadb is a server with a database to copy from.
type mariadb struct {
	conf   *mysql.Config
	admin  *sql.DB
	copies int
}

func newMariaDB(b *testing.B) *mariadb {
	b.Helper()
	s := servers.NewMariaDB(b, servers.Set("innodb-buffer-pool-size", "1G"), servers.Set("innodb-log-file-size", "2G"), servers.Set("innodb-flush-log-at-trx-commit", "1"))
	conf, err := mysql.ParseDSN(s.Admin())
	if err != nil {
		b.Fatal(err)
	}
	return &mariadb{conf: conf, admin: openMariaDB(b, conf, "")}
}

func (s *mariadb) dsn(database string) string {
	c := s.conf.Clone()
	c.DBName = database
	return c.FormatDSN()
}

func openMariaDB(b *testing.B, conf *mysql.Config, database string) *sql.DB {
	b.Helper()
	c := conf.Clone()
	c.DBName, c.ParseTime = database, true
	connector, err := mysql.NewConnector(c)
	if err != nil {
		b.Fatal(err)
	}
	return sql.OpenDB(connector)
}

// do runs statements of our own on one session, which writes no binary log: what
// is prepared is nobody's work.
func (s *mariadb) do(b *testing.B, statements ...string) {
	b.Helper()
	conn, err := s.admin.Conn(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	for _, text := range append([]string{"SET sql_log_bin = 0"}, statements...) {
		if _, err := conn.ExecContext(context.Background(), text); err != nil {
			b.Fatalf("%.200s: %v", text, err)
		}
	}
}

// events fills the table of the design; the clock's cutoff is a text, and all
// sessions are in UTC.
func (s *mariadb) events(b *testing.B, rows int) {
	b.Helper()
	due := rows * 2 / 5
	at := fmt.Sprintf("timestamp'%[1]s' - interval 1 second + interval CASE WHEN seq <= %[2]d THEN (seq - %[2]d) * (243 * 86400 / %[2]d) ELSE (seq - %[2]d) * (364 * 86400 / %[3]d) END second",
		cutoff().Format(time.DateTime), due, rows-due)
	s.do(b, "CREATE DATABASE events", "USE events",
		"CREATE TABLE events (id bigint AUTO_INCREMENT PRIMARY KEY, customer_id bigint, email varchar(255), ip varchar(64), user_agent varchar(255), payload text, created_at datetime, KEY events_at (created_at), KEY events_customer (customer_id))",
		fmt.Sprintf("INSERT INTO events SELECT seq, seq * 7919 %% %d, concat('user', seq, '@example.org'), concat('192.0.2.', seq %% 256), lpad(seq, 80, 'u'), lpad(seq, 200, 'p'), %s FROM (SELECT CAST(seq AS signed) AS seq FROM seq_1_to_%d) AS s", customers, at, rows))
}

// copied is a database with the table, and an empty one beside it for what is
// moved there.
func (s *mariadb) copied(b *testing.B) *place {
	b.Helper()
	s.copies++
	name := fmt.Sprintf("events_%d", s.copies)
	s.do(b, "CREATE DATABASE "+name, "USE "+name, "CREATE TABLE events LIKE events.events", "INSERT INTO events SELECT * FROM events.events", "ANALYZE TABLE events")
	p := &place{driver: "mysql", dsn: s.dsn(name), db: openMariaDB(b, s.conf, name), name: name}
	p.drop = func(b *testing.B) {
		b.Helper()
		if err := p.db.Close(); err != nil {
			b.Fatal(err)
		}
		s.do(b, "DROP DATABASE "+name)
	}
	p.logged = func(b *testing.B) (n int64) {
		b.Helper()
		var variable string
		if err := s.admin.QueryRow("SHOW GLOBAL STATUS LIKE 'Innodb_os_log_written'").Scan(&variable, &n); err != nil {
			b.Fatal(err)
		}
		return n
	}
	return p
}

// archiver runs pt-archiver for at most patience, and counts what it did.
func (s *mariadb) archiver(args ...string) func(*testing.B, *place) effort {
	return func(b *testing.B, p *place) effort {
		b.Helper()
		host, port, _ := strings.Cut(s.conf.Addr, ":")
		source := fmt.Sprintf("h=%s,P=%s,u=%s,p=%s,D=%s,t=events", host, port, s.conf.User, s.conf.Passwd, p.name)
		all := []string{"--source", source, "--where", "created_at < '" + cutoff().Format(time.DateTime) + "'", "--no-check-charset"}
		for _, a := range args {
			all = append(all, strings.ReplaceAll(a, "SOURCE", source))
		}
		before := p.number(b, "SELECT count(*) FROM events")
		took, part := patiently(b, "pt-archiver", all...)
		return effort{rows: before - p.number(b, "SELECT count(*) FROM events"), took: took, part: part}
	}
}

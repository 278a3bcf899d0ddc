package main

import (
	"database/sql"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// ground is the kind of database that a world or a site stands on, as tests make,
// copy and ask it: never through a connector. The zero value is a SQLite file.
type ground struct {
	driver string // in the configuration
	time   string // the type of a time without zone
	server func(testing.TB) *servers.Server
}

func (g ground) String() string {
	if g.driver == "" {
		return "sqlite"
	}
	return g.driver
}

// onServers are the grounds that are servers of this process.
func onServers() []ground { return []ground{onPostgres(), onMariaDB()} }

func onPostgres() ground {
	return ground{"postgres", "TIMESTAMP", servers.Postgres}
}

func onMariaDB() ground {
	return ground{"mysql", "DATETIME", servers.MariaDB}
}

// of is the same kind of ground on a server of the test's own.
func (g ground) of(s *servers.Server) ground {
	g.server = func(testing.TB) *servers.Server { return s }
	return g
}

// privateServer starts a server of the ground's kind that the test may kill.
func (g ground) privateServer(t *testing.T, options ...servers.Option) *servers.Server {
	t.Helper()
	if g.driver == "postgres" {
		// After a crash every file is synced, one by one or all at once.
		return servers.NewPostgres(t, append(options, servers.Set("recovery_init_sync_method", "syncfs"))...)
	}
	return servers.NewMariaDB(t, options...)
}

// Files of a directory whose source is on a server.
const (
	dsnFile = "crm.dsn" // of the configuration: a test may put a proxy in
	appFile = "app.dsn" // of the application: straight
)

// configure makes a configuration whose source is crm.db one for this ground.
func (g ground) configure(config string) string {
	if g.server == nil {
		return config
	}
	return strings.Replace(config, "{driver: sqlite, dsn: ./crm.db", "{driver: "+g.driver+", dsn_file: ./"+dsnFile, 1)
}

// ddl writes a schema for this ground; TIME stands for a time without zone.
func (g ground) ddl(text string) string {
	if g.server == nil {
		return strings.ReplaceAll(text, "TIME", "TEXT")
	}
	return strings.ReplaceAll(text, "TIME", g.time)
}

// create makes the directory's database, which is empty.
func (g ground) create(t *testing.T, dir string) {
	t.Helper()
	if g.server != nil {
		g.name(t, dir, g.server(t).Database(t))
	}
}

// name says where the directory's database is.
func (g ground) name(t *testing.T, dir, dsn string) {
	t.Helper()
	writeFile(t, filepath.Join(dir, appFile), dsn)
	writeFile(t, filepath.Join(dir, dsnFile), dsn)
}

// dsn is where the application finds the directory's database.
func (g ground) dsn(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, appFile))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// open is a session of the application, and closed by the caller.
func (g ground) open(t *testing.T, dir string) *sql.DB {
	t.Helper()
	name, dsn := "sqlite", "file:"+filepath.Join(dir, "crm.db")+"?_pragma=busy_timeout(10000)"
	switch g.driver {
	case "postgres":
		name, dsn = "postgres", g.dsn(t, dir)
	case "mysql":
		name, dsn = "mysql", g.dsn(t, dir)
		dsn += map[bool]string{true: "&", false: "?"}[strings.Contains(dsn, "?")] + "multiStatements=true"
	}
	db, err := sql.Open(name, dsn)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

// run runs statements in a session of the application.
func (g ground) run(t *testing.T, dir string, texts ...string) {
	t.Helper()
	db := g.open(t, dir)
	defer db.Close()
	for _, text := range texts {
		if _, err := db.Exec(text); err != nil {
			t.Fatalf("%.300s: %v", text, err)
		}
	}
}

// there is whether the database has the table.
func (g ground) there(t *testing.T, db *sql.DB, table string) bool {
	t.Helper()
	q := "SELECT 1 FROM information_schema.tables WHERE table_schema = " + map[string]string{"postgres": "'public'", "mysql": "DATABASE()"}[g.driver] + " AND table_name = '%s'"
	if g.server == nil {
		q = "SELECT 1 FROM sqlite_schema WHERE name = '%s'"
	}
	return len(query(t, db, fmt.Sprintf(q, table))) > 0
}

// tables lists the tables that are not ours, on a server.
func (g ground) tables() string {
	schema := map[string]string{"postgres": "'public'", "mysql": "DATABASE()"}[g.driver]
	return "SELECT table_name FROM information_schema.tables WHERE table_schema = " + schema + " AND table_name NOT LIKE 'retentiond%' ORDER BY 1"
}

// copy makes the database of the directory into like that of from, with which
// nobody is connected. Files were copied with their directory.
func (g ground) copy(t *testing.T, from, into string) {
	t.Helper()
	if g.server == nil {
		return
	}
	dsn := ""
	switch g.driver {
	case "postgres":
		dsn = g.server(t).Copy(t, g.dsn(t, from))
	case "mysql":
		dsn = g.server(t).Database(t)
		g.copyTables(t, from, databaseOf(dsn))
	}
	g.name(t, into, dsn)
}

// databaseOf is the database that a DSN names.
func databaseOf(dsn string) string {
	dsn, _, _ = strings.Cut(dsn, "?")
	return dsn[strings.LastIndexByte(dsn, '/')+1:]
}

func (g ground) copyTables(t *testing.T, from, name string) {
	t.Helper()
	db := g.open(t, from)
	defer db.Close()
	texts := []string{"SET foreign_key_checks = 0", "SET unique_checks = 0"}
	fill := []string{"BEGIN"}
	for _, table := range query(t, db, "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()") {
		var made string
		if err := db.QueryRow("SHOW CREATE TABLE `"+table+"`").Scan(&table, &made); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, strings.Replace(made, "CREATE TABLE `", "CREATE TABLE `"+name+"`.`", 1))
		fill = append(fill, fmt.Sprintf("INSERT INTO `%s`.`%s` SELECT * FROM `%s`", name, table, table))
	}
	for _, q := range append(append(texts, fill...), "COMMIT") {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

// remember keeps the tables as they are: queries know them as old.TABLE.
func (g ground) remember(t *testing.T, dir string, tables ...string) {
	t.Helper()
	if g.server == nil {
		return // the world's own file is attached
	}
	db := g.open(t, dir)
	defer db.Close()
	for _, table := range tables {
		if !g.there(t, db, table) {
			continue
		}
		for _, q := range []string{"DROP TABLE IF EXISTS old_%[1]s", "CREATE TABLE old_%[1]s AS SELECT * FROM %[1]s"} {
			if _, err := db.Exec(fmt.Sprintf(q, table)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// text is a query for this ground.
func (g ground) text(q string) string {
	if g.server == nil {
		return q
	}
	return strings.ReplaceAll(q, "old.", "old_")
}

// passwordOf is the secret of a DSN, which must be in no output.
func (g ground) passwordOf(t *testing.T, dsn string) string {
	t.Helper()
	head, _, _ := strings.Cut(dsn[strings.Index(dsn, "//")+1:], "@")
	return head[strings.LastIndexByte(head, ':')+1:]
}

// at changes the address of a DSN.
func (g ground) at(t *testing.T, dsn, host, port string) string {
	t.Helper()
	return strings.Replace(dsn, g.server(t).Addr(), net.JoinHostPort(host, port), 1)
}

// waits is whether a session of the database waits for a lock.
func (g ground) waits(t *testing.T, db *sql.DB) bool {
	t.Helper()
	q := "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
	if g.driver == "mysql" {
		// Not innodb_trx: it is a cache, which never renews itself while several ask.
		q = "SELECT 1 FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID() AND command <> 'Sleep' AND time_ms > 300"
	}
	return len(query(t, db, q)) > 0
}

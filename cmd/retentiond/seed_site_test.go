package main

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retentiond/retentiond/testdata"
)

// seedSite is the five systems of the demo on a server, each with its database
// and ready policy, and the configuration that names them.
func seedSite(t *testing.T, on ground, rows int) site {
	t.Helper()
	s := site{T: t, dir: filepath.Join(t.TempDir(), "seeds"), on: on}
	w, err := buildWorld(context.Background(), s.dir, rows, worldAsOf(), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	config := s.read("retentiond.yaml")
	for _, p := range w.Policies {
		dsn := on.server(t).Database(t)
		s.write(p+".dsn", dsn)
		config = strings.Replace(config, "{driver: sqlite, dsn: ./"+p+".db", "{driver: "+on.driver+", dsn_file: ./"+p+".dsn", 1)
		on.move(t, p, filepath.Join(s.dir, p+".db"), dsn)
	}
	s.write("retentiond.yaml", config)
	return s
}

// move fills a system's schema on the server with the rows of a file. Values that
// the server's types do not hold (a date that is none) become NULL.
func (g ground) move(t *testing.T, policy, file, dsn string) {
	t.Helper()
	ddl, err := testdata.Schema(policy, map[string]string{"postgres": "postgres", "mysql": "mariadb"}[g.driver])
	if err != nil {
		t.Fatal(err)
	}
	g.server(t).Load(t, dsn, ddl)
	from, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := sql.Open(map[string]string{"postgres": "postgres", "mysql": "mysql"}[g.driver], dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	to.SetMaxOpenConns(1)
	off, analyze := "SET session_replication_role = replica", "VACUUM ANALYZE %s"
	if g.driver == "mysql" {
		off, analyze = "SET foreign_key_checks = 0, time_zone = '+00:00'", "ANALYZE TABLE %s"
	}
	if _, err := to.Exec(off); err != nil {
		t.Fatal(err)
	}
	for _, table := range query(t, from, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1") {
		g.moveTable(t, from, to, table)
		if _, err := to.Exec(fmt.Sprintf(analyze, table)); err != nil {
			t.Fatal(err)
		}
	}
}

func (g ground) moveTable(t *testing.T, from, to *sql.DB, table string) {
	t.Helper()
	types, nullable := map[string]string{}, map[string]bool{}
	schema := map[string]string{"postgres": "'public'", "mysql": "DATABASE()"}[g.driver]
	for _, line := range query(t, to, "SELECT column_name, is_nullable, data_type FROM information_schema.columns WHERE table_schema = "+schema+" AND table_name = '"+table+"'") {
		f := strings.SplitN(line, " ", 3)
		types[f[0]], nullable[f[0]] = f[2], f[1] == "YES"
	}
	rows, err := from.Query("SELECT * FROM " + table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	const most = 500
	var values []string
	var args []any
	flush := func() {
		if len(values) == 0 {
			return
		}
		if _, err := to.Exec("INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES "+strings.Join(values, ", "), args...); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		values, args = nil, nil
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		marks, fits := make([]string, len(row)), true
		for i, name := range columns {
			row[i] = moved(types[name], row[i])
			fits = fits && (row[i] != nil || nullable[name])
			marks[i] = "?"
			if g.driver == "postgres" {
				marks[i] = fmt.Sprint("$", len(args)+i+1)
			}
		}
		if !fits {
			continue
		}
		values, args = append(values, "("+strings.Join(marks, ", ")+")"), append(args, row...)
		if len(values) == most {
			flush()
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	flush()
}

// moved is a value of a file as a column of the server's type takes it; nil: it
// says no instant.
func moved(typ string, v any) any {
	text, ok := v.(string)
	if b, isBytes := v.([]byte); isBytes && typ != "bytea" && !strings.HasSuffix(typ, "blob") {
		text, ok = string(b), true
	}
	if at, isTime := v.(time.Time); isTime {
		text, ok = at.UTC().Format(time.DateTime), true
	}
	if _, isFloat := v.(float64); isFloat && strings.Contains(typ, "int") {
		return nil
	}
	if n, isNumber := v.(int64); isNumber && (strings.HasPrefix(typ, "timestamp") || strings.HasPrefix(typ, "date")) {
		text, ok = fmt.Sprint(n), true
	}
	if !ok {
		return v
	}
	form := time.DateTime
	switch {
	case typ == "date":
		form = time.DateOnly
	case strings.HasPrefix(typ, "timestamp") || typ == "datetime":
	case strings.Contains(typ, "int") || typ == "numeric" || typ == "decimal":
		if text == "" || strings.Trim(text, "-0123456789") != "" || len(text) > 18 {
			return nil
		}
		return text
	default:
		return text
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04"} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() > 1970 && at.Year() < 2038 {
			return at.UTC().Format(form)
		}
	}
	return nil
}

// filesOfRows tests that a tree has the files that rows name, and no others.
func (s site) filesOfRows(policy, text, tree string) {
	s.Helper()
	db, err := sql.Open(map[string]string{"postgres": "postgres", "mysql": "mysql"}[s.on.driver], s.read(policy+".dsn"))
	must(s.T, err)
	defer db.Close()
	want := query(s.T, db, text)
	slices.Sort(want)
	var got []string
	root := s.path(tree)
	must(s.T, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), ".retentiond") {
			return err
		}
		name, err := filepath.Rel(root, path)
		got = append(got, filepath.ToSlash(name))
		return err
	}))
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
		s.Errorf("%s: files of rows (-) and of the tree (+): %s", tree, diff)
	}
}

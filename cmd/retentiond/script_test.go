package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite"
)

// TestMain lets scripts run this very binary as retentiond, in a process of
// its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"retentiond": func() { limitFiles(); os.Exit(process()) }})
}

// TestScript runs testdata/script/*.txtar: every command, its good way and its
// mistakes, against real SQLite databases.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "1")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": scriptExits, "sqlite": scriptSQLite, "lock": scriptLock, "json": scriptJSON, "keep": scriptKeep,
		},
	})
}

// scriptExits runs a command and asks for its exit code: exits 4 retentiond plan.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND …")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// scriptSQLite runs SQL, or that of @FILE, and prints the rows, columns parted
// by |.
func scriptSQLite(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: sqlite FILE SQL …")
	}
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	for _, q := range args[1:] {
		if file, ok := strings.CutPrefix(q, "@"); ok {
			_, err := db.ExecContext(context.Background(), ts.ReadFile(file))
			ts.Check(err)
			continue
		}
		ts.Check(printRows(ts, db, q))
	}
}

func printRows(ts *testscript.TestScript, db *sql.DB, q string) error {
	rows, err := db.QueryContext(context.Background(), q)
	if err != nil {
		return err
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		cells, into := make([]sql.NullString, len(cols)), make([]any, len(cols))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		var text []string
		for _, c := range cells {
			text = append(text, c.String)
		}
		fmt.Fprintln(ts.Stdout(), strings.Join(text, "|"))
	}
	return rows.Err()
}

// scriptLock holds an exclusive lock on a database until the script ends.
func scriptLock(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: lock FILE")
	}
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(context.Background(), "BEGIN EXCLUSIVE")
	ts.Check(err)
	ts.Defer(func() { _ = db.Close() })
}

// scriptJSON compares a value of the JSON document on stdout: json PATH VALUE.
// A path's parts are parted by /; a part is a name, an index, NAME=VALUE to
// choose an element of a list, or len for its length.
func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: json PATH VALUE")
	}
	got := textOf(lookup(ts, args[0]))
	if (got == args[1]) == neg {
		ts.Fatalf("%s is %s", args[0], got)
	}
}

// scriptKeep puts a value of the JSON document into the environment: keep NAME PATH.
func scriptKeep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep NAME PATH")
	}
	ts.Setenv(args[0], textOf(lookup(ts, args[1])))
}

func lookup(ts *testscript.TestScript, path string) any {
	dec := json.NewDecoder(bytes.NewReader([]byte(ts.ReadFile("stdout"))))
	dec.UseNumber()
	var v any
	ts.Check(dec.Decode(&v))
	if dec.More() {
		ts.Fatalf("more than one JSON document on stdout")
	}
	for _, part := range strings.Split(path, "/") {
		var ok bool
		if v, ok = step(v, part); !ok {
			ts.Fatalf("no %q of %s", part, path)
		}
	}
	return v
}

func step(v any, part string) (any, bool) {
	switch x := v.(type) {
	case map[string]any:
		y, ok := x[part]
		return y, ok
	case []any:
		if part == "len" {
			return json.Number(strconv.Itoa(len(x))), true
		}
		if name, want, ok := strings.Cut(part, "="); ok {
			return choose(x, name, want)
		}
		i, err := strconv.Atoi(part)
		if err != nil || i < 0 || i >= len(x) {
			return nil, false
		}
		return x[i], true
	}
	return nil, false
}

func choose(list []any, name, want string) (any, bool) {
	for _, e := range list {
		if m, ok := e.(map[string]any); ok && textOf(m[name]) == want {
			return e, true
		}
	}
	return nil, false
}

func textOf(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

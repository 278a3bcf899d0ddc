package main

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestVaultInReach: check refuses a vault that the application's own role can read,
// and nothing else about it once it cannot.
func TestVaultInReach(t *testing.T) {
	for _, on := range onServers() {
		t.Run(on.String(), func(t *testing.T) {
			t.Parallel()
			tp := worldOn(on, "archive").make(t)
			dir := tp.copy(t)
			tp.commandIn(t, dir, exitOK, tp.dated("run")...)
			app := fmt.Sprintf("app_%x", rand.Uint32())
			config, err := os.ReadFile(filepath.Join(dir, "retentiond.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(dir, "retentiond.yaml"), strings.Replace(string(config), "dsn_file: ./crm.dsn", "application_role: "+app+", dsn_file: ./crm.dsn", 1))
			name := databaseOf(on.dsn(t, dir))
			words := map[string][]string{
				"postgres": {"CREATE ROLE " + app, "GRANT SELECT (name) ON archive_prospects TO " + app, "REVOKE ALL ON archive_prospects FROM " + app, "DROP ROLE " + app},
				"mysql":    {"CREATE USER '" + app + "'@'%'", "GRANT SELECT ON `" + name + "`.* TO '" + app + "'@'%'", "REVOKE SELECT ON `" + name + "`.* FROM '" + app + "'@'%'", "DROP USER '" + app + "'@'%'"},
			}[on.driver]
			asAdmin(t, on, dir, words[0])
			defer asAdmin(t, on, dir, words[3])
			for i, want := range []bool{false, true, false} {
				if i > 0 {
					asAdmin(t, on, dir, words[i])
				}
				at := *tp
				at.dir = dir
				code, out := at.tries(t, "check")
				if refused := code == exitUsage && strings.Contains(out, "vault_readable"); refused != want || strings.Contains(out, "vault_readable") != want {
					t.Errorf("step %d: exit code %d: %s", i, code, out)
				}
			}
		})
	}
}

// asAdmin runs a statement in the world's database as the server's administrator.
func asAdmin(t *testing.T, on ground, dir, text string) {
	t.Helper()
	driver, dsn := on.driver, on.server(t).Admin()
	name := databaseOf(on.dsn(t, dir))
	if i := strings.LastIndexByte(dsn, '/'); i >= 0 {
		_, options, _ := strings.Cut(dsn[i:], "?")
		dsn = dsn[:i+1] + name
		if options != "" {
			dsn += "?" + options
		}
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

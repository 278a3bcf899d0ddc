package main

import (
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// TestHiddenChildren: row-level security on a child or a clock's table, which the
// rule does not govern, refuses the rule before anything is planned.
func TestHiddenChildren(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		if on.driver != "postgres" {
			continue
		}
		s := badSite(t, on)
		s.do(exitOK, "check", "--install")
		app := on.open(t, s.dir)
		defer app.Close()
		if _, err := app.Exec("ALTER TABLE interactions ENABLE ROW LEVEL SECURITY"); err != nil {
			t.Fatal(err)
		}
		role := servers.Postgres(t).Role(t, on.dsn(t, s.dir), "SELECT, UPDATE, DELETE ON prospects", "SELECT, UPDATE, DELETE ON interactions",
			"SELECT, UPDATE ON retentiond_gate", "SELECT, INSERT, DELETE ON retentiond_receipt")
		s.write(dsnFile, role)
		s.do(exitUsage, "check").says("unsafe_table", "interactions", "row-level security")
		s.untouched("crm.db", func() {
			s.do(exitPartial, "run", "--output", "json").says("unsafe_table", "row-level security", "BYPASSRLS")
		})
	}
}

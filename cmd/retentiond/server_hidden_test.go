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

// TestHiddenReferrers: MariaDB shows a user neither the tables nor the triggers
// that he may not use. What refers to a governed table unseen would lose rows with
// it, so nothing acts.
func TestHiddenReferrers(t *testing.T) {
	t.Parallel()
	on := onMariaDB()
	s := badSite(t, on)
	s.do(exitOK, "check", "--install")
	s.exec("crm.db", "CREATE TABLE secrets (id INTEGER PRIMARY KEY, prospect_id INTEGER, FOREIGN KEY (prospect_id) REFERENCES prospects (id) ON DELETE CASCADE)", "INSERT INTO secrets VALUES (1, 2)")
	own := []string{"SELECT, UPDATE, DELETE ON interactions", "SELECT, INSERT, UPDATE, DELETE ON retentiond_gate", "SELECT, INSERT, UPDATE, DELETE ON retentiond_receipt"}
	for says, grants := range map[string][]string{
		"is not shown every table": {"SELECT, UPDATE, DELETE, TRIGGER ON prospects"},
		"foreign_key":              {"SELECT, TRIGGER ON *", "UPDATE, DELETE ON prospects"}, // shown, and refused by the rule
	} {
		s.write(dsnFile, on.server(t).Role(t, on.dsn(t, s.dir), append(grants, own...)...))
		s.do(exitUsage, "check").says(says)
		s.untouched("crm.db", func() { s.anyCode("run", "--output", "json").says(says) })
	}
	s.exec("crm.db", "DROP TABLE secrets")
	s.write(dsnFile, on.server(t).Role(t, on.dsn(t, s.dir), append([]string{"SELECT ON *", "SELECT, UPDATE, DELETE ON prospects"}, own...)...))
	s.untouched("crm.db", func() { s.anyCode("run", "--output", "json").says("triggers", "GRANT TRIGGER") })
	s.do(exitOK, "audit", "verify")
}

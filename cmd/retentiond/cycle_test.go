package main

import (
	"strings"
	"testing"
)

const cyclePolicy = siteHead + `limits: {share: 100%}
datasets:
  people:
    table: people
    subject: {person: id}
CHILDREN
rules:
  - {id: people, title: People, dataset: people, from: at, keep: 1 year, then: delete, approve: never}
`

// Tables that refer to one another in a circle: a rule on one of them is refused while it
// does not say what becomes of the other's rows, and takes its own rows once it does.
func TestForeignKeysInACircle(t *testing.T) {
	t.Parallel()
	for _, on := range append(onServers(), ground{}) {
		t.Run(on.String(), func(t *testing.T) {
			t.Parallel()
			rows := `CREATE TABLE people (id INTEGER PRIMARY KEY, team INTEGER, at TIME);
CREATE TABLE teams (id INTEGER PRIMARY KEY, lead INTEGER, FOREIGN KEY (lead) REFERENCES people (id));
CREATE INDEX teams_lead ON teams (lead); CREATE INDEX people_at ON people (at);
INSERT INTO people VALUES (1, NULL, '2015-01-01 00:00:00'), (2, NULL, '2015-01-01 00:00:00'), (3, NULL, '2999-01-01 00:00:00');
INSERT INTO teams VALUES (10, 1), (20, 3);`
			close := "ALTER TABLE people ADD FOREIGN KEY (team) REFERENCES teams (id); UPDATE people SET team = 10 WHERE id < 3; UPDATE people SET team = 20 WHERE id = 3"
			if on.server == nil { // SQLite adds no key to a table that is there
				rows = "CREATE TABLE people (id INTEGER PRIMARY KEY, team INTEGER REFERENCES teams (id), at TIME);" + rows[len("CREATE TABLE people (id INTEGER PRIMARY KEY, team INTEGER, at TIME);"):]
				close = close[len("ALTER TABLE people ADD FOREIGN KEY (team) REFERENCES teams (id); "):]
			}
			s := newSiteOn(t, on, cycleOf(""), rows)
			s.exec("crm.db", close)
			s.do(exitRefused, "run", "--output", "json").is("refusals/0/code", "foreign_key")
			s.wantQuery("SELECT count(*) FROM people", "3")
			s.write("policies/shop.yaml", cycleOf("    children:\n      - {table: teams, on: {lead: id}, then: detach}"))
			s.do(exitOK, "run", "--output", "json").is("steps/0/planned", "2", "steps/0/done", "2", "verdict", "ok")
			s.wantQuery("SELECT id FROM people", "3")
			s.wantQuery("SELECT id FROM teams WHERE lead IS NULL", "10")
			s.wantQuery("SELECT id FROM teams WHERE lead = 3", "20")
			s.do(exitOK, "audit", "verify")
		})
	}
}

func cycleOf(children string) string {
	return strings.Replace(cyclePolicy, "CHILDREN\n", children+"\n", 1)
}

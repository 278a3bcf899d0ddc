package main

import (
	"strings"
	"testing"
	"time"
)

// A clock that is not what it was, or not the source's, stops everything until a
// person accepts it (L12).
func TestClockGuard(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	tests := []struct {
		name      string
		last, now time.Duration // of the last run, and of this one, from the real time
		says      string        // empty: not refused
	}{
		{"the same", 0, 0, ""},
		{"a month later: rules that people run by hand", -31 * day, 0, ""},
		{"forward by half a year", -180 * day, 0, "the clock jumped forward"},
		{"back by two hours", 2 * time.Hour, 0, "the clock went back"},
		{"back by thirty seconds", 30 * time.Second, 0, ""},
		{"ahead of the source", 0, 3 * time.Minute, "differs by"},
		{"behind the source", -day, -3 * time.Minute, "differs by"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			real := time.Now() // not earlier: others may have had their turn first
			last, now := real.Add(tt.last), real.Add(tt.now)
			s.at(last, exitOK, "run", "--approve", "--by", "Ada", "--accept-clock")
			s.due(7)
			if tt.says == "" {
				s.at(now, exitOK, "run", "--output", "json").is("steps/0/done", "1")
				return
			}
			s.untouched("crm.db", func() {
				s.at(now, exitRefused, "plan", "--output", "json").is("refusals/0/code", "clock").says(tt.says)
				s.at(now, exitRefused, "run", "--output", "json").is("verdict", "refused", "refusals/0/code", "clock").says(tt.says)
				s.at(now, exitRefused, "run").says("clock", "--accept-clock")
				// An approval is of a plan, not of a clock.
				s.at(now, exitRefused, "run", "--approve", "--by", "Ada").says("--accept-clock")
			})
			s.at(now, exitOK, "run", "--accept-clock", "--output", "json").is("steps/0/done", "1")
			s.do(exitOK, "audit", "verify")
		})
	}
}

// A refused clock is not learnt: the second try is refused as the first was.
func TestRefusedClockIsNotLearnt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	now := time.Now()
	s.at(now.AddDate(-1, 0, 0), exitOK, "run", "--approve", "--by", "Ada", "--accept-clock")
	s.due(7)
	s.untouched("crm.db", func() {
		for range 3 {
			s.at(now, exitRefused, "plan")
			s.at(now, exitRefused, "run")
		}
	})
}

var drifts = map[string]string{
	"new column":         "ALTER TABLE prospects ADD COLUMN phone TEXT",
	"dropped column":     "ALTER TABLE prospects DROP COLUMN email",
	"renamed column":     "ALTER TABLE prospects RENAME COLUMN email TO mail",
	"changed type":       "ALTER TABLE prospects DROP COLUMN status; ALTER TABLE prospects ADD COLUMN status INTEGER",
	"new column, child":  "ALTER TABLE interactions ADD COLUMN note TEXT",
	"new foreign key":    "CREATE TABLE orders (id INTEGER PRIMARY KEY, prospect_id INTEGER REFERENCES prospects (id))",
	"new cascade":        "CREATE TABLE orders (id INTEGER PRIMARY KEY, prospect_id INTEGER REFERENCES prospects (id) ON DELETE CASCADE)",
	"new trigger":        "CREATE TRIGGER t AFTER DELETE ON prospects BEGIN DELETE FROM interactions; END",
	"new trigger, child": "CREATE TRIGGER t AFTER DELETE ON interactions BEGIN DELETE FROM prospects; END",
	"dropped clock":      "DROP INDEX prospects_created; ALTER TABLE prospects DROP COLUMN created_at",
	"dropped table":      "PRAGMA foreign_keys=OFF; DROP TABLE prospects",
}

// A schema that moved between plan and run, or between two runs, stops the step
// before its first write (L12).
func TestSchemaDrift(t *testing.T) {
	t.Parallel()
	codes := map[string]string{"new foreign key": "foreign_key", "new cascade": "foreign_key", "new trigger": "unsafe_table", "new trigger, child": "unsafe_table"}
	for name, ddl := range drifts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			plan := s.plan()
			s.do(exitOK, "approve", plan, "--by", "Ada", "--reason", "checked")
			s.exec("crm.db", ddl)
			s.untouched("crm.db", func() {
				s.do(exitRefused, "run", "--plan", plan, "--output", "json").is("steps", "[]", "refusals/0/code", "schema_drift", "refusals/0/rule", "prospects")
				s.do(exitRefused, "run", "--plan", plan).says("schema_drift", "retentiond plan")
			})

			s = newSite(t)
			s.approve()
			s.due(7)
			s.exec("crm.db", ddl)
			s.untouched("crm.db", func() {
				r := s.do(exitRefused, "run", "--output", "json").is("steps", "[]")
				if got := r.get("refusals/0/code"); got != "schema_drift" && got != codes[name] {
					t.Errorf("code %s: %s", got, r.out)
				}
			})
		})
	}
}

// The same on servers, in their words.
func TestSchemaDriftOnServers(t *testing.T) {
	t.Parallel()
	codes := map[string]string{"new cascade": "foreign_key"}
	for _, on := range onServers() {
		for _, name := range []string{"new column", "dropped column", "dropped clock", "new cascade", "new column, child"} {
			t.Run(on.driver+"/"+name, func(t *testing.T) {
				t.Parallel()
				ddl := map[string]string{"dropped clock": "ALTER TABLE prospects DROP COLUMN created_at",
					"new cascade": "CREATE TABLE orders (id INTEGER PRIMARY KEY, prospect_id INTEGER, FOREIGN KEY (prospect_id) REFERENCES prospects (id) ON DELETE CASCADE)"}[name]
				if ddl == "" {
					ddl = drifts[name]
				}
				s := newSiteOn(t, on, sitePolicy, shopRows())
				plan := s.plan()
				s.do(exitOK, "approve", plan, "--by", "Ada", "--reason", "checked")
				s.exec("crm.db", ddl)
				s.untouched("crm.db", func() {
					r := s.do(exitRefused, "run", "--plan", plan, "--output", "json").is("steps", "[]")
					if got := r.get("refusals/0/code"); got != "schema_drift" && got != codes[name] {
						t.Errorf("code %s: %s", got, r.out)
					}
				})
			})
		}
	}
}

// A drift that a person looked at is approved with the plan.
func TestSchemaDriftApproved(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.approve()
	s.due(7)
	s.exec("crm.db", drifts["new column"])
	r := s.do(exitRefused, "plan", "--output", "json").is("refusals/0/code", "schema_drift")
	s.do(exitOK, "approve", r.get("plan"), "--by", "Ada", "--reason", "the new column goes with the row")
	s.do(exitOK, "run", "--plan", r.get("plan"), "--output", "json").is("steps/0/done", "1")
	s.exec("crm.db", "INSERT INTO prospects (id, created_at) VALUES (8, '2012-01-01 10:00:00')")
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "1")
}

// Limits count children, and shares count from a thousand rows on; they refuse
// in the dry run as in the run, whatever `approve` says.
func TestLimits(t *testing.T) {
	t.Parallel()
	many := siteSQL + "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 1099) INSERT INTO prospects SELECT i, 'n', 'open', datetime('now') FROM n;"
	due := "WITH RECURSIVE n(i) AS (SELECT 5000 UNION ALL SELECT i + 1 FROM n WHERE i < 5299) INSERT INTO prospects SELECT i, 'd', 'lost', '2012-01-01' FROM n;"
	tests := []struct {
		name, limits, rows, code string
	}{
		{"rows", "limits: {rows: 1}", siteSQL, "limit_rows"},
		{"rows with children", "limits: {rows: 3}", siteSQL, "limit_rows"},
		{"as many as allowed", "limits: {rows: 4}", siteSQL, ""},
		{"share", "limits: {share: 20%}", many + due, "limit_share"},
		{"share by default", "", many + due, "limit_share"},
		{"share allowed", "limits: {share: 25%}", many + due, ""},
		{"share of a small table", "limits: {share: 1%}", siteSQL, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rule := siteRule + "    approve: never\n"
			s := newSiteWith(t, siteHead+tt.limits+"\n"+siteDatasets+rule, tt.rows)
			if tt.code == "" {
				s.do(exitOK, "run")
				return
			}
			s.untouched("crm.db", func() {
				s.do(exitRefused, "plan", "--output", "json").is("refusals/len", "1", "refusals/0/code", tt.code)
				s.do(exitRefused, "run", "--output", "json").is("refusals/len", "1", "refusals/0/code", tt.code, "steps", "[]")
				s.do(exitRefused, "run").says(tt.code, "over the limit of", "approve ")
			})
			plan := s.do(exitRefused, "plan", "--output", "json").get("plan")
			s.do(exitOK, "approve", plan, "--by", "Ada", "--reason", "counted")
			s.do(exitOK, "run", "--plan", plan)
		})
	}
}

// What a rule means is approved, not its name: a first run, a shorter period, a
// wider condition or another action wait for a person again.
func TestMeaningIsApproved(t *testing.T) {
	t.Parallel()
	changes := map[string]string{
		"shorter period":   strings.Replace(sitePolicy, "keep: 3 years", "keep: 3 days", 1),
		"another action":   strings.Replace(sitePolicy, "then: delete\n", "then: redact\n    columns: {email: null}\n", 2),
		"wider condition":  strings.Replace(sitePolicy, "keep:", "where: {id: {gt: 0}}\n    keep:", 1),
		"another clock":    strings.Replace(sitePolicy, "from: {latest: [created_at, {table: interactions, on: {prospect_id: id}, column: occurred_at}]}", "from: created_at", 1),
		"fewer protection": strings.Replace(sitePolicy, "latest", "earliest", 1),
	}
	changes["another action"] = strings.Replace(sitePolicy, "    keep: 3 years\n    then: delete\n", "    keep: 3 years\n    then: redact\n    columns: {email: null}\n", 1)
	for name, policy := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.untouched("crm.db", func() {
				s.do(exitRefused, "run", "--output", "json").is("refusals/0/code", "approval").says("first run of this rule")
			})
			plan := s.plan()
			s.do(exitOK, "approve", plan, "--by", "Ada", "--reason", "r")
			// Between approval and run the policy changes: what was approved is gone.
			s.write("policies/shop.yaml", policy)
			s.untouched("crm.db", func() {
				s.do(exitRefused, "run", "--plan", plan, "--output", "json").is("refusals/0/code", "expired_plan", "steps", "[]").says("plan again")
				s.do(exitRefused, "run", "--output", "json").is("refusals/0/code", "approval").says("first run of this rule")
			})
			s.write("policies/shop.yaml", sitePolicy)
			s.do(exitOK, "run", "--plan", plan)
			s.due(7)
			s.write("policies/shop.yaml", policy)
			s.untouched("crm.db", func() {
				s.do(exitRefused, "run", "--output", "json").is("refusals/0/code", "approval").says("meaning changed")
			})
			s.approve()
		})
	}
}

// An approval is a yes to one plan: what fell due since waits, until the approved
// plan itself has run.
func TestApprovalIsOfThePlan(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	plan := s.plan()
	s.do(exitOK, "approve", plan, "--by", "Ada", "--reason", "r")
	s.due(7)
	s.untouched("crm.db", func() {
		s.do(exitRefused, "run", "--output", "json").is("refusals/0/code", "approval")
	})
	s.do(exitOK, "run", "--plan", plan, "--output", "json").is("steps/0/unplanned", "1")
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "1")
}

// Words that mean nothing new need no new approval.
func TestWordsNeedNoApproval(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.approve()
	s.due(7)
	s.write("policies/shop.yaml", "# a comment\n"+strings.Replace(sitePolicy, "title: Prospects", "title: Leads", 1))
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "1")
}

func TestApproveModes(t *testing.T) {
	t.Parallel()
	mode := func(t *testing.T, m string) site {
		return newSiteWith(t, sitePolicy+"    approve: "+m+"\n", siteSQL)
	}
	t.Run("always", func(t *testing.T) {
		s := mode(t, "always")
		for id := 7; id < 9; id++ {
			s.untouched("crm.db", func() { s.do(exitRefused, "run").says("approval") })
			s.approve()
			s.due(id)
		}
	})
	t.Run("never", func(t *testing.T) {
		s := mode(t, "never")
		s.do(exitOK, "run", "--output", "json").is("steps/0/done", "2")
	})
	t.Run("first", func(t *testing.T) {
		s := mode(t, "first")
		s.do(exitRefused, "run").says("approval")
		s.approve()
		s.due(7)
		s.do(exitOK, "run", "--output", "json").is("steps/0/done", "1")
	})
}

// Plans end: after seven days, after a rejection, after their run; a preview
// never begins.
func TestPlansEnd(t *testing.T) {
	t.Parallel()
	now := time.Now()
	old := now.AddDate(0, 0, -8)
	week := now.AddDate(0, 0, -6)
	t.Run("approved eight days ago", func(t *testing.T) {
		s := newSite(t)
		plan := s.at(old, exitRefused, "plan", "--output", "json").get("plan") // the source's clock differs
		s.at(old, exitOK, "approve", plan, "--by", "Ada", "--reason", "r")
		s.untouched("crm.db", func() {
			s.do(exitRefused, "run", "--plan", plan, "--output", "json").is("refusals/0/code", "expired_plan").says("over 7 days old")
			s.do(exitRefused, "run", "--plan", plan).oneError("plan again", "retentiond plan")
		})
	})
	t.Run("approved six days ago", func(t *testing.T) {
		s := newSite(t)
		plan := s.at(week, exitOK, "plan", "--accept-clock", "--output", "json")
		s.at(week, exitOK, "approve", plan.get("plan"), "--by", "Ada", "--reason", "r")
		s.do(exitOK, "run", "--plan", plan.get("plan"), "--output", "json").is("steps/0/done", "2")
	})
	t.Run("made eight days ago", func(t *testing.T) {
		s := newSite(t)
		plan := s.at(old, exitOK, "plan", "--accept-clock", "--output", "json").get("plan")
		s.untouched("crm.db", func() {
			s.do(exitRefused, "approve", plan, "--by", "Ada", "--reason", "r").oneError("over 7 days old", "retentiond plan")
		})
	})
	t.Run("rejected", func(t *testing.T) {
		s := newSite(t)
		plan := s.plan()
		s.do(exitOK, "reject", plan, "--by", "Ada", "--reason", "r")
		s.untouched("crm.db", func() {
			s.do(exitRefused, "run", "--plan", plan, "--approve", "--by", "Eve").oneError("rejected by Ada")
			s.do(exitRefused, "approve", plan, "--by", "Eve", "--reason", "r").oneError("rejected by Ada")
		})
	})
	t.Run("run twice", func(t *testing.T) {
		s := newSite(t)
		plan := s.plan()
		s.do(exitOK, "run", "--plan", plan, "--approve", "--by", "Ada")
		s.due(7)
		s.untouched("crm.db", func() {
			s.do(exitRefused, "run", "--plan", plan).oneError("has already run", "retentiond plan")
		})
	})
	t.Run("preview", func(t *testing.T) {
		s := newSite(t)
		s.untouched("crm.db", func() {
			plan := s.do(exitOK, "plan", "--as-of", "2090-01-01", "--output", "json").is("preview", "true").get("plan")
			s.do(exitRefused, "approve", plan, "--by", "Ada", "--reason", "r").oneError("is a preview")
			s.do(exitRefused, "run", "--plan", plan).oneError("is a preview")
			s.do(exitRefused, "run", "--plan", plan, "--approve", "--by", "Ada").oneError("is a preview")
			s.do(exitRefused, "run", "--as-of", "2090-01-01", "--approve", "--by", "Ada", "--output", "json").is("refusals/0/code", "preview")
		})
	})
	t.Run("holds changed", func(t *testing.T) {
		s := newSite(t)
		plan := s.plan()
		s.do(exitOK, "approve", plan, "--by", "Ada", "--reason", "r")
		s.hold("person:2")
		s.do(exitOK, "run", "--plan", plan, "--output", "json").is("steps/0/planned", "2", "steps/0/done", "1", "steps/0/spared/held", "1")
	})
}

// Rows that qualify after the plan was made are not in it (L6).
func TestPlanIsRunExactly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	plan := s.plan()
	s.do(exitOK, "approve", plan, "--by", "Ada", "--reason", "r")
	for id := 20; id < 25; id++ {
		s.due(id)
	}
	s.exec("crm.db", "DELETE FROM interactions WHERE prospect_id = 3", "DELETE FROM interactions WHERE prospect_id = 1", "DELETE FROM prospects WHERE id = 1")
	s.do(exitOK, "run", "--plan", plan, "--output", "json").is("steps/0/planned", "2", "steps/0/done", "1", "steps/0/spared/failed", "0", "steps/0/unplanned", "6")
	if got := s.ids(); got != "3 4 5 6 20 21 22 23 24" {
		t.Errorf("rows %s", got)
	}
}

// The kill switch, as every guard, refuses before the first write.
func TestGuardsNameTheirCode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.do(exitOK, "stop-all", "--by", "Ada", "--reason", "incident")
	plan := s.do(exitOK, "plan", "--output", "json").get("plan")
	s.untouched("crm.db", func() {
		for _, args := range [][]string{{"run"}, {"run", "--plan", plan}, {"run", "--approve", "--by", "Ada"}, {"run", "--plan", plan, "--approve", "--by", "Ada"}} {
			s.do(exitRefused, append(args, "--output", "json")...).is("refusals/0/code", "kill_switch", "verdict", "refused")
			s.do(exitRefused, args...).oneError("incident", "retentiond resume")
		}
	})
	if got := s.query("crm.db", "SELECT count(*) FROM sqlite_master WHERE name LIKE 'retentiond_%'"); got != "0" {
		t.Errorf("%s tables were installed by runs that were refused", got)
	}
}

package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
)

// nothing fails where f changes a row, or the holds.
func (s site) nothing(f func()) {
	s.Helper()
	count := func() string {
		if _, err := os.Stat(s.path("state.db")); err != nil {
			return "0"
		}
		return s.query("state.db", "SELECT count(*) FROM holds")
	}
	before := count()
	s.untouched("crm.db", f)
	if after := count(); after != before {
		s.Errorf("%s holds became %s", before, after)
	}
}

// A mistake in a policy stops its rules, with its place and what would be right,
// and nothing is written.
func TestBadPolicy(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, old, with, code, at, says string }{
		{"typo in a key", "keep: 3 years", "kep: 3 years", "policy_error", "shop.yaml:18:5", "kep"},
		{"duplicate key", "keep: 3 years", "keep: 3 years\n    keep: 4 years", "policy_error", "shop.yaml:19:5", "twice"},
		{"empty from", "from: {latest: [created_at, {table: interactions, on: {prospect_id: id}, column: occurred_at}]}", "from:", "policy_error", "shop.yaml:17:5", "from"},
		{"no period", "keep: 3 years", "keep: as long as necessary", "policy_error", "shop.yaml:18", "keep"},
		{"unknown column", "latest: [created_at,", "latest: [born_at,", "schema_drift", "", "born_at"},
		{"unknown child", "{table: interactions, on: {prospect_id: id}, then: delete}", "{table: contacts, on: {prospect_id: id}, then: delete}", "schema_drift", "", "contacts"},
		{"unknown subject column", "subject: {person: id}", "subject: {person: ident}", "schema_drift", "", "ident"},
		{"wrong type", "keep: 3 years", "where: {id: {gt: many}}\n    keep: 3 years", "schema_drift", "", "many"},
		{"unknown column of where", "keep: 3 years", "where: {state: lost}\n    keep: 3 years", "schema_drift", "", "state"},
		{"bad SQL", "keep: 3 years", "where: {sql: \"id = (\"}\n    keep: 3 years", "policy_error", "", "parenthesis"},
		{"SQL of another table", "keep: 3 years", "where: {sql: \"nosuch = 1\"}\n    keep: 3 years", "policy_error", "", "condition"},
		{"NUL", "title: Prospects", "title: Pro\x00spects", "policy_error", "shop.yaml", "control characters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSiteWith(t, replaced(t, tt.old, tt.with), siteSQL)
			s.nothing(func() {
				s.do(exitRefused, "plan", "--output", "json").is("refusals/0/code", tt.code)
				s.do(exitRefused, "run", "--approve", "--by", "Ada", "--output", "json").is("refusals/0/code", tt.code, "steps", "[]").says(tt.says)
				s.do(exitUsage, "check").says(tt.says)
				if tt.at != "" {
					s.do(exitUsage, "policy", "validate").says(tt.at, tt.says)
				}
			})
		})
	}
}

// Tables that cannot be acted on safely are refused by name.
func TestBadTable(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, rows, code, says string }{
		{"no primary key", strings.NewReplacer("id INTEGER PRIMARY KEY, email", "id INTEGER, email", "REFERENCES prospects (id)", "").Replace(siteSQL), "unsafe_table", "key"},
		{"a view", "CREATE TABLE p (id INTEGER PRIMARY KEY, created_at TEXT); CREATE VIEW prospects AS SELECT * FROM p; CREATE TABLE interactions (id INTEGER PRIMARY KEY, prospect_id INTEGER, occurred_at TEXT)", "unsafe_table", "view"},
		{"a virtual table", "CREATE VIRTUAL TABLE prospects USING fts5(id, created_at); CREATE TABLE interactions (id INTEGER PRIMARY KEY, prospect_id INTEGER, occurred_at TEXT)", "unsafe_table", "virtual"},
		{"no table", "CREATE TABLE other (id)", "schema_drift", "prospects"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSiteWith(t, sitePolicy, tt.rows)
			s.do(exitRefused, "run", "--approve", "--by", "Ada", "--output", "json").is("refusals/0/code", tt.code, "steps", "[]").says(tt.says)
			s.do(exitUsage, "check").says(tt.says)
		})
	}
}

// A source file that is none is refused and stays as it is; none is ever made.
func TestBadSourceFile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, says string
		make       func(s site)
	}{
		{"missing", "does not exist", func(s site) { s.remove("crm.db") }},
		{"garbage", "is not a SQLite database", func(s site) { s.remove("crm.db"); s.write("crm.db", strings.Repeat("garbage ", 512)) }},
		{"empty", "prospects", func(s site) { s.remove("crm.db"); s.write("crm.db", "") }},
		{"a directory", "is a directory", func(s site) { s.remove("crm.db"); s.write("crm.db/x", "") }},
		{"damaged", "", func(s site) {
			s.exec("crm.db", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode=DELETE")
			b := []byte(s.read("crm.db"))
			copy(b[100:], bytes.Repeat([]byte{0xa5}, len(b)-100))
			s.write("crm.db", string(b))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			tt.make(s)
			before, _ := os.ReadFile(s.path("crm.db"))
			r := s.do(exitRefused, "run", "--approve", "--by", "Ada", "--output", "json").is("steps", "[]", "refusals/len", "1").says(tt.says)
			if code := r.get("refusals/0/code"); code != "source_down" && tt.name != "empty" {
				t.Errorf("code %s", code)
			}
			if after, _ := os.ReadFile(s.path("crm.db")); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
			// Holds are placed for what may come: where nobody can look, nobody is refused.
			if tt.name != "empty" {
				s.do(exitRefused, "hold", "place", "--matter", "M", "--subject", "person:1", "--reason", "r", "--by", "Ada", "--wait", "100ms").says("placing")
			}
		})
	}
}

// A locked source: refused in time, nothing done.
func TestLockedSource(t *testing.T) {
	t.Parallel()
	for name, lock := range map[string]string{"writer": "BEGIN IMMEDIATE", "exclusive": "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE prospects SET id = id"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.do(exitOK, "check", "--install")
			s.nothing(func() {
				s.use("crm.db", func(d *sql.DB) {
					if _, err := d.Exec(lock); err != nil {
						t.Fatal(err)
					}
					s.do(exitRefused, "run", "--approve", "--by", "Ada", "--output", "json").is("steps", "[]", "refusals/0/code", "source_down").says("lock")
				})
			})
			s.approve().is("steps/0/done", "2")
		})
	}
}

// What is asked wrongly: one error line, exit 2 (cli.md), nothing written.
func TestBadRequest(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	plan := s.plan()
	place := func(args ...string) []string {
		return append([]string{"hold", "place", "--matter", "M", "--reason", "r", "--by", "Ada"}, args...)
	}
	tests := []struct {
		name string
		code int
		says string
		args []string
	}{
		{"unknown policy", exitUsage, `"shp"`, []string{"run", "--policy", "shp"}},
		{"unknown rule", exitUsage, `"prospect"`, []string{"run", "--rule", "prospect"}},
		{"unknown rule of a policy", exitUsage, `"x"`, []string{"plan", "--policy", "shop", "--rule", "x"}},
		{"unknown plan", exitUsage, "p-0", []string{"run", "--plan", "p-0"}},
		{"unknown plan to approve", exitUsage, "p-0", []string{"approve", "p-0", "--by", "Ada", "--reason", "r"}},
		{"unknown plan to reject", exitUsage, "p-0", []string{"reject", "p-0", "--by", "Ada", "--reason", "r"}},
		{"plan with a quote", exitUsage, "there is no plan", []string{"run", "--plan", "' OR 1=1 --x"}},
		{"unknown hold", exitUsage, "h-0", []string{"hold", "release", "h-0", "--reason", "r", "--by", "Ada"}},
		{"unknown matter", exitUsage, "M9", []string{"hold", "release", "--matter", "M9", "--reason", "r", "--by", "Ada"}},
		{"unknown hold to extend", exitUsage, "h-0", []string{"hold", "add", "h-0", "--subject", "person:1", "--by", "Ada"}},
		{"unknown run", exitUsage, "r-0", []string{"runs", "show", "r-0"}},
		{"as-of in the future", exitRefused, "future", []string{"run", "--as-of", "2090-01-01", "--approve", "--by", "Ada"}},
		{"as-of that is none", exitUsage, "--as-of", []string{"run", "--as-of", "soon"}},
		{"approve blank name", exitUsage, "--by is missing", []string{"approve", plan, "--by", " ", "--reason", "r"}},
		{"approve blank reason", exitUsage, "--reason is missing", []string{"approve", plan, "--by", "Ada", "--reason", "\t"}},
		{"subject that matches nothing", exitUsage, "--allow-unmatched", place("--subject", "person:99")},
		{"subject of an unknown type", exitUsage, "persn", place("--subject", "persn:1")},
		{"subject that does not convert", exitUsage, "is no integer", place("--subject", "person:1a")},
		{"subject that does not convert, insisted", exitUsage, "is no integer", place("--subject", "person:one", "--allow-unmatched")},
		{"subject without type", exitUsage, "TYPE:ID", place("--subject", "1")},
		{"subject without id", exitUsage, "TYPE:ID", place("--subject", "person:")},
		{"subject with NUL", exitUsage, "control character", place("--dataset", "shop/prospects", "--subject", "person:\x00")},
		{"unknown dataset", exitUsage, "shop/prospect", place("--dataset", "shop/prospect")},
		{"dataset without policy", exitUsage, "POLICY/DATASET", place("--dataset", "prospects")},
		{"where with an unknown column", exitUsage, "state", place("--dataset", "shop/prospects", "--where", `{"state": "open"}`)},
		{"where of a wrong type", exitUsage, "many", place("--dataset", "shop/prospects", "--where", `{"id": {"gt": "many"}}`)},
		{"where that is no JSON", exitUsage, "--where", place("--dataset", "shop/prospects", "--where", `{status: `)},
		{"where that is a list", exitUsage, "--where", place("--dataset", "shop/prospects", "--where", `[1]`)},
		{"where that is empty", exitUsage, "--where", place("--dataset", "shop/prospects", "--where", `{}`)},
		{"where with a duplicate key", exitUsage, "--where", place("--dataset", "shop/prospects", "--where", `{"status": "open", "status": "lost"}`)},
		{"where with raw SQL", exitUsage, "--where", place("--dataset", "shop/prospects", "--where", `{"sql": "1"}`)},
		{"where with more behind it", exitUsage, "--where", place("--dataset", "shop/prospects", "--where", `{"status": "open"} {}`)},
		{"review that is no date", exitUsage, "--review", place("--subject", "person:1", "--review", "2027-02-30")},
		{"explain an unknown dataset", exitUsage, "shop/x", []string{"explain", "--dataset", "shop/x", "--key", "1"}},
		{"audit entry that is none", exitUsage, "99999", []string{"audit", "show", "99999"}},
		{"checkpoint that is none", exitVerify, "", []string{"audit", "verify", "--checkpoint", "retentiond.yaml"}},
	}
	s.nothing(func() {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				at := site{T: t, dir: s.dir}
				for _, a := range tt.args {
					if strings.Contains(a, "\x00") { // no process can be given one
						at.inProcess(tt.code, tt.args...).says(tt.says)
						return
					}
				}
				r := at.do(tt.code, tt.args...)
				if tt.code == exitVerify {
					r.says("does not verify")
					return
				}
				r.oneError(tt.says)
			})
		}
	})
}

// inProcess runs a command in this process.
func (s site) inProcess(want int, args ...string) reply {
	s.Helper()
	var out, errs bytes.Buffer
	code := run(s.Context(), append([]string{"--config", s.path("retentiond.yaml")}, args...), streams{In: strings.NewReader(""), Out: &out, Err: &errs, Env: os.Environ()})
	return reply{s.T, code, out.String(), errs.String()}.wants(want, args)
}

// Of a file of subjects everything is taken, or nothing.
func TestBadSubjectsFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.plan()
	place := func(want int, csv string) reply {
		s.write("people.csv", csv)
		return s.do(want, "hold", "place", "--matter", "M", "--subjects-file", "people.csv", "--reason", "r", "--by", "Ada", "--output", "json")
	}
	s.nothing(func() {
		for name, tt := range map[string]struct{ csv, at string }{
			"empty":                {"", "people.csv:1:1"},
			"header only":          {"type,id\n", "people.csv:1:1"},
			"wrong header":         {"id,type\nperson,1\n", "people.csv:1:1"},
			"header in capitals":   {"Type,Id\nperson,1\n", "people.csv:1:1"},
			"no header":            {"person,1\nperson,2\n", "people.csv:1:1"},
			"three columns":        {"type,id,name\nperson,1,Ada\n", "people.csv:1"},
			"three in one line":    {"type,id\nperson,1\nperson,2,Bob\n", "people.csv:3"},
			"one column":           {"type,id\nperson,1\nperson\n", "people.csv:3"},
			"semicolons":           {"type;id\nperson;1\n", "people.csv:1"},
			"quote that stays":     {"type,id\nperson,\"1\nperson,2\n", "people.csv:"},
			"quote within":         {"type,id\nperson,1\"2\n", "people.csv:2"},
			"blank id":             {"type,id\nperson,1\nperson,  \n", "people.csv:3"},
			"blank type":           {"type,id\n,1\n", "people.csv:2"},
			"colon in the type":    {"type,id\nper:son,1\n", "people.csv:2"},
			"NUL":                  {"type,id\nperson,1\x00\n", "people.csv:2"},
			"not UTF-8":            {"type,id\nperson,\xff\xfe\n", "people.csv:2"},
			"UTF-16":               {"\xff\xfet\x00y\x00p\x00e\x00", "people.csv:1"},
			"one does not convert": {"type,id\nperson,1\nperson,two\n", ""},
			"one matches nobody":   {"type,id\nperson,1\nperson,99\n", ""},
		} {
			t.Run(name, func(t *testing.T) {
				r := place(exitUsage, tt.csv).is("error/code", "usage")
				if !strings.HasPrefix(r.get("error/at"), tt.at) {
					t.Errorf("at %s, want %s: %s", r.get("error/at"), tt.at, r.out)
				}
				if strings.Contains(r.out, "Ada") || strings.Contains(r.out, "Bob") {
					t.Errorf("the answer tells what the file says: %s", r.out)
				}
			})
		}
	})
	for name, csv := range map[string]string{
		"CRLF": "type,id\r\nperson,1\r\nperson,2\r\n", "BOM": "\ufefftype,id\nperson,1\nperson,2", "BOM and CRLF": "\ufefftype,id\r\nperson,1\r\nperson,2",
		"quoted": "\"type\",\"id\"\n\"person\",\"1\"\nperson,\"2\"\n", "spaces": "type,id\n person , 1 \nperson,2\n", "blank lines": "type,id\n\nperson,1\n\nperson,2\n\n",
		"twice the same": "type,id\nperson,1\nperson,2\nperson,1\n",
	} {
		t.Run(name, func(t *testing.T) {
			place(exitOK, csv).is("subjects", `["person:1","person:2"]`)
		})
	}
}

// Mistakes of the configuration: exit 2, with the place; nothing is made.
func TestBadConfiguration(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ old, with, at, says string }{
		"wrong key":          {"policies:", "polices:", "retentiond.yaml:2:1", "policies"},
		"wrong key of a map": {"driver: sqlite", "driver: sqlite, dns: ./x", "retentiond.yaml:4", "dns"},
		"duplicate key":      {"policies: ./policies", "policies: ./policies\npolicies: ./other", "retentiond.yaml:3", "policies"},
		"missing variable":   {"dsn: ./crm.db", `dsn: "${NO_SUCH_DSN}"`, "retentiond.yaml:4", "NO_SUCH_DSN"},
		"missing secret":     {"dsn: ./crm.db", "dsn_file: ./none", "retentiond.yaml:4", "none"},
		"wrong type":         {"sources:", "sources: [crm]\nothers:", "retentiond.yaml:3", "sources"},
		"bad grace":          {"grace: 30 days", "grace: a while", "", "grace"},
		"unknown driver":     {"driver: sqlite", "driver: oracle", "retentiond.yaml:4", "oracle"},
		"NUL":                {"origin: example.org/retention", "origin: \"a\x00b\"", "retentiond.yaml", ""},
		"no YAML":            {"state:", "\tstate:", "retentiond.yaml:1", ""},
		"policies nowhere":   {"policies: ./policies", "policies: ./nowhere", "", "nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.write("retentiond.yaml", strings.Replace(siteConfig, tt.old, tt.with, 1))
			s.nothing(func() {
				for _, cmd := range []string{"run", "status"} {
					r := s.do(exitUsage, cmd, "--output", "json")
					path := "error"
					if strings.Contains(r.out, `"errors"`) {
						path = "errors/0"
					}
					if !strings.Contains(r.get(path+"/at"), tt.at) || !strings.Contains(r.out, tt.says) {
						t.Errorf("want %q at %q: %s", tt.says, tt.at, r.out)
					}
				}
				s.do(exitUsage, "run").says(tt.says)
			})
			if _, err := os.Stat(s.path("state.db")); err == nil && name != "bad grace" {
				t.Error("a state store was made")
			}
		})
	}
}

// Two runs at once: one acts, the other says busy and does nothing.
func TestTwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.do(exitOK, "run", "--approve", "--by", "Ada")
	for id := 100; id < 104; id++ {
		s.due(id)
	}
	type end struct {
		code int
		out  string
	}
	ends := make(chan end)
	for range 4 {
		go func() {
			cmd, out := retentiondProcess(t, s.dir, "run", "--output", "json")
			code := exitCode(cmd.Run())
			ends <- end{code, out.String()}
		}()
	}
	done := 0
	for range 4 {
		e := <-ends
		switch {
		case e.code == exitOK:
			var n int
			if _, err := fmt.Sscan(reply{t: t, out: e.out}.get("steps/0/done"), &n); err != nil {
				t.Error(err)
			}
			done += n
		case e.code != exitError || !strings.Contains(e.out, `"busy"`):
			t.Errorf("exit code %d: %s", e.code, e.out)
		}
	}
	if done != 4 || s.ids() != "3 4 5 6" {
		t.Errorf("%d done, left %s", done, s.ids())
	}
	s.do(exitOK, "audit", "verify")
}

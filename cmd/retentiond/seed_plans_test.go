package main

import (
	"database/sql"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

var updatePlans = flag.Bool("update", false, "write the golden files")

// planRows makes the biggest tables of the five systems some 10,000 to 20,000
// rows: all of each is sampled, so that the same rows give the same plans.
const planRows = 16_000

// TestSeedPlans: what the five ready policies do to a server goes by indexes,
// batch by batch: the server itself says how it ran each acting statement. The
// golden files are read by people before they are trusted.
func TestSeedPlans(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		t.Run(on.driver, func(t *testing.T) {
			t.Parallel()
			on := on.of(on.privateServer(t, telling(on.driver)...))
			s := seedSite(t, on, planRows)
			s.do(exitOK, "check", "--install")
			log := on.statementLog(t, s)
			before := len(s.contentOf(log))
			s.do(exitOK, "run", "--as-of", worldAsOf().Format("2006-01-02T15:04:05Z07:00"), "--approve", "--by", "Ada")
			s.filesOfRows("webinaire", "SELECT path FROM recordings", videosOf)
			s.filesOfRows("cartesia", "SELECT path FROM supporting_documents", piecesOf)
			s.do(exitOK, "archive", "verify", "--output", "json").is("ok", "true")
			small := on.smallTables(t, s)
			plans := map[string]map[string]bool{}
			for _, x := range accesses(on.driver, s.contentOf(log)[before:]) {
				x.into(plans, small)
			}
			plansAre(t, filepath.Join("..", "..", "testdata", "plans", "seeds-"+on.driver+".golden"), plans)
		})
	}
}

// telling are the settings by which a server writes each statement's plan to a log.
func telling(driver string) []servers.Option {
	if driver == "postgres" {
		return []servers.Option{servers.Set("session_preload_libraries", "auto_explain"), servers.Set("auto_explain.log_min_duration", "0"), servers.Set("default_statistics_target", "1000")}
	}
	return []servers.Option{servers.Set("slow-query-log", "1"), servers.Set("long-query-time", "0"), servers.Set("log-slow-verbosity", "explain"), servers.Set("slow-query-log-file", "slow.log"), servers.Set("innodb-stats-persistent-sample-pages", "10000")}
}

// statementLog is the file with the plans.
func (g ground) statementLog(t *testing.T, s site) string {
	t.Helper()
	if g.driver == "postgres" {
		return g.server(t).Log()
	}
	db, err := sql.Open("mysql", s.read("cned.dsn"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	return filepath.Join(query(t, db, "SELECT @@datadir")[0], "slow.log")
}

func (s site) contentOf(file string) string {
	s.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		s.Fatal(err)
	}
	return string(b)
}

// smallTables are those of a page or two, which no server looks up by an index.
func (g ground) smallTables(t *testing.T, s site) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, p := range systems() {
		for _, table := range query(t, openSystem(t, World{Dir: s.dir}, p.policy), "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1") {
			if query(t, openSystem(t, World{Dir: s.dir}, p.policy), "SELECT count(*) < 3000 FROM "+table)[0] == "1" {
				out[table] = true
			}
		}
	}
	return out
}

// access is how a server ran one acting statement: what it does, and by which
// indexes it found rows; one of "" is of a table that was read through.
type access struct {
	statement string
	by        []string // "table index"
}

func (a access) into(plans map[string]map[string]bool, small map[string]bool) {
	if plans[a.statement] == nil {
		plans[a.statement] = map[string]bool{}
	}
	for _, by := range a.by {
		table, index, _ := strings.Cut(by, " ")
		if strings.HasPrefix(by, "archive_") && index != "" { // it grows: which index is best changes
			by = table + " (an index)"
		}
		if index != "" || !small[table] {
			plans[a.statement][by] = true
		}
	}
}

// acting are statements that change rows, and those that ask about the rows of a
// batch by their keys.
func acting(text string) (string, bool) {
	text = strings.ToLower(strings.NewReplacer(`"public".`, "", `"`, "", "`", "", "\n", " ", "\t", " ").Replace(text))
	if strings.Contains(text, "retentiond_gate") || strings.Contains(text, "retentiond_receipt") || strings.Contains(text, "pg_catalog") {
		return "", false
	}
	for _, verb := range []string{`^(delete) (?:\w+ )?from (\w+)`, `^(update) (\w+)`, `^(insert) into (\w+) .*\bselect `} {
		if m := regexp.MustCompile(verb).FindStringSubmatch(text); m != nil {
			return m[1] + " " + m[2], true
		}
	}
	keyed := strings.Contains(text, "retentiond_k0") || strings.Contains(text, " for update")
	if m := regexp.MustCompile(`^select .*?\bfrom (?:\(select .*?\bfrom )?(\w+) as \w+`).FindStringSubmatch(text); m != nil && keyed {
		return "select " + m[1], true
	}
	return "", false
}

// accesses reads a log.
func accesses(driver, log string) []access {
	if driver == "postgres" {
		return postgresAccesses(log)
	}
	return mariaAccesses(log)
}

func postgresAccesses(log string) (out []access) {
	scans := regexp.MustCompile(`(?:Seq Scan|Index(?: Only)? Scan(?: Backward)? using (\w+)|Bitmap Heap Scan) on (\w+)`)
	bitmap := regexp.MustCompile(`Bitmap Index Scan on (\w+)`)
	for _, entry := range regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d `).Split(log, -1) {
		_, rest, found := strings.Cut(entry, "Query Text: ")
		if !found {
			continue
		}
		text, plan := rest, ""
		if i := regexp.MustCompile(`\n\t[A-Z][A-Za-z ]+ .*\(cost=`).FindStringIndex(rest); i != nil {
			text, plan = rest[:i[0]], rest[i[0]:]
		}
		name, ok := acting(text)
		if !ok {
			continue
		}
		a := access{statement: name}
		for _, m := range scans.FindAllStringSubmatch(plan, -1) {
			if !strings.HasPrefix(m[0], "Bitmap") {
				a.by = append(a.by, m[2]+" "+m[1])
			}
		}
		for _, m := range bitmap.FindAllStringSubmatch(plan, -1) {
			a.by = append(a.by, "(bitmap) "+m[1])
		}
		out = append(out, a)
	}
	return out
}

func mariaAccesses(log string) (out []access) {
	for _, entry := range strings.Split(log, "# User@Host")[1:] {
		_, text, found := strings.Cut(entry, "SET timestamp=")
		if !found {
			continue
		}
		_, text, _ = strings.Cut(text, "\n")
		name, ok := acting(text)
		if !ok {
			continue
		}
		a := access{statement: name}
		names := aliases(text)
		for line := range strings.Lines(entry) {
			f := strings.Split(line, "\t")
			if !strings.HasPrefix(line, "# explain: ") || len(f) < 9 || names[f[2]] == "" {
				continue
			}
			if f[3] == "ALL" && len(f[8]) < 4 { // a vault's table at first: it is all but empty
				continue
			}
			index := f[5]
			if f[3] == "ALL" || f[3] == "index" {
				index = ""
			}
			a.by = append(a.by, names[f[2]]+" "+index)
		}
		out = append(out, a)
	}
	return out
}

// aliases are the tables of a statement by their aliases.
func aliases(text string) map[string]string {
	out := map[string]string{}
	for _, m := range regexp.MustCompile("`(\\w+)` AS (\\w+)").FindAllStringSubmatch(text, -1) {
		out[m[2]] = m[1]
	}
	return out
}

// plansAre compares with the golden file, and wants no table read through.
func plansAre(t *testing.T, file string, plans map[string]map[string]bool) {
	t.Helper()
	for _, statement := range slices.Sorted(maps.Keys(plans)) {
		for _, by := range slices.Sorted(maps.Keys(plans[statement])) {
			if strings.HasSuffix(by, " ") {
				t.Errorf("%s reads table %sthrough", statement, by)
			}
		}
	}
	was, err := os.ReadFile(file)
	if err != nil && !*updatePlans {
		t.Fatal(err)
	}
	// A lookup that a busy server alone shows (a batch tried again, by key) is in the
	// file too, and need not happen each time: nothing may happen that is not there.
	all := plansWith(string(was), plans)
	if *updatePlans {
		if err := os.WriteFile(file, []byte(all), 0o644); err != nil {
			t.Fatal(err)
		}
		was = []byte(all)
	}
	if diff := cmp.Diff(string(was), all); diff != "" {
		t.Errorf("run with -update if this is meant:\n%s", diff)
	}
	for _, line := range strings.Split(string(was), "\n") {
		if line != "" && line[0] != ' ' && plans[line] == nil {
			t.Errorf("%s is in the file, and never ran", line)
		}
	}
}

// plansWith adds plans to a golden text.
func plansWith(text string, plans map[string]map[string]bool) string {
	all, statement := map[string]map[string]bool{}, ""
	add := func(statement, by string) {
		if all[statement] == nil {
			all[statement] = map[string]bool{}
		}
		if by != "" {
			all[statement][by] = true
		}
	}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if by, of := strings.CutPrefix(line, "    "); of {
			add(statement, by)
		} else if line != "" {
			statement = line
			add(statement, "")
		}
	}
	for statement, list := range plans {
		add(statement, "")
		for by := range list {
			add(statement, by)
		}
	}
	var b strings.Builder
	for _, statement := range slices.Sorted(maps.Keys(all)) {
		b.WriteString(statement + "\n")
		for _, by := range slices.Sorted(maps.Keys(all[statement])) {
			b.WriteString("    " + by + "\n")
		}
	}
	return b.String()
}

package main

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/calendar"
)

// How other tools lost or leaked data, each line a test. In other files:
//
//   - pt-archiver 1376561 (rows skipped on hash partitions): partition_maria_test.go;
//     pg_partman #776, #777 and #682: partition_test.go, on PostgreSQL.
//   - CockroachDB #118129 (cascades planned as full scans): TestPeer_Cockroach118129
//     tests the warning; query plans are golden files of the connectors.
//   - openregister #3553 (the cron path had no check): TestServeHonoursHolds; every way
//     of `run` is in TestPeer_Openregister3553_EveryPathChecks.
//   - areev #278, as to schema drops: retentiond drops no schema; a held row keeps its
//     partition in TestPartitionsAreDropped and TestPartitionsAreDroppedOnMariaDB.
//   - Loki #4409, as to streams: the condition on rows is TestPeer_Loki4409.
//   - PostgreSQL and InnoDB pages, pg_stats, binlog: TestConformance/Erase and erase_test.go
//     of the connectors read the files.
//   - MongoDB SERVER-68477: SQLite stores NaN as NULL, which is open; the text 'NaN'
//     and infinities are in TestPeer_Curator1727_Mongo68477_NoDateIsNoOldDate.
//   - TiDB's TTL switch after a restore: ours is TestPeer_RestoredFromBackup, and with dumps
//     of servers TestServeSourceDumpWentBack and TestServeMariaDBDumpWentBack.

// replaced is the shop's policy with one thing changed.
func replaced(t *testing.T, old, with string) string {
	t.Helper()
	if strings.Count(sitePolicy, old) != 1 {
		t.Fatalf("%q is not once in the policy", old)
	}
	return strings.Replace(sitePolicy, old, with, 1)
}

func TestPeer_Curator1113_DuplicateKey(t *testing.T) {
	t.Parallel()
	for name, with := range map[string]string{
		"period": "keep: 3 years\n    keep: 0 days", "condition": "where: {status: lost}\n    where: {id: {gt: 0}}\n    keep: 3 years",
		"condition's column": "where: {status: lost, status: open}\n    keep: 3 years", "clock": "from: created_at\n    keep: 3 years",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSiteWith(t, replaced(t, "keep: 3 years", with), siteSQL)
			s.untouched("crm.db", func() {
				s.do(exitRefused, "run", "--approve", "--by", "Ada", "--output", "json").is("refusals/0/code", "policy_error")
				s.do(exitUsage, "policy", "validate").says("shop.yaml:", "twice")
			})
		})
	}
}

func TestPeer_Curator1727_Mongo68477_NoDateIsNoOldDate(t *testing.T) {
	t.Parallel()
	const policy = siteHead + "datasets: {logs: {table: logs, subject: none, why: no person}}\n" +
		"rules:\n  - {id: logs, title: L, dataset: logs, from: at, keep: 1 year, then: delete}\n"
	s := newSiteWith(t, policy, "CREATE TABLE logs (id INTEGER PRIMARY KEY, at)")
	for i, v := range []string{"0", "0.0", "''", "'0'", "'NaN'", "'nan'", "9e999", "-9e999", "'0000-00-00'", "'0001-01-01'", "'1970-01-01'", "'1970-01-01 00:00:00'",
		"'-infinity'", "'access.log'", "x'32303135'", "'2015'", "'2015-13-01'", "'2015-02-30'", "'10:30'", "'2451545'", "-1", "NULL", "'1900-01-01'"} {
		s.exec("crm.db", fmt.Sprintf("INSERT INTO logs VALUES (%d, %s)", i, v))
	}
	s.untouched("crm.db", func() {
		s.approve().is("steps/0/planned", "0")
		s.do(exitOK, "plan", "--output", "json").is("steps/0/classes/due", "0", "steps/0/classes/open", "1", "steps/0/classes/unresolved", "22")
	})
}

func TestPeer_PtArchiver1199589_SwallowedDryRun(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.untouched("crm.db", func() {
		for _, f := range []string{"--policy", "--rule", "--as-of", "--plan", "--reason", "--by"} {
			s.do(exitUsage, "run", "--approve", "--by", "Ada", f, "--dry-run").oneError(f+" has no value before the next flag", "forgotten value")
		}
	})
}

func TestPeer_PtArchiver1593265_NoUniqueKey(t *testing.T) {
	t.Parallel()
	rows := strings.NewReplacer("id INTEGER PRIMARY KEY, email", "id INTEGER, email", "REFERENCES prospects (id)", "").Replace(siteSQL) +
		"INSERT INTO prospects SELECT * FROM prospects WHERE id = 3"
	s := newSiteWith(t, sitePolicy, rows)
	s.untouched("crm.db", func() {
		s.do(exitRefused, "run", "--approve", "--by", "Ada", "--output", "json").is("refusals/0/code", "unsafe_table").says("key")
	})
}

func TestPeer_BulkDelete_VetoedRowInARange(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for id := 100; id < 200; id++ {
		s.exec("crm.db", fmt.Sprintf("INSERT INTO prospects VALUES (%d, 'x', 'lost', '2012-01-01 10:00:00')", id))
	}
	for _, id := range []string{"100", "150", "199"} {
		s.hold("person:" + id)
	}
	s.approve()
	if got := s.ids(); got != "3 4 5 6 100 150 199" {
		t.Errorf("rows %s", got)
	}
}

// A row that was refreshed between plan and run stays.
func TestPeer_TiDB41043_RefreshedRow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	plan := s.plan()
	s.exec("crm.db", "INSERT INTO interactions VALUES (9, 1, datetime('now'))", "UPDATE prospects SET created_at = datetime('now') WHERE id = 2")
	s.untouched("crm.db", func() {
		s.do(exitOK, "run", "--plan", plan, "--approve", "--by", "Ada", "--output", "json").is("steps/0/planned", "2", "steps/0/done", "0", "steps/0/spared/changed", "2")
	})
}

// Runs end in the hours that a night has twice, or not at all, with the rows of
// the right side.
func TestPeer_TiDB52803_DSTFold(t *testing.T) {
	t.Parallel()
	const policy = siteHead + "datasets: {logs: {table: logs, subject: none, why: no person}}\n" +
		"rules:\n  - {id: logs, title: L, dataset: logs, from: at, keep: 1 year, then: delete, approve: never}\n"
	// 26 October 2025 has 02:30 twice in Paris; 30 March 2025 has none.
	s := newSiteWith(t, policy, `CREATE TABLE logs (id INTEGER PRIMARY KEY, at TEXT);
		INSERT INTO logs VALUES (1, '2024-10-26 02:30:00'), (2, '2024-10-27 02:30:00'), (3, '2024-10-25 23:59:59'), (4, '2025-03-30 02:30:00'), (5, '2024-10-25 00:00:00')`)
	for _, tt := range []struct{ asOf, due string }{
		{"2025-10-25T23:59:59+02:00", "0"}, {"2025-10-26T00:00:00+02:00", "2"}, {"2025-10-26T02:30:00+02:00", "2"}, {"2025-10-26T02:30:00+01:00", "2"},
		{"2025-10-26T23:59:59+01:00", "2"}, {"2025-10-27T00:00:00+01:00", "3"}, {"2025-10-28T00:00:00+01:00", "4"}, {"2026-03-30T23:59:59+02:00", "4"}, {"2026-03-31T00:00:00+02:00", "5"},
	} {
		s.do(exitOK, "plan", "--as-of", tt.asOf, "--output", "json").is("steps/0/classes/due", tt.due)
	}
	s.do(exitOK, "run", "--as-of", "2025-10-26T02:30:00+01:00", "--output", "json").is("steps/0/done", "2")
}

// The zone of one policy, or column, does not leak into the next.
func TestPeer_Custodian4818_8306_TiDB70032_70765_ZonesDoNotLeak(t *testing.T) {
	t.Parallel()
	one := func(name, zone, from string) string {
		return strings.NewReplacer("policy: shop", "policy: "+name, "Europe/Paris", zone).Replace(siteHead) +
			"datasets: {logs: {table: " + name + ", subject: none, why: no person}}\n" +
			"rules:\n  - {id: logs, title: L, dataset: logs, from: " + from + ", keep: 1 day, then: delete, approve: never}\n"
	}
	s := newSiteWith(t, one("a", "Pacific/Auckland", "at"), "")
	s.write("policies/b.yaml", one("b", "America/New_York", "at"))
	s.write("policies/c.yaml", one("c", "Europe/Paris", "{column: at, zone: UTC}"))
	s.write("policies/d.yaml", one("d", "Europe/Paris", "at"))
	for _, tab := range []string{"a", "b", "c", "d"} {
		// 22:30 on the 10th: the 10th everywhere, but the 11th in Paris where the column is UTC.
		s.exec("crm.db", fmt.Sprintf("CREATE TABLE %s (id INTEGER PRIMARY KEY, at TEXT); INSERT INTO %s VALUES (1, '2025-07-10 22:30:00')", tab, tab))
	}
	// The 10th + 1 day is over with the 11th: at 12:00Z, 04:00Z, 22:00Z (13th in Paris for c), 22:00Z.
	for _, tt := range []struct{ at, due string }{
		{"2025-07-11T11:59:59Z", "0000"}, {"2025-07-11T12:00:00Z", "1000"}, {"2025-07-11T21:59:59Z", "1000"}, {"2025-07-11T22:00:00Z", "1001"},
		{"2025-07-12T03:59:59Z", "1001"}, {"2025-07-12T04:00:00Z", "1101"}, {"2025-07-12T21:59:59Z", "1101"}, {"2025-07-12T22:00:00Z", "1111"},
	} {
		r := s.do(exitOK, "plan", "--as-of", tt.at, "--output", "json")
		got := ""
		for _, p := range []string{"a", "b", "c", "d"} {
			got += r.get("steps/policy=" + p + "/classes/due")
		}
		if got != tt.due {
			t.Errorf("as of %s due are %s, want %s", tt.at, got, tt.due)
		}
	}
}

func TestPeer_Custodian4953_ExactlyWhatWasApproved(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	plan := s.plan()
	s.do(exitOK, "approve", plan, "--by", "Ada", "--reason", "r")
	s.due(7)
	s.do(exitOK, "run", "--plan", plan, "--output", "json").is("steps/0/done", "2", "steps/0/unplanned", "1")
	if got := s.ids(); got != "3 4 5 6 7" {
		t.Errorf("rows %s", got)
	}
}

func TestPeer_Custodian6583_LimitsInDryRunToo(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, siteHead+"limits: {rows: 1}\n"+siteDatasets+siteRule, siteSQL)
	s.untouched("crm.db", func() {
		dry := s.do(exitRefused, "run", "--dry-run", "--output", "json").get("refusals/0/message")
		s.do(exitRefused, "run", "--output", "json").is("refusals/0/code", "limit_rows", "refusals/0/message", dry)
	})
}

func TestPeer_Cockroach125103_CascadesCount(t *testing.T) {
	t.Parallel()
	rows := siteSQL + "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 399) INSERT INTO interactions SELECT i, 1, '2015-01-01' FROM n;"
	s := newSiteWith(t, siteHead+"limits: {rows: 300}\n"+siteDatasets+siteRule, rows)
	s.untouched("crm.db", func() {
		s.do(exitRefused, "plan", "--output", "json").is("refusals/0/code", "limit_rows", "steps/0/children/interactions", "302")
	})
	s.write("policies/shop.yaml", sitePolicy)
	s.approve().is("steps/0/done", "2", "steps/0/children/interactions", "302")
}

func TestPeer_Cockroach118129_IndexOfTheChild(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.exec("crm.db", "DROP INDEX interactions_prospect")
	s.do(exitOK, "check").says("warning", "CREATE INDEX", "interactions")
}

// One rule that fails, or is stuck, does not stop or undo the others.
func TestPeer_Cockroach138999_OneRuleDoesNotStopAnother(t *testing.T) {
	t.Parallel()
	policy := siteHead + strings.TrimSuffix(siteDatasets, "\n") + "\n  broken: {table: broken, subject: none, why: no person}\n" +
		"rules:\n  - {id: a, title: A, dataset: broken, from: at, keep: 1 year, then: redact, columns: {v: {set: same}}}\n" + strings.TrimPrefix(siteRule, "rules:\n")
	s := newSiteWith(t, policy, siteSQL+`CREATE TABLE broken (id INTEGER PRIMARY KEY, at TEXT, v TEXT CHECK (v <> 'same'));
		INSERT INTO broken VALUES (1, '2012-01-01', 'x'), (2, '2012-01-01', 'y')`)
	s.do(exitPartial, "run", "--approve", "--by", "Ada", "--output", "json").is("verdict", "partial",
		"steps/rule=a/done", "0", "steps/rule=a/spared/failed", "2", "steps/rule=prospects/done", "2")
	if got := s.query("crm.db", "SELECT v FROM broken") + " " + s.ids(); got != "x y 3 4 5 6" {
		t.Errorf("rows %s", got)
	}
}

// Nothing due: one look, no batch, no write.
func TestPeer_Cockroach98722_NothingDueIsNoWork(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.approve()
	s.do(exitOK, "run", "--output", "json").is("steps/0/planned", "0", "steps/0/batches", "0")
}

func TestPeer_Cockroach101372_Restrict(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"RESTRICT", "NO ACTION", "SET NULL", "SET DEFAULT", "CASCADE"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.exec("crm.db", "CREATE TABLE orders (id INTEGER PRIMARY KEY, prospect_id INTEGER REFERENCES prospects (id) ON DELETE "+action+"); INSERT INTO orders VALUES (1, 1)")
			s.untouched("crm.db", func() {
				s.do(exitRefused, "run", "--approve", "--by", "Ada", "--output", "json").is("refusals/0/code", "foreign_key").says("orders")
				s.do(exitUsage, "check").says("orders")
			})
		})
	}
}

func TestPeer_PgPartman682_RowsFromTheFuture(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.exec("crm.db", "INSERT INTO prospects VALUES (8, 'x', 'open', '2031-01-01 10:00:00'), (9, 'x', 'open', '9999-12-31 10:00:00')")
	s.approve().is("steps/0/done", "2")
	if got := s.ids(); got != "3 4 5 6 8 9" {
		t.Errorf("rows %s", got)
	}
	s.do(exitOK, "plan", "--output", "json").is("steps/0/classes/active", "3", "steps/0/classes/unresolved", "2")
}

// A hold is honoured by every action, and by the archive's end.
func TestPeer_Areev278_HoldBeatsEveryAction(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]string{
		"delete": "then: delete", "redact": "then: redact\n    columns: {email: null}",
		"anonymise": "then: anonymise\n    columns: {id: keep, email: null, status: keep, created_at: keep}",
		"archive":   "stages:\n      - {keep: 3 years, then: archive, to: cold, why: proof}\n      - {keep: 4 years, then: delete}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy := replaced(t, "    keep: 3 years\n    then: delete\n", "    keep: 3 years\n    "+then+"\n")
			if name == "archive" {
				policy = replaced(t, "    keep: 3 years\n    then: delete\n", "    "+then+"\n")
			}
			s := newSiteWith(t, policy, siteSQL)
			s.hold("person:1")
			before := s.query("crm.db", "SELECT * FROM prospects WHERE id = 1") + s.query("crm.db", "SELECT * FROM interactions WHERE prospect_id = 1")
			for range 3 {
				s.do(exitOK, "run", "--approve", "--by", "Ada")
			}
			if after := s.query("crm.db", "SELECT * FROM prospects WHERE id = 1") + s.query("crm.db", "SELECT * FROM interactions WHERE prospect_id = 1"); after != before {
				t.Errorf("held: %s, then %s", before, after)
			}
			if got := s.query("crm.db", "SELECT * FROM prospects WHERE id = 2"); got == "2|bob@example.org|lost|2016-05-02 10:00:00" {
				t.Error("the row that is not held was not touched: nothing was tested")
			}
		})
	}
}

// The same with a hold that is placed once the row lies in the archive.
func TestPeer_Areev278_HoldBeatsTheArchivesEnd(t *testing.T) {
	t.Parallel()
	recent := strings.Replace(siteSQL, "'2015-03-01 10:00:00'", "datetime('now', '-40 months')", 1)
	recent = strings.NewReplacer("'2015-04-01 10:00:00'", "datetime('now', '-41 months')", "'2015-05-01 10:00:00'", "datetime('now', '-42 months')").Replace(recent)
	policy := func(end string) string {
		return replaced(t, "    keep: 3 years\n    then: delete\n", "    stages:\n      - {keep: 3 years, then: archive, to: cold, why: proof}\n      - {keep: "+end+", then: delete}\n")
	}
	s := newSiteWith(t, policy("20 years"), recent)
	s.approve()
	if got := s.query("crm.db", "SELECT id FROM archive_prospects ORDER BY id"); got != "1 2" {
		t.Fatalf("archived: %s", got)
	}
	s.hold("person:1")
	s.write("policies/shop.yaml", policy("39 months"))
	s.approve()
	if got := s.query("crm.db", "SELECT id FROM archive_prospects"); got != "1" {
		t.Errorf("archived: %s", got)
	}
}

// Data that comes back from a copy is under the holds that were placed on it:
// by person, and by dataset, whatever the copy knows of us.
func TestPeer_Areev279_RestoredDataIsHeld(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"before anything was installed", "after a run"} {
		for _, what := range [][]string{{"--subject", "person:1"}, {"--dataset", "shop/prospects"}} {
			t.Run(when+" "+what[0], func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				if when == "before anything was installed" {
					s.save("copy", "crm.db")
				}
				s.exec("crm.db", "INSERT INTO prospects VALUES (8, 'x', 'lost', '2012-01-01')")
				s.do(exitOK, "run", "--approve", "--by", "Ada")
				if when == "after a run" {
					s.exec("crm.db", "INSERT INTO prospects VALUES (1, 'ada', 'lost', '2015-03-01 10:00:00')")
					s.save("copy", "crm.db")
				}
				s.do(exitOK, append([]string{"hold", "place", "--matter", "M", "--reason", "r", "--by", "Ada", "--allow-unmatched"}, what...)...)
				s.do(exitOK, "run")
				s.restore("copy", "crm.db")
				s.untouched("crm.db", func() {
					s.do(exitRefused, "run", "--approve", "--by", "Ada", "--output", "json").says("state_mismatch", "check --adopt")
				})
				s.do(exitOK, "check", "--adopt", "--by", "Ada", "--reason", "restored")
				s.do(exitOK, "run", "--approve", "--by", "Ada")
				if got := s.query("crm.db", "SELECT count(*) FROM prospects WHERE id = 1"); got != "1" {
					t.Error("the held row went")
				}
			})
		}
	}
}

func TestPeer_Openregister3553_EveryPathChecks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	plan := s.plan()
	s.hold("person:1")
	s.do(exitOK, "run", "--plan", plan, "--approve", "--by", "Ada")
	s.do(exitOK, "run")
	s.do(exitOK, "run", "--policy", "shop", "--rule", "prospects")
	s.do(exitOK, "run", "--as-of", time.Now().AddDate(0, 0, -1).Format(time.DateOnly))
	if got := s.ids(); got != "1 3 4 5 6" {
		t.Errorf("rows %s", got)
	}
}

// A hold placed while a run works protects from that run, not from the next.
func TestPeer_MidRunHoldProtectsThisRun(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for id := 100; id < 110; id++ {
		s.due(id)
	}
	var placed atomic.Bool
	var out strings.Builder
	a := newApp(streams{In: strings.NewReader(""), Out: &out, Err: &out, Env: os.Environ()})
	a.points = func(p retention.Point) {
		if p == retention.PointIntended && placed.CompareAndSwap(false, true) {
			s.do(exitOK, "hold", "place", "--matter", "M", "--subject", "person:105", "--reason", "r", "--by", "Ada")
		}
	}
	if code := execute(s.Context(), a, []string{"--config", s.path("retentiond.yaml"), "run", "--approve", "--by", "Ada"}); code != exitOK || !placed.Load() {
		t.Fatalf("exit code %d: %s", code, out.String())
	}
	if got := s.ids(); got != "3 4 5 6 105" {
		t.Errorf("rows %s", got)
	}
}

func TestPeer_GoogleVault_ReleasePurgesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hold := s.hold("person:1")
	s.approve()
	s.do(exitOK, "hold", "release", hold, "--reason", "over", "--by", "Ada").says("stay held until")
	s.untouched("crm.db", func() {
		s.do(exitOK, "run", "--output", "json").is("steps/0/done", "0")
		s.do(exitOK, "plan", "--output", "json").is("steps/0/classes/held", "1")
		// Grace is the store's clock: no as-of shortens it.
		s.do(exitOK, "plan", "--as-of", "2090-01-01", "--output", "json").is("steps/0/classes/held", "1")
	})
	s.at(time.Now().AddDate(0, 0, 32), exitOK, "run", "--accept-clock", "--output", "json").is("steps/0/done", "1")
}

func TestPeer_Consolebook65_ReviewDateReleasesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.do(exitOK, "hold", "place", "--matter", "M", "--subject", "person:1", "--reason", "r", "--by", "Ada", "--review", "2020-01-01")
	s.approve()
	if got := s.ids(); got != "1 3 4 5 6" {
		t.Errorf("rows %s", got)
	}
	s.do(exitOK, "hold", "list", "--output", "json").is("holds/0/state", "in_force", "holds/0/review", "2020-01-01")
}

func TestPeer_Fides_MissingTableIsNotComplete(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, sitePolicy, "CREATE TABLE other (id INTEGER PRIMARY KEY)")
	s.do(exitRefused, "run", "--output", "json").is("verdict", "refused", "refusals/0/code", "schema_drift").says(`no table \"prospects\"`)
	s.do(exitUsage, "check").says("prospects")
	s.do(exitPartial, "inventory")
}

func TestPeer_Dolibarr38785_ExemptionsAreCounted(t *testing.T) {
	t.Parallel()
	policy := siteHead + strings.TrimSuffix(siteDatasets, "\n") + "\n  invoices: {table: invoices, subject: {person: prospect_id}}\n" + siteRule +
		"  - {id: tax, title: Tax, dataset: invoices, from: issued, at_least: 10 years}\n"
	s := newSiteWith(t, policy, siteSQL+"CREATE TABLE invoices (id INTEGER PRIMARY KEY, prospect_id INTEGER, issued TEXT); INSERT INTO invoices VALUES (1, 1, '2001-01-01')")
	// Any invoice ever does not keep a prospect; what is excluded is a counted class.
	s.approve().is("steps/rule=prospects/done", "2")
	s.write("policies/shop.yaml", strings.Replace(policy, "keep: 3 years", "where: {not: {exists: {table: invoices, on: {prospect_id: id}}}}\n    keep: 3 years", 1))
	s.exec("crm.db", "INSERT INTO prospects VALUES (1, 'x', 'lost', '2012-01-01')")
	s.do(exitOK, "plan", "--output", "json").is("steps/rule=prospects/classes/excluded", "1", "steps/rule=prospects/classes/total", "5")
}

func TestPeer_Dolibarr38787_InNoRule(t *testing.T) {
	t.Parallel()
	policy := siteHead + strings.TrimSuffix(siteDatasets, "\n") + "\n  carts: {table: carts, subject: {person: id}, purpose: sales}\n" + siteRule
	s := newSiteWith(t, policy, siteSQL+"CREATE TABLE carts (id INTEGER PRIMARY KEY)")
	s.do(exitOK, "check").says("undecided", "carts")
	s.do(exitOK, "inventory", "--output", "json").says(`"carts"`)
}

// Our own update does not renew the clock, whatever the application's trigger does.
func TestPeer_DolibarrPR38157_OwnUpdateRenewsNothing(t *testing.T) {
	t.Parallel()
	const policy = siteHead + "datasets: {p: {table: p, subject: {person: id}}}\n" +
		"rules:\n  - {id: r, title: R, dataset: p, from: modified, keep: 1 year, then: anonymise, mark: gone_at, columns: {id: keep, name: null, modified: keep, gone_at: keep}}\n"
	rows := "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT, modified TEXT, gone_at TEXT); INSERT INTO p VALUES (1, 'ada', '2012-01-01', NULL);"
	s := newSiteWith(t, policy, rows)
	s.approve().is("steps/0/done", "1")
	if got := s.query("crm.db", "SELECT name, modified, gone_at IS NOT NULL FROM p"); got != "|2012-01-01|1" {
		t.Errorf("row %s", got)
	}
	s.do(exitOK, "run", "--output", "json").is("steps/0/planned", "0")
	s = newSiteWith(t, policy, rows+"CREATE TRIGGER touch AFTER UPDATE ON p BEGIN UPDATE p SET modified = datetime('now') WHERE id = new.id; END")
	s.untouched("crm.db", func() {
		s.do(exitRefused, "run", "--approve", "--by", "Ada", "--output", "json").is("refusals/0/code", "unsafe_table").says("touch")
	})
}

func TestPeer_DolibarrPR38194_ColumnNobodyNamed(t *testing.T) {
	t.Parallel()
	policy := replaced(t, "    then: delete\n", "    then: anonymise\n    columns: {id: keep, email: null, created_at: keep}\n")
	s := newSiteWith(t, policy, siteSQL)
	s.untouched("crm.db", func() {
		s.do(exitRefused, "run", "--approve", "--by", "Ada", "--output", "json").is("refusals/0/code", "columns_uncovered").says("status")
		s.do(exitUsage, "check").says("status")
	})
}

func TestPeer_Linshare272_UniqueColumn(t *testing.T) {
	t.Parallel()
	rows := strings.Replace(siteSQL, "email TEXT", "email TEXT NOT NULL UNIQUE", 1)
	anonymise := func(email string) string {
		return replaced(t, "    then: delete\n", "    then: anonymise\n    mark: gone_at\n    columns: {id: keep, email: "+email+", status: keep, created_at: keep, gone_at: keep}\n")
	}
	rows = strings.NewReplacer("created_at TEXT);", "created_at TEXT, gone_at TEXT);", "INSERT INTO prospects", "INSERT INTO prospects (id, email, status, created_at)").Replace(rows)
	for _, email := range []string{"null", "{set: gone@example.org}", "email_domain"} {
		s := newSiteWith(t, anonymise(email), rows)
		s.untouched("crm.db", func() {
			s.do(exitRefused, "run", "--approve", "--by", "Ada", "--output", "json").says("email")
			s.do(exitUsage, "check").says("email")
		})
	}
	s := newSiteWith(t, anonymise("{random: token, length: 20}"), rows)
	s.approve().is("steps/0/done", "2")
	if got := s.query("crm.db", "SELECT count(DISTINCT email) FROM prospects WHERE email NOT LIKE '%@%'"); got != "2" {
		t.Errorf("%s new addresses", got)
	}
}

// Memory does not grow with the table (L13).
func TestPeer_Matomo18839_FlatMemory(t *testing.T) {
	t.Parallel()
	peak := func(rows int) int64 {
		dir, db := bulk(t, rows)
		cmd, out := retentiondProcess(t, dir, "run", "--approve", "--by", "Ada")
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if n := left(t, db); n != 0 {
			t.Fatalf("%d rows left", n)
		}
		return maxRSS(cmd.ProcessState)
	}
	small, large := peak(2_000), peak(60_000)
	if large > small+small/2+16<<10 {
		t.Errorf("%d KiB for 2,000 rows, %d KiB for 60,000", small, large)
	}
}

func TestPeer_Matomo16529_ChildrenGoToo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.approve().is("steps/0/children/interactions", "2")
	if got := s.query("crm.db", "SELECT id FROM interactions"); got != "3" {
		t.Errorf("children %s", got)
	}
}

// The disk shrinks, and the value is in no page of the file, where a rule asks
// for it; where none does, the report says what remains.
func TestPeer_Matomo17431_SQLitePagesKeepTheValue(t *testing.T) {
	t.Parallel()
	for _, erase := range []string{"logical", "rewritten"} {
		t.Run(erase, func(t *testing.T) {
			policy := replaced(t, "    subject: {person: id}\n", "    subject: {person: id}\n    erase: "+erase+"\n")
			s := newSiteWith(t, policy, siteSQL+"WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 699) INSERT INTO prospects SELECT i, 'needle-in-the-pages', 'lost', '2012-01-01' FROM n;")
			s.exec("crm.db", "PRAGMA wal_checkpoint(TRUNCATE)")
			size := len(s.read("crm.db"))
			r := s.approve().is("steps/0/done", "602")
			found := false
			for _, f := range withSiblings([]string{"crm.db"}) {
				b, err := os.ReadFile(s.path(f))
				found = found || err == nil && strings.Contains(string(b), "needle-in-the-pages")
			}
			if erase == "logical" {
				r.says("free pages", "write-ahead log", "backups, for 35 days")
				return
			}
			if after := len(s.read("crm.db")); found || after >= size {
				t.Errorf("the value is still there: %v; the file had %d bytes and has %d", found, size, after)
			}
			if strings.Contains(r.get("steps/0/residuals"), "free pages") {
				t.Errorf("residuals %s", r.get("steps/0/residuals"))
			}
		})
	}
}

func TestPeer_Loki4409_AConditionIsNotAll(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, replaced(t, "keep: 3 years", "where: {status: lost}\n    keep: 3 years"), siteSQL+"INSERT INTO prospects VALUES (9, 'x', 'won', '2012-01-01'), (10, 'x', NULL, '2012-01-01');")
	s.approve().is("steps/0/done", "2")
	if got := s.ids(); got != "3 4 5 6 9 10" {
		t.Errorf("rows %s", got)
	}
	s = newSiteWith(t, replaced(t, "keep: 3 years", "where:\n    keep: 3 years"), siteSQL)
	s.untouched("crm.db", func() {
		s.do(exitRefused, "run", "--approve", "--by", "Ada", "--output", "json").is("refusals/0/code", "policy_error")
	})
}

// The later stage does not fire for rows that the earlier one did not archive.
func TestPeer_MinIO12392_LaterStageWaits(t *testing.T) {
	t.Parallel()
	policy := replaced(t, "    keep: 3 years\n    then: delete\n", "    stages:\n      - {keep: 3 years, then: archive, to: cold, why: proof}\n      - {keep: 4 years, then: delete}\n")
	s := newSiteWith(t, policy, siteSQL)
	// The vault is out of reach: its table exists already, with other columns.
	s.exec("crm.db", "CREATE TABLE archive_prospects (id INTEGER PRIMARY KEY)")
	s.untouched("crm.db", func() {
		s.do(exitRefused, "run", "--output", "json").says("never_archived")
		// Rows that only the first stage wants stay too.
		s.do(exitRefused, "run", "--as-of", "2019-04-01", "--approve", "--by", "Ada", "--rule", "prospects", "--output", "json").says("archive_prospects")
	})
}

// After a restore the store is newer than the source: nothing acts unasked.
func TestPeer_RestoredFromBackup(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.approve()
	s.due(7)
	s.save("copy", "crm.db")
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "1")
	s.restore("copy", "crm.db")
	s.untouched("crm.db", func() {
		s.do(exitRefused, "run", "--output", "json").is("refusals/0/code", "state_mismatch").says("restored from a copy", "check --adopt")
		s.do(exitRefused, "plan", "--output", "json").is("refusals/0/code", "state_mismatch")
		s.do(exitRefused, "check", "--install").oneError("restored from a copy")
	})
	s.do(exitError, "status").says("1 batch did 1 row there that it forgot: it may be back")
	s.do(exitOK, "check", "--adopt", "--by", "Ada", "--reason", "disk failed")
	// What is back may be back on purpose: a person looks first.
	s.untouched("crm.db", func() {
		s.do(exitRefused, "run", "--output", "json").is("refusals/0/code", "approval")
		s.do(exitOK, "plan").says("went back in time")
	})
	s.approve().is("steps/0/done", "1")
	s.due(8)
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "1")
	s.do(exitOK, "audit", "verify")
}

// AddDate is early on some days and late on others; the due day is neither: 13
// months on every day of four years, against the calendar's own vectors.
func TestPeer_AddDate13Months(t *testing.T) {
	t.Parallel()
	const policy = siteHead + "datasets: {logs: {table: logs, subject: none, why: no person}}\n" +
		"rules:\n  - {id: logs, title: L, dataset: logs, from: at, keep: 13 months, then: delete}\n"
	s := newSiteWith(t, strings.Replace(policy, "datasets:", "limits: {share: 100%}\ndatasets:", 1), `CREATE TABLE logs (id INTEGER PRIMARY KEY, at TEXT);
		WITH RECURSIVE d(x) AS (SELECT '2021-01-01' UNION ALL SELECT date(x, '+1 day') FROM d WHERE x < '2024-12-31') INSERT INTO logs (at) SELECT x || ' 12:00:00' FROM d`)
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	period, err := calendar.ParsePeriod("13 months")
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range []string{"2022-02-28", "2022-03-01", "2022-03-31", "2023-03-01", "2024-02-29", "2024-03-01", "2025-03-01", "2025-03-02", "2025-07-01", "2026-02-01"} {
		asOf, err := time.ParseInLocation(time.DateOnly, day, paris)
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for at := time.Date(2021, 1, 1, 12, 0, 0, 0, paris); at.Year() < 2025; at = at.AddDate(0, 0, 1) {
			if _, due := calendar.Due(at, period, paris, calendar.Round{}); !due.After(asOf) {
				want++
			}
			// In plain words: the same day 13 months on, clamped, is over.
			y, m := at.Year()+1, at.Month()+1
			last := time.Date(y, m+1, 0, 0, 0, 0, 0, paris)
			if d := time.Date(y, m, at.Day(), 0, 0, 0, 0, paris); d.Month() == last.Month() {
				last = d
			}
			if _, due := calendar.Due(at, period, paris, calendar.Round{}); due.Format(time.DateOnly) != last.AddDate(0, 0, 1).Format(time.DateOnly) {
				t.Fatalf("%s is due on %s, want the day after %s", at, due, last)
			}
		}
		s.do(exitOK, "plan", "--as-of", asOf.Format(time.RFC3339), "--output", "json").is("steps/0/classes/due", fmt.Sprint(want))
	}
}

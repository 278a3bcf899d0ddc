package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

// alone wants the shop's step to fail with what is said, in one line, with
// nothing of it done, the other source's step done, and all to be well once the
// cause is gone.
func (s site) alone(what func() reply, says ...string) {
	s.Helper()
	s.untouched("crm.db", func() {
		r := what().says(says...)
		if n := strings.Count(r.out+r.err, says[0]); n > 2 {
			s.Errorf("%q is said %d times: %s%s", says[0], n, r.out, r.err)
		}
	})
	if got := s.query("bulk.db", "SELECT count(*) FROM logs"); got != "0" {
		s.Errorf("%s rows of the other source are left", got)
	}
	s.do(exitOK, "audit", "verify")
}

// TestOtherKindOfServer: the driver of the other server is told from a wrong
// address, at once.
func TestOtherKindOfServer(t *testing.T) {
	t.Parallel()
	says := map[string]string{"postgres": "is no PostgreSQL server", "mysql": "is no MariaDB or MySQL server"}
	for i, on := range onServers() {
		t.Run(on.driver, func(t *testing.T) {
			t.Parallel()
			s, other := badSite(t, on), onServers()[1-i]
			host, port, _ := strings.Cut(other.server(t).Addr(), ":")
			dsn := on.dsn(t, s.dir)
			s.write(dsnFile, on.at(t, dsn, host, port))
			s.alone(func() reply {
				return s.quiet(s.do(exitPartial, "run", "--output", "json"), dsn).is("refusals/0/code", "source_down")
			}, says[on.driver])
		})
	}
}

// TestServerTooOld: a server that says it is older than what works.
func TestServerTooOld(t *testing.T) {
	t.Parallel()
	on := onMariaDB()
	s := badSite(t, on.of(on.privateServer(t, servers.Set("version", "10.3.39-MariaDB"))))
	s.alone(func() reply { return s.do(exitPartial, "run", "--output", "json").is("refusals/0/code", "source_down") }, "10.3.39", "10.6")
}

// TestColumnDroppedInBetween: a table that changed after its plan was approved.
func TestColumnDroppedInBetween(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		t.Run(on.driver, func(t *testing.T) {
			t.Parallel()
			s := badSite(t, on)
			s.do(exitOK, "check", "--install")
			plan := s.plan()
			s.do(exitOK, "approve", plan, "--by", "Ada", "--reason", "r")
			s.exec("crm.db", "ALTER TABLE prospects DROP COLUMN status")
			s.alone(func() reply { return s.do(exitPartial, "run", "--plan", plan, "--output", "json") }, "schema_drift", "prospects")
			s.exec("crm.db", "DROP INDEX prospects_created"+map[string]string{"mysql": " ON prospects"}[on.driver], "ALTER TABLE prospects DROP COLUMN created_at")
			s.untouched("crm.db", func() { s.do(exitPartial, "run", "--output", "json").says("schema_drift", "created_at") })
		})
	}
}

// TestVaultSchemaMissing: a vault whose schema nobody made is the configuration's
// mistake, told by check and at the plan, and not a source that is down.
func TestVaultSchemaMissing(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		t.Run(on.driver, func(t *testing.T) {
			t.Parallel()
			s := badSite(t, on)
			s.write("retentiond.yaml", strings.Replace(s.read("retentiond.yaml"), "prefix: archive_", "schema: no_such_vault", 1))
			s.write("policies/shop.yaml", strings.Replace(shopNever, "    keep: 3 years\n    then: delete\n", "    stages:\n      - {keep: 3 years, then: archive, to: cold, why: proof}\n      - {keep: 10 years, then: delete}\n", 1))
			s.do(exitUsage, "check").says("no_such_vault", "policy_error")
			s.do(exitRefused, "plan", "--output", "json").is("refusals/0/code", "policy_error").says("no_such_vault")
			s.alone(func() reply {
				return s.do(exitPartial, "run", "--output", "json").is("refusals/0/code", "policy_error")
			}, "no_such_vault")
		})
	}
}

// TestHiddenBySQL: row-level security on a table that only an `sql:` condition
// names.
func TestHiddenBySQL(t *testing.T) {
	t.Parallel()
	on := onPostgres()
	s := badSite(t, on)
	s.write("policies/shop.yaml", strings.Replace(shopNever, "    keep:", "    where: {sql: \"id NOT IN (SELECT v.id FROM vips AS v)\"}\n    keep:", 1))
	s.do(exitOK, "check", "--install")
	s.exec("crm.db", "CREATE TABLE vips (id integer PRIMARY KEY)", "INSERT INTO vips VALUES (1)", "ALTER TABLE vips ENABLE ROW LEVEL SECURITY")
	role := on.server(t).Role(t, on.dsn(t, s.dir), "SELECT, UPDATE, DELETE ON prospects", "SELECT, UPDATE, DELETE ON interactions", "SELECT ON vips",
		"SELECT, UPDATE ON retentiond_gate", "SELECT, INSERT, DELETE ON retentiond_receipt")
	s.write(dsnFile, role)
	s.do(exitUsage, "check").says("unsafe_table", "row-level security")
	s.alone(func() reply {
		return s.do(exitPartial, "run", "--output", "json").is("refusals/0/code", "unsafe_table")
	}, "row-level security", "BYPASSRLS")
}

// TestPartitionComesInBetween: a partition with due rows that nobody planned
// comes in after the plan: its rows stay, and the planned ones go.
func TestPartitionComesInBetween(t *testing.T) {
	t.Parallel()
	for _, on := range onServers() {
		t.Run(on.driver, func(t *testing.T) {
			t.Parallel()
			s := badSite(t, on)
			make, come := partitioned(on)
			s.exec("crm.db", make...)
			drop := map[string]string{"postgres": ", partitions: drop"}[on.driver]
			s.write("policies/shop.yaml", siteHead+"limits: {share: 100%}\ndatasets:\n  visits: {table: visits, subject: none, why: no person in it"+drop+"}\nrules:\n  - {id: visits, title: Visits, dataset: visits, from: at, keep: 3 years, then: delete}\n")
			s.do(exitOK, "check", "--install")
			plan := s.plan()
			s.do(exitOK, "approve", plan, "--by", "Ada", "--reason", "r")
			s.exec("crm.db", come...)
			r := s.anyCode("run", "--plan", plan, "--output", "json")
			if got := s.query("crm.db", "SELECT count(*) FROM visits WHERE id >= 100"); got != "3" {
				t.Errorf("%s of 3 rows that nobody planned are left: %s", got, r.out)
			}
			s.do(exitOK, "audit", "verify")
			if got := s.query("bulk.db", "SELECT count(*) FROM logs"); got != "0" {
				t.Errorf("%s rows of the other source are left", got)
			}
			s.do(exitOK, "run", "--approve", "--by", "Ada")
			if got := s.query("crm.db", "SELECT count(*) FROM visits"); got != "1" {
				t.Errorf("%s rows, want the one that is not due", got)
			}
		})
	}
}

// partitioned makes the table visits, with a row of 2030 that is not due, and
// what lets a partition come.
func partitioned(on ground) (made, come []string) {
	rows := func(table string, from int, day string) string {
		return fmt.Sprintf("INSERT INTO %s VALUES (%d, '%s'), (%d, '%s'), (%d, '%s')", table, from, day, from+1, day, from+2, day)
	}
	if on.driver == "postgres" {
		return []string{"CREATE TABLE visits (id integer, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
				"CREATE TABLE visits_2015 PARTITION OF visits FOR VALUES FROM ('2015-01-01') TO ('2016-01-01')",
				"CREATE TABLE visits_2030 PARTITION OF visits FOR VALUES FROM ('2016-01-01') TO ('2031-01-01')", rows("visits", 1, "2015-05-05"), "INSERT INTO visits VALUES (50, '2029-05-05')"},
			[]string{"CREATE TABLE visits_2014 (id integer NOT NULL, at date NOT NULL, PRIMARY KEY (id, at))", rows("visits_2014", 100, "2014-05-05"),
				"ALTER TABLE visits ATTACH PARTITION visits_2014 FOR VALUES FROM ('2014-01-01') TO ('2015-01-01')"}
	}
	return []string{"CREATE TABLE visits (id integer, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE COLUMNS (at) (PARTITION p2015 VALUES LESS THAN ('2016-01-01'), PARTITION p2030 VALUES LESS THAN ('2031-01-01'))",
			rows("visits", 1, "2015-05-05"), "INSERT INTO visits VALUES (50, '2029-05-05')"},
		[]string{"ALTER TABLE visits REORGANIZE PARTITION p2015 INTO (PARTITION p2014 VALUES LESS THAN ('2015-01-01'), PARTITION p2015 VALUES LESS THAN ('2016-01-01'))", rows("visits", 100, "2014-05-05")}
}

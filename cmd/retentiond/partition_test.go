package main

import (
	"strings"
	"testing"
	"time"
)

const visitsPolicy = siteHead + `limits: {share: 100%}
datasets:
  visits: {table: visits, subject: {person: customer}, partitions: drop}
rules:
  - {id: visits, title: Visits, dataset: visits, from: at, keep: 1 year, then: delete, approve: never}
`

// visitsRows are quarters of 2015 with ten visits each, one row in the default
// partition that is over and one of now.
func visitsRows() string {
	return `CREATE TABLE visits (id bigint, customer bigint, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE INDEX visits_at ON visits (at);
CREATE TABLE visits_q1 PARTITION OF visits FOR VALUES FROM ('2015-01-01 00:00+00') TO ('2015-04-01 00:00+00');
CREATE TABLE visits_q2 PARTITION OF visits FOR VALUES FROM ('2015-04-01 00:00+00') TO ('2015-07-01 00:00+00');
CREATE TABLE visits_q3 PARTITION OF visits FOR VALUES FROM ('2015-07-01 00:00+00') TO ('2015-10-01 00:00+00');
CREATE TABLE visits_rest PARTITION OF visits DEFAULT;
INSERT INTO visits SELECT i, i % 10, '2015-01-01 12:00+00'::timestamptz + i * interval '9 days' FROM generate_series(0, 29) AS i;
INSERT INTO visits VALUES (40, 1, '2014-05-05 00:00+00'), (41, 2, '` + time.Now().UTC().AddDate(0, 0, -10).Format(time.RFC3339) + `');
`
}

func visits(t *testing.T) site { return newSiteOn(t, onPostgres(), visitsPolicy, visitsRows()) }

const partitionsLeft = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relispartition ORDER BY relname"

func (s site) wantQuery(query, want string) {
	s.Helper()
	if got := s.query("crm.db", query); got != want {
		s.Errorf("%s:\n got %s\nwant %s", query, got, want)
	}
}

// Partitions of which every row is due are dropped; a held row keeps its partition,
// whose other rows go one by one; the log names what went, and how many rows.
func TestPartitionsAreDropped(t *testing.T) {
	t.Parallel()
	s := visits(t)
	s.do(exitOK, "hold", "place", "--subject", "person:4", "--matter", "m", "--reason", "r", "--by", "Ada")
	s.exec("crm.db", "DELETE FROM visits WHERE customer = 4 AND at >= '2015-04-01 00:00+00'")
	s.do(exitOK, "check", "--install")
	s.do(exitOK, "run", "--output", "json").is("steps/0/planned", "28", "steps/0/done", "28", "steps/0/partitions_dropped", "2", "verdict", "ok")
	s.wantQuery(partitionsLeft, "visits_q1 visits_rest")
	s.wantQuery("SELECT id FROM visits ORDER BY id", "4 41")
	s.wantLogged("batch.intent", `"partition":"public.visits_q2"`, `"planned":10`)
	s.wantLogged("batch.outcome", `"partition":"public.visits_q3"`, `"done":8`)
	s.do(exitOK, "audit", "verify")
	s.exec("crm.db", "INSERT INTO visits VALUES (50, 5, '2015-02-02')")
	s.do(exitOK, "run", "--output", "json").is("steps/0/planned", "1", "steps/0/done", "1", "verdict", "ok") // no drift
	s.exec("crm.db", "CREATE TABLE visits_q2 PARTITION OF visits FOR VALUES FROM ('2015-04-01 00:00+00') TO ('2015-07-01 00:00+00')", "INSERT INTO visits VALUES (51, 5, '2015-05-02')")
	s.do(exitOK, "run").says("1 partition was dropped as a whole", "disk blocks of the files of 1 dropped partitions of public.visits")
}

// wantLogged is an entry of the audit log with all of these.
func (s site) wantLogged(kind string, parts ...string) {
	s.Helper()
	where := "kind = '" + kind + "'"
	for _, p := range parts {
		where += " AND instr(CAST(line AS TEXT), '" + p + "')"
	}
	if n := s.query("state.db", "SELECT count(*) FROM audit_entries WHERE "+where); n != "1" {
		s.Errorf("%s entries of %s with %v", n, kind, parts)
	}
}

// A plan names its rows: they go one by one, and no other.
func TestPlannedPartitionsGoByRows(t *testing.T) {
	t.Parallel()
	s := visits(t)
	plan := s.plan()
	s.do(exitOK, "approve", plan, "--by", "Ada", "--reason", "r")
	s.exec("crm.db", "INSERT INTO visits VALUES (50, 5, '2015-02-02')")
	s.do(exitOK, "run", "--plan", plan, "--output", "json").is("steps/0/done", "31", "steps/0/unplanned", "1")
	s.wantQuery("SELECT id FROM visits ORDER BY id", "41 50")
	s.wantQuery(partitionsLeft, "visits_q1 visits_q2 visits_q3 visits_rest")
}

// A partition whose bounds reach far, and a partition with live rows, stay, and their
// due rows go.
func TestPeer_PgPartman776_WideBoundsWithLiveRows(t *testing.T) {
	t.Parallel()
	s := visits(t)
	s.exec("crm.db", "CREATE TABLE visits_wide PARTITION OF visits FOR VALUES FROM ('2015-10-01 00:00+00') TO ('2016-01-01 00:00+00')",
		"ALTER TABLE visits DETACH PARTITION visits_rest", "ALTER TABLE visits DETACH PARTITION visits_wide", "DROP TABLE visits_wide",
		"CREATE TABLE visits_wide PARTITION OF visits FOR VALUES FROM ('2015-10-01 00:00+00') TO ('2999-01-01 00:00+00')",
		"INSERT INTO visits SELECT * FROM visits_rest WHERE id = 41", "INSERT INTO visits VALUES (60, 6, '2016-01-01')")
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "31", "steps/0/partitions_dropped", "3")
	s.wantQuery("SELECT tableoid::regclass, id FROM visits", "visits_wide|41")
}

// Rows from the future make nothing older than it is.
func TestPeer_PgPartman682_FutureRowsDropNothing(t *testing.T) {
	t.Parallel()
	s := visits(t)
	s.exec("crm.db", "DELETE FROM visits WHERE at < '2016-01-01'", "CREATE TABLE visits_now PARTITION OF visits FOR VALUES FROM (now() - interval '11 months') TO (now() - interval '1 month')",
		"INSERT INTO visits VALUES (70, 7, now() - interval '2 months'), (71, 7, '2199-01-01'), (72, 7, 'infinity')")
	s.do(exitOK, "run", "--output", "json").is("steps/0/planned", "0")
	s.wantQuery("SELECT id FROM visits ORDER BY id", "41 70 71 72")
	s.wantQuery(partitionsLeft, "visits_now visits_q1 visits_q2 visits_q3 visits_rest")
}

// The default partition is never dropped, and what is due in it goes all the same.
func TestPeer_PgPartman777_DefaultPartitionIsPurged(t *testing.T) {
	t.Parallel()
	s := visits(t)
	s.exec("crm.db", "DELETE FROM visits WHERE id = 41")
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "31", "steps/0/partitions_dropped", "2")
	s.wantQuery("SELECT count(*) FROM visits", "0")
	s.wantQuery(partitionsLeft, "visits_q3 visits_rest") // nor is the last of the others
}

// Where partitions can never go as a whole, the rule is refused; where rows are the
// right way, check says why.
func TestPartitionsThatCannotBeDropped(t *testing.T) {
	t.Parallel()
	s := visits(t)
	s.exec("crm.db", "ALTER TABLE visits ADD COLUMN seen timestamptz")
	s.write("policies/shop.yaml", strings.Replace(visitsPolicy, "from: at", "from: seen", 1))
	s.do(exitRefused, "run", "--output", "json").is("refusals/0/code", "policy_error")
	s.do(exitUsage, "check").says("partitioned by \"at\"", "the rule's clock is \"seen\"")
	s.write("policies/shop.yaml", visitsPolicy)
	s.exec("crm.db", "CREATE PUBLICATION everything FOR ALL TABLES")
	s.do(exitOK, "check").says("go by rows, never as a whole", "logical replication")
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "31")
	s.wantQuery("SELECT id FROM visits", "41")
	s.wantQuery(partitionsLeft, "visits_q1 visits_q2 visits_q3 visits_rest")
	lite := newSiteWith(t, strings.Replace(sitePolicy, "    table: prospects\n", "    table: prospects\n    partitions: drop\n", 1), siteSQL)
	lite.do(exitRefused, "run", "--output", "json").is("refusals/0/code", "policy_error")
	lite.do(exitUsage, "check").says("other engines act by rows")
}

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// mariaVisits are the rows of visitsRows in partitions of MariaDB.
func mariaVisits(t *testing.T) site {
	t.Helper()
	now := time.Now().UTC().AddDate(0, 0, -10).Format(time.DateTime)
	return newSiteOn(t, onMariaDB(), visitsPolicy, `CREATE TABLE visits (id bigint, customer bigint, at datetime NOT NULL, PRIMARY KEY (id, at), KEY (at)) PARTITION BY RANGE COLUMNS (at) (
PARTITION q0 VALUES LESS THAN ('2015-01-01'), PARTITION q1 VALUES LESS THAN ('2015-04-01'), PARTITION q2 VALUES LESS THAN ('2015-07-01'), PARTITION q3 VALUES LESS THAN ('2015-10-01'), PARTITION rest VALUES LESS THAN (MAXVALUE));
INSERT INTO visits SELECT seq, seq % 10, '2015-01-01 12:00:00' + INTERVAL 9 * seq DAY FROM seq_0_to_29;
INSERT INTO visits VALUES (40, 1, '2016-05-05'), (41, 2, '`+now+`');`)
}

const mariaPartitionsLeft = "SELECT partition_name FROM information_schema.partitions WHERE table_schema = DATABASE() AND table_name = 'visits' ORDER BY partition_ordinal_position"

// On MariaDB too: partitions of which every row is due are dropped; a held row keeps its
// partition, whose other rows go one by one; the log names what went, and how many rows.
func TestPartitionsAreDroppedOnMariaDB(t *testing.T) {
	t.Parallel()
	s := mariaVisits(t)
	s.do(exitOK, "hold", "place", "--subject", "person:4", "--matter", "m", "--reason", "r", "--by", "Ada")
	s.exec("crm.db", "DELETE FROM visits WHERE customer = 4 AND at >= '2015-04-01'")
	s.do(exitOK, "check", "--install")
	s.do(exitOK, "run", "--output", "json").is("steps/0/planned", "28", "steps/0/done", "28", "steps/0/partitions_dropped", "2", "verdict", "ok")
	s.wantQuery(mariaPartitionsLeft, "q0 q1 rest")
	s.wantQuery("SELECT id FROM visits ORDER BY id", "4 41")
	s.wantLogged("batch.intent", `"partition":"visits.q2"`, `"planned":10`)
	s.wantLogged("batch.outcome", `"partition":"visits.q3"`, `"done":8`)
	s.do(exitOK, "audit", "verify")
	s.exec("crm.db", "INSERT INTO visits VALUES (50, 5, '2015-02-02')")
	s.do(exitOK, "run", "--output", "json").is("steps/0/planned", "1", "steps/0/done", "1", "verdict", "ok") // no drift
	s.do(exitOK, "hold", "place", "--subject", "person:5", "--matter", "n", "--reason", "r", "--by", "Ada", "--allow-unmatched")
}

// Rows of MySQL's partitions by hash are all found (pt-archiver skipped some).
func TestPeer_PtArchiver1376561_HashPartitions(t *testing.T) {
	t.Parallel()
	policy := strings.Replace(visitsPolicy, ", partitions: drop", "", 1)
	for _, by := range []string{"HASH (id) PARTITIONS 4", "KEY (id) PARTITIONS 3", "RANGE (TO_DAYS(at)) SUBPARTITION BY HASH (id) SUBPARTITIONS 2 (PARTITION old VALUES LESS THAN (TO_DAYS('2015-04-01')), PARTITION rest VALUES LESS THAN (MAXVALUE))"} {
		s := newSiteOn(t, onMariaDB(), policy, "CREATE TABLE visits (id bigint, customer bigint, at datetime NOT NULL, PRIMARY KEY (id, at), KEY (at)) PARTITION BY "+by+";\n"+
			"INSERT INTO visits SELECT seq, seq % 10, '2015-01-01 12:00:00' + INTERVAL seq HOUR FROM seq_0_to_2999; INSERT INTO visits VALUES (5000, 1, '2999-01-01')")
		s.do(exitOK, "run", "--output", "json").is("steps/0/planned", "3000", "steps/0/done", "3000", "verdict", "ok")
		s.wantQuery("SELECT id FROM visits", "5000")
	}
}

// check and plan say which partitions would go, and why none would.
func TestPartitionsAreForetold(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]site{"postgres": visits(t), "mariadb": mariaVisits(t)} {
		t.Run(name, func(t *testing.T) {
			s.T = t
			part := map[string]string{"postgres": "public.visits_q", "mariadb": "visits.q"}[name]
			s.do(exitOK, "check").says("partitions_whole", "would be dropped as a whole now: 3", part+"1 (10 rows, before 2015-04-01", part+"3 (")
			due := map[string]string{"postgres": "31", "mariadb": "31"}[name]
			s.do(exitOK, "plan", "--output", "json").is("steps/0/whole/partitions", "3", "steps/0/whole/rows", "30", "steps/0/classes/due", due)
			s.do(exitOK, "plan").says("3 partitions are due as a whole, with 30 rows")
			for i := range 3 {
				s.exec("crm.db", fmt.Sprintf("INSERT INTO visits VALUES (%d, 77, '2015-0%d-05')", 70+i, 2+3*i))
			}
			s.do(exitOK, "hold", "place", "--subject", "person:77", "--matter", "m", "--reason", "r", "--by", "Ada")
			s.do(exitOK, "check").says("warning shop/visits (partitions_whole)", "no partition of table", "each of the 3 whose bounds lie before the cutoff has rows that are kept")
			s.do(exitOK, "plan", "--output", "json").is("steps/0/whole/partitions", "0")
			s.exec("crm.db", "DELETE FROM visits WHERE at < '2016-01-01'")
			s.do(exitOK, "check").says("info shop/visits (partitions_whole)", "none with rows lies before the cutoff")
		})
	}
}

// The server dies while the rows of a partition are set aside, decided about, or given
// up: what is gone is audited, and everything else is where it was (L7).
func TestServerDiesBesidePartitions(t *testing.T) {
	t.Parallel()
	server := onMariaDB().privateServer(t)
	w := mariaPartitionWorld()
	w.on = w.on.of(server)
	tp := w.make(t)
	for _, trial := range []struct {
		at   string
		back bool
	}{{"tested:1", true}, {"acted:1", true}, {"acted:2", false}, {"committing:1", true}, {"committed:1", true}, {"committed:2", false}} {
		t.Run(fmt.Sprintf("%s/back=%t", trial.at, trial.back), func(t *testing.T) { tp.serverDies(t, server, trial.at, trial.back) })
	}
	for range trialsOf(t, envServerCrashes, 4) {
		tp.serverDiesAnyTime(t, server)
	}
}

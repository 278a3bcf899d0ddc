package mysql

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// learn reads what the server is, and refuses one that lacks what we rely on.
func (e *engine) learn(ctx context.Context, conn driver.Conn) error {
	row, err := ask(ctx, conn, "SELECT VERSION(), @@lower_case_table_names, DATABASE()")
	if err != nil {
		return err
	}
	if len(row) != 3 {
		return fmt.Errorf("the server does not say what it is")
	}
	if e.version == "" { // the first session, which Open makes alone
		e.version, e.maria = row[0], strings.Contains(row[0], "MariaDB")
		e.home = home{database: row[2], fold: row[1] != "0"}
	}
	least := [2]int{8, 0}
	if e.maria {
		least = [2]int{10, 6}
	}
	if major, minor := release(row[0]); major < least[0] || major == least[0] && minor < least[1] {
		return refusal(retention.RefuseSourceDown, "%s: it is version %s; retentiond needs MariaDB 10.6 or MySQL 8 (JSON_TABLE)", e.name, row[0])
	}
	return nil
}

// release is the version's first two numbers; MariaDB may put 5.5.5- before it.
func release(version string) (major, minor int) {
	parts := strings.SplitN(strings.TrimPrefix(version, "5.5.5-"), ".", 3)
	if len(parts) < 2 {
		return 0, 0
	}
	major, _ = strconv.Atoi(parts[0])
	minor, _ = strconv.Atoi(parts[1])
	return major, minor
}

// writable proves that the session is on a server that may be written to alone,
// and whose commits are durable.
func (e *engine) writable(ctx context.Context, conn driver.Conn) error {
	row, err := ask(ctx, conn, "SELECT @@global.read_only, @@global.innodb_read_only, @@global.innodb_flush_log_at_trx_commit, @@global.log_bin, @@global.sync_binlog")
	if err != nil {
		return err
	}
	no := func(format string, args ...any) error {
		return refusal(retention.RefuseSourceDown, "%s: "+format, append([]any{e.name}, args...)...)
	}
	switch {
	case len(row) != 5:
		return no("the server does not say whether it may be written to")
	case row[0] != "0" || row[1] != "0":
		return no("the server is read-only (a replica?): name the primary")
	case row[2] != "1":
		return no("innodb_flush_log_at_trx_commit is %s: what is committed could be lost; set it to 1", row[2])
	case row[3] != "0" && row[4] != "1":
		return no("sync_binlog is %s: after a crash the server takes back what its binary log has lost; set it to 1", row[4])
	}
	if e.declared {
		return nil
	}
	why, err := e.others(ctx, conn)
	if err == nil && why != "" {
		return no("%s; if this address is the only one that writes, add one_writer=true to the dsn", why)
	}
	return err
}

// others says who else may write to the same data; empty: nobody.
func (e *engine) others(ctx context.Context, conn driver.Conn) (string, error) {
	for _, q := range []struct{ text, on, why string }{
		{"SHOW GLOBAL STATUS LIKE 'wsrep_ready'", "ON", "it is a node of a Galera cluster, where others write too"},
		{"SHOW GLOBAL VARIABLES LIKE 'group_replication_group_name'", "*", "it is a member of a replication group, where others may write too"},
		{"SHOW GLOBAL STATUS LIKE 'Slaves_running'", "+", "it replicates from another server"},
		{"SHOW GLOBAL STATUS LIKE 'Slave_running'", "ON", "it replicates from another server"},
	} {
		row, err := ask(ctx, conn, q.text)
		switch {
		case err != nil:
			return "", err
		case len(row) < 2 || row[1] == "":
		case row[1] == q.on, q.on == "*", q.on == "+" && row[1] != "0":
			return q.why, nil
		}
	}
	if e.maria {
		return "", nil
	}
	row, err := ask(ctx, conn, "SELECT count(*) FROM performance_schema.replication_connection_status WHERE SERVICE_STATE = 'ON'")
	if code(err) == errTable {
		return "", nil // this user may not know; a read-only replica was told above
	}
	if err == nil && len(row) == 1 && row[0] != "0" {
		return "it replicates from another server", nil
	}
	return "", err
}

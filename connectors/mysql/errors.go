package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

func refusal(code retention.RefusalCode, format string, args ...any) *retention.Refusal {
	return &retention.Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

// code is the server's number of an error, or 0.
func code(err error) uint16 {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Number
	}
	return 0
}

// Numbers of errors, the same in MariaDB and MySQL.
const (
	errDuplicate     = 1062
	errNoDatabase    = 1049
	errDatabase      = 1044 // no privilege on the database
	errPassword      = 1045
	errNoTable       = 1146
	errTable         = 1142 // no privilege on the table
	errColumn        = 1143
	errRoutine       = 1370
	errLockWait      = 1205
	errDeadlock      = 1213
	errReadOnly      = 1290 // --read-only
	errPolicyLogging = 1665 // statement-based binary log
	errInsecure      = 3159
	errInsecureMaria = 4227
	errReferenced    = 1451
	errReadOnlyTx    = 1792
	errTooLong       = 1406
	errNotNull       = 1048
	errOutOfRange    = 1264
	errTruncated     = 1265 // a value that the type does not take
	errSignal        = 1644
	errInterrupted   = 1969
	errTableChanged  = 1412
	errNoIndex       = 1176
)

func busy(err error) bool {
	switch code(err) {
	case errLockWait, errDeadlock, errTableChanged, 3572, 1206: // 3572: NOWAIT; 1206: the lock table is full
		return true
	}
	return false
}

// Kind sorts the server's numbers.
func (e *engine) Kind(err error) sqlwork.ErrorKind {
	switch code(err) {
	case errDuplicate:
		return sqlwork.Duplicate
	case errNoTable:
		return sqlwork.NoTable
	case 1052, 1054, 1064, 1241, 1267, 1305, 1582, 1630, 4078, 3995, 1139:
		return sqlwork.BadSQL
	}
	if busy(err) {
		return sqlwork.Busy
	}
	return sqlwork.Other
}

// down explains why the server cannot be used. It names no password, whatever
// the driver says.
func (e *engine) down(err error) error {
	down := func(format string, args ...any) error {
		return refusal(retention.RefuseSourceDown, "%s: "+format, append([]any{e.name}, args...)...)
	}
	switch code(err) {
	case errPassword:
		return down("the server does not take this user and password, or takes them with TLS only (tls=true in the dsn)")
	case errNoDatabase:
		return down("the server has no database %s", e.database)
	case errDatabase:
		return refusal(retention.RefusePrivilege, "%s: user %s may not use database %s: GRANT SELECT ON %s.* TO that user", e.name, e.user, e.database, quote(e.database))
	case errInsecure, errInsecureMaria:
		return down("the server takes connections with TLS only: add tls=true to the dsn (or tls=skip-verify for a certificate that nobody signed)")
	case errReadOnly:
		return down("the server is read-only (a replica?): name the primary")
	case errPolicyLogging:
		return down("the binary log is statement-based: set binlog_format to MIXED or ROW")
	case errNoIndex: // a range is walked along it
		return refusal(retention.RefuseSchemaDrift, "%s: an index that the batch walks along was dropped since the plan was made: plan again", e.name)
	case 1021, 1114, 3675: // the disk; a table space that may not grow
		return fmt.Errorf("%s: the server has no room on its disk, so nothing of this was done: make room: %w", e.name, err)
	case 1040, 1203, 1226:
		return down("the server has no free connection for user %s", e.user)
	}
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &dns):
		return down("host %s is not known", dns.Name)
	case errors.As(err, &op) && op.Op == "dial":
		return down("nothing answers at %s (%v)", e.address, op.Err)
	case errors.Is(err, mysql.ErrNoTLS):
		return down("the server does not speak TLS: remove tls from the dsn")
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: %w: %w", e.name, retention.ErrLost, err)
	}
	return e.denied(err)
}

// denied says, once, which grant a refused statement needs. An error that already
// tells how the work stands, such as that its outcome is not known (L7), stays as it is.
func (e *engine) denied(err error) error {
	m, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok || m.Number != errTable && m.Number != errColumn {
		return err
	}
	for _, told := range []error{retention.ErrUnsettled, retention.ErrNotWhole, retention.ErrLost, retention.ErrLocked} {
		if errors.Is(err, told) {
			return err
		}
	}
	verb, _, _ := strings.Cut(m.Message, " command denied")
	_, table, _ := strings.Cut(m.Message, " table ")
	if table = strings.ReplaceAll(table, "'", "`"); !strings.Contains(table, "`.`") {
		table = quote(e.database) + "." + table
	}
	return refusal(retention.RefusePrivilege, "%s: user %s lacks a privilege: GRANT %s ON %s TO that user", e.name, e.user, verb, table)
}

// locked says that others keep a lock.
func (e *engine) locked(err error) error {
	if busy(err) {
		return fmt.Errorf("%s: %w: %w", e.name, retention.ErrLocked, err)
	}
	return err
}

// Explain says what a failed change of the table ran into.
func (e *engine) Explain(t *retention.Table, err error) error {
	switch code(err) {
	case errReferenced, 1217:
		return fmt.Errorf("table %s: a foreign key still refers to its rows; declare the table as a child: %w", t.Name, err)
	case errDuplicate:
		return fmt.Errorf("table %s: the new value is not unique; use random, or name a column that is not unique", t.Name)
	case errSignal:
		return fmt.Errorf("table %s: a trigger refused the change: %w", t.Name, err)
	case errTooLong, errOutOfRange:
		return fmt.Errorf("table %s: the new value does not fit its column: %w", t.Name, err)
	}
	return fmt.Errorf("table %s: %w", t.Name, e.denied(err))
}

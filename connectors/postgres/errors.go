package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"

	"github.com/lib/pq"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

func isPostgres(version string) bool {
	return strings.HasPrefix(version, "PostgreSQL ") && !strings.Contains(version, "CockroachDB") && !strings.Contains(version, "-YB-")
}

// code is the SQLSTATE of an error, or "".
func code(err error) string {
	if e, ok := errors.AsType[*pq.Error](err); ok {
		return string(e.Code)
	}
	return ""
}

// message is what the server says, for finding names in it.
func message(err error) string {
	if e, ok := errors.AsType[*pq.Error](err); ok {
		return e.Message
	}
	return ""
}

// Kind sorts SQLSTATEs.
func (e *engine) Kind(err error) sqlwork.ErrorKind {
	switch c := code(err); {
	case c == "23505", c == "42710", c == "42P07": // the last two: a table, and its row type, that another makes now
		return sqlwork.Duplicate
	case c == "42P01":
		return sqlwork.NoTable
	case busy(c):
		return sqlwork.Busy
	case strings.HasPrefix(c, "42") && c != "42501", strings.HasPrefix(c, "22"):
		return sqlwork.BadSQL
	}
	return sqlwork.Other
}

// busy: a lock that others keep, a deadlock, a serialization failure, a statement
// that took too long.
func busy(code string) bool {
	return code == "55P03" || code == "40P01" || code == "40001" || code == "57014"
}

// told says in one line what happened, with the remedy, and never a value of a
// row: PostgreSQL quotes them.
func (e *engine) told(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if r, ok := errors.AsType[*retention.Refusal](err); ok {
		return r
	}
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	c := code(err)
	switch {
	case busy(c) && ctx.Err() != nil:
	case busy(c):
		err = fmt.Errorf("%w: %w", retention.ErrLocked, err)
	case c == "":
		return e.unreachable(ctx, err)
	default:
		if r := e.down(err, c); r != nil {
			return r
		}
	}
	return err
}

// unreachable explains an error that no server sent.
func (e *engine) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	at := e.name
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return refusal(retention.RefuseSourceDown, "%s: the host %s is not known: correct the dsn", at, dns.Name)
	}
	switch {
	case errors.Is(err, pq.ErrSSLNotSupported):
		return refusal(retention.RefuseSourceDown, "%s has no TLS, which the dsn asks for (sslmode=require is the default): turn it on in the server, or write sslmode=disable where the network is trusted", at)
	case strings.Contains(err.Error(), "x509:"), strings.Contains(err.Error(), "tls:"):
		return refusal(retention.RefuseSourceDown, "%s: the server's certificate is not accepted: name its authority with sslrootcert, or correct the host", at)
	}
	if strings.Contains(err.Error(), "unknown response for startup") {
		return refusal(retention.RefuseSourceDown, "%s is no PostgreSQL server, or something else answers there: correct the address, or the driver of the source", at)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return refusal(retention.RefuseSourceDown, "%s cannot be reached: %v", at, op.Err)
	}
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) {
		return fmt.Errorf("%s: %w: %w", at, retention.ErrLost, err)
	}
	return err
}

// down explains why the server does not let us in; nil: it did.
func (e *engine) down(err error, code string) error {
	say := func(format string, args ...any) error {
		return refusal(retention.RefuseSourceDown, e.name+" "+format, args...)
	}
	switch code {
	case "28P01":
		return say("does not accept the password of %s: correct the dsn", e.user)
	case "28000":
		return say("does not let %s in: check that the role exists and may log in, pg_hba.conf, and whether TLS is asked for", e.user)
	case "3D000":
		return say("does not exist: correct the database of the dsn")
	case "3F000":
		return say("lacks the schema of a vault: CREATE SCHEMA it, or correct the vault's schema in the configuration")
	case "53300":
		return say("has no connection left: raise max_connections, or use a pooler")
	case "57P03":
		return say("is starting, or recovering: try again")
	case "25006", "0A000":
		if strings.Contains(message(err), "recovery") || code == "25006" {
			return say("is a standby, or read-only: name the primary in the dsn")
		}
	case "53100":
		return fmt.Errorf("%s has no room on its disk, so nothing of this was done: make room: %w", e.name, err)
	case "42501":
		if strings.Contains(message(err), "row-level security") {
			return refusal(retention.RefuseUnsafeTable, "%s", e.grant(err))
		}
		return refusal(retention.RefusePrivilege, "%s", e.grant(err))
	}
	return nil
}

// grant names the privilege that helps.
func (e *engine) grant(err error) string {
	if strings.Contains(message(err), "row-level security") {
		return fmt.Sprintf("%s: row-level security hides rows from %s, and a row that is not seen could keep another: give the role BYPASSRLS", e.name, e.user)
	}
	m := regexp.MustCompile(`permission denied for (\w+) ("?[^"\n]*"?)$`).FindStringSubmatch(message(err))
	if m == nil {
		return fmt.Sprintf("%s: a privilege is missing for %s (SQLSTATE 42501)", e.name, e.user)
	}
	switch m[1] {
	case "schema":
		what := "USAGE"
		if e.schema == strings.Trim(m[2], `"`) {
			what = "USAGE, CREATE"
		}
		return fmt.Sprintf("%s: %s may not use schema %s: GRANT %s ON SCHEMA %s TO %s", e.name, e.user, m[2], what, m[2], quote(e.user))
	case "table":
		return fmt.Sprintf("%s: %s may not do this to table %s: GRANT SELECT (to plan), UPDATE, DELETE and, for our own and vault tables, INSERT ON %s TO %s", e.name, e.user, m[2], m[2], quote(e.user))
	}
	return fmt.Sprintf("%s: %s lacks a privilege on %s %s", e.name, e.user, m[1], m[2])
}

// Explain says what a failed change of the table ran into.
func (e *engine) Explain(t *retention.Table, err error) error {
	switch code(err) {
	case "23503", "23001":
		return fmt.Errorf("table %s: a foreign key of %s still refers to its rows; declare the table as a child: %w", t.Name, referrer(t, err), err)
	case "23505":
		return fmt.Errorf("table %s: the new value is not unique; use random, or name a column that is not unique: %w", t.Name, err)
	case "23502":
		return fmt.Errorf("table %s: a column that takes no NULL would be cleared; write {set: …}: %w", t.Name, err)
	case "23514":
		return fmt.Errorf("table %s: a check constraint refuses the new value: %w", t.Name, err)
	}
	return fmt.Errorf("table %s: %w", t.Name, err)
}

// referrer is the table that the error names, or those that refer to it.
func referrer(t *retention.Table, err error) string {
	if e, ok := errors.AsType[*pq.Error](err); ok && e.Table != "" && e.Table != t.Name.Name {
		return retention.TableName{Schema: e.Schema, Name: e.Table}.String()
	}
	names := []string{}
	for _, fk := range t.Referenced {
		if fk.OnDelete != "CASCADE" && fk.OnDelete != "SET NULL" {
			names = append(names, fk.From.String())
		}
	}
	if len(names) == 0 {
		return "another table"
	}
	return strings.Join(names, ", ")
}

package state

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/lib/pq"
)

const standbyRemedy = "the server is a standby, or read-only: name the primary (or several hosts with target_session_attrs=read-write)"

// pgCode is the SQLSTATE of an error, or "".
func pgCode(err error) string {
	if e, ok := errors.AsType[*pq.Error](err); ok {
		return string(e.Code)
	}
	return ""
}

// lost: no server answered.
func lost(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, net.ErrClosed)
}

// dialled: there is no server to be asked.
func dialled(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	_, dns := errors.AsType[*net.DNSError](err)
	return dns || ok && op.Op == "dial"
}

// explain names the store and the remedy, and never a value of a row: PostgreSQL
// quotes them.
func (p *pgSchema) explain(err error) error {
	if err == nil {
		return nil
	}
	if _, done := errors.AsType[*explained](err); done {
		return err
	}
	if e, ok := errors.AsType[*pq.Error](err); ok {
		// The text of what wraps it is kept, but for the server's own words.
		text := strings.ReplaceAll(err.Error(), e.Error(), spoken(e))
		if remedy := p.remedy(e); remedy != "" {
			text = p.label + ": " + remedy + ": " + text
		}
		return &explained{text, err}
	}
	if remedy := p.unreachable(err); remedy != "" {
		return &explained{p.label + ": " + remedy + ": " + err.Error(), err}
	}
	return err
}

// spoken is a server's error without values: its condition, and the names it
// gives. Messages of these classes are about the statement or the server; others
// may quote data.
func spoken(e *pq.Error) string {
	text := strings.ReplaceAll(e.Code.Name(), "_", " ")
	switch string(e.Code.Class()) {
	case "25", "28", "3D", "3F", "42", "53", "55", "57", "58":
		text = e.Message
	}
	for _, n := range []struct{ what, name string }{{"table", e.Table}, {"column", e.Column}, {"constraint", e.Constraint}} {
		if n.name != "" {
			text += ", " + n.what + " " + n.name
		}
	}
	return fmt.Sprintf("%s (SQLSTATE %s)", text, e.Code)
}

// remedy of what the server says; empty: there is none to tell.
func (p *pgSchema) remedy(e *pq.Error) string {
	switch e.Code {
	case "28P01":
		return "the server does not accept the password of " + p.user + "; correct state: in the configuration"
	case "28000":
		return "the server does not let " + p.user + " in: check that the role exists and may log in, pg_hba.conf, and whether TLS is asked for"
	case "3D000":
		return "the database does not exist; create it, or correct state: in the configuration"
	case "42501":
		return fmt.Sprintf("a privilege is missing: CREATE SCHEMA %s AUTHORIZATION %s, or GRANT CREATE ON DATABASE, gives the state store its own schema", p.schema, pq.QuoteIdentifier(p.user))
	case "42P01", "3F000":
		return "the schema " + p.schema + " lost a table; restore it from a copy, then run check --adopt"
	case "25006":
		return standbyRemedy
	case "0A000":
		if strings.Contains(e.Message, "recovery") {
			return standbyRemedy
		}
	case "53100", "53200":
		return "the server has no room left; make room"
	case "53300":
		return "the server has no connection left: raise max_connections, or use a pooler"
	case "55P03":
		return "another process has been writing for over 15 s; end it or try again"
	case "57014":
		return "the server was too slow, or was told to stop this"
	case "57P01", "57P02", "57P03", "57P04":
		return "the server is starting, stopping or recovering; try again"
	case "22021":
		return "a text is not valid UTF-8, or has a NUL; correct it"
	}
	return ""
}

// unreachable is the remedy of an error that no server sent.
func (p *pgSchema) unreachable(err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return "the host " + dns.Name + " is not known; correct state: in the configuration"
	}
	switch {
	case errors.Is(err, pq.ErrSSLNotSupported):
		return "the server has no TLS, which is asked for (sslmode=require is the default): turn it on in the server, or write sslmode=disable where the network is trusted"
	case strings.Contains(err.Error(), "x509:"), strings.Contains(err.Error(), "tls:"):
		return "the server's certificate is not accepted: name its authority with sslrootcert, or correct the host"
	case dialled(err):
		return "the server cannot be reached; check that it runs, and the host and port that state: names"
	case errors.Is(err, ErrUnknown), lost(err):
		return "the connection was lost"
	}
	return ""
}

package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

var _ retention.Advisor = (*Source)(nil)

// IndexSQL makes the index beside those who write; it cannot run inside a
// transaction.
func (s *Source) IndexSQL(t retention.TableName, columns []string) string {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = quote(c)
	}
	t = at(t, s.schema)
	return fmt.Sprintf("CREATE INDEX CONCURRENTLY ON %s (%s);", s.d.Table(t).Text, strings.Join(quoted, ", "))
}

// Advise compares the acting role, and the one of dsn_read, with what the work
// needs; see [retention.Advisor].
func (s *Source) Advise(ctx context.Context, w retention.Wants) ([]retention.Advice, error) {
	var a adviser
	err := s.Look(sqlwork.AtSource(ctx), func(q sqlwork.Session) error {
		r, err := readRole(ctx, q)
		if err != nil {
			return err
		}
		a.wide(r)
		if !r.Super {
			if err := a.missing(ctx, q, s, r, w.Needs); err != nil {
				return err
			}
		}
		if err := a.unseen(ctx, q, r, w); err != nil {
			return err
		}
		if err := a.applications(ctx, q, s, w); err != nil {
			return err
		}
		return a.settings(ctx, q)
	})
	if err != nil {
		return nil, err
	}
	if s.read != s.write {
		if err := s.Look(ctx, func(q sqlwork.Session) error { return a.reader(ctx, q, s, w.Needs) }); err != nil {
			return nil, err
		}
	}
	a.acts(s.Change(ctx, sqlwork.Loose, time.Second, func(sqlwork.Session) error { return nil }))
	return a.out, nil
}

// adviser gathers advice.
type adviser struct{ out []retention.Advice }

func (a *adviser) add(bad bool, code retention.AdviceCode, hint, format string, args ...any) {
	a.out = append(a.out, retention.Advice{Error: bad, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// acts tells why the acting role cannot begin a batch: a standby, fsync=off.
func (a *adviser) acts(err error) {
	if err != nil {
		a.add(true, retention.AdviceDurability, "", "batches cannot begin: %v", err)
	}
}

// role is what a session's role is, beyond single tables.
type role struct {
	Name    string         `db:"name"`
	Super   bool           `db:"super"`
	Bypass  bool           `db:"bypass"`
	Creates bool           `db:"creates"`
	Repl    bool           `db:"repl"`
	Member  pq.StringArray `db:"member"`
}

const roleSQL = `SELECT r.rolname AS name, r.rolsuper AS super, r.rolbypassrls AS bypass, r.rolcreaterole AS creates, r.rolreplication AS repl,
  ARRAY(SELECT m.rolname::text FROM pg_roles m WHERE m.rolname IN ('pg_write_all_data', 'pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files', 'pg_read_all_stats', 'pg_monitor')
    AND pg_has_role(m.oid, 'USAGE') ORDER BY 1) AS member
FROM pg_roles r WHERE r.rolname = current_user`

func readRole(ctx context.Context, q sqlwork.Session) (r role, err error) {
	err = sqlx.GetContext(ctx, q, &r, roleSQL)
	return r, err
}

// sees is whether the role is shown what others do.
func (r *role) sees() bool {
	for _, m := range r.Member {
		if m == "pg_read_all_stats" || m == "pg_monitor" {
			return true
		}
	}
	return r.Super
}

// wide warns of what the role may do that no rule needs.
func (a *adviser) wide(r role) {
	warn := func(hint, what string) {
		a.add(false, retention.AdvicePrivilegeWide, hint, "the role %q %s: no rule needs that, and a mistake would cost more", r.Name, what)
	}
	alter := func(word string) string { return "ALTER ROLE " + quote(r.Name) + " " + word + ";" }
	if r.Super {
		warn("give retentiond a role of its own: CREATE ROLE … LOGIN, and the GRANT statements that check then names", "is a superuser")
		return
	}
	if r.Bypass {
		warn(alter("NOBYPASSRLS")+" (unless governed tables have row-level security)", "has BYPASSRLS")
	}
	if r.Creates {
		warn(alter("NOCREATEROLE"), "has CREATEROLE")
	}
	if r.Repl {
		warn(alter("NOREPLICATION"), "has REPLICATION")
	}
	for _, m := range r.Member {
		if m != "pg_read_all_stats" && m != "pg_monitor" {
			warn("REVOKE "+m+" FROM "+quote(r.Name)+";", "is a member of "+m)
		}
	}
}

// unseen warns of thresholds whose values this role is not shown.
func (a *adviser) unseen(ctx context.Context, q sqlwork.Session, r role, w retention.Wants) error {
	grant := "GRANT pg_monitor TO " + quote(r.Name) + ";"
	if !r.sees() {
		if w.Lag {
			a.add(false, retention.AdviceLagUnseen, grant, "replica_lag is set, and the role %q is not shown how far standbys are behind: where there is one, batches wait for ever", r.Name)
		}
		if w.Running || w.Vacuum {
			a.add(false, retention.AdviceLoadUnseen, grant, "running or vacuum is set, and the role %q is not shown what others do", r.Name)
		}
		return nil
	}
	var standbys int
	if !w.Lag {
		return nil
	}
	if err := q.GetContext(ctx, &standbys, "SELECT count(*) FROM pg_stat_replication WHERE application_name <> 'pg_basebackup'"); err != nil {
		return err
	}
	if standbys == 0 {
		a.add(false, retention.AdviceLagUnseen, "name the primary in dsn, or leave replica_lag out", "replica_lag is set, and no standby is connected to this server now: nothing is waited for")
	}
	return nil
}

// settings warns of a server that could lose pages in a crash; fsync is tested
// where a batch begins.
func (a *adviser) settings(ctx context.Context, q sqlwork.Session) error {
	var whole bool
	if err := q.GetContext(ctx, &whole, "SELECT current_setting('full_page_writes')::bool"); err != nil {
		return err
	}
	if !whole {
		a.add(false, retention.AdviceDurability, "ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf();",
			"full_page_writes is off: a crash could tear pages, receipts among them, unless the file system writes them whole")
	}
	return nil
}

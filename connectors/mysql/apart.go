package mysql

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/retention"
)

// errNoGrant: there is no such account on the server.
const errNoGrant = 1141

// applications refuses vaults that an account of the applications can read: what is
// archived is out of daily reach.
func (a *adviser) applications(ctx context.Context, s *Source, conn *sqlx.Conn, w retention.Wants) error {
	var vaults []retention.Need
	for _, n := range w.Needs {
		if n.Vault {
			vaults = append(vaults, n)
		}
	}
	if len(vaults) == 0 {
		return nil
	}
	if len(w.Applications) == 0 {
		a.add(false, retention.AdviceVaultReadable, "application_role: USER@HOST under the source in the configuration",
			"nobody says under which user the application works, so that nobody can tell whether it reads table %s of a vault", vaults[0].Table)
	}
	for _, who := range w.Applications {
		grants, err := grantsFor(ctx, conn, account(who), 0)
		if refused(err) {
			a.add(false, retention.AdviceVaultReadable, "GRANT SELECT ON mysql.* to the user that runs check, or look at SHOW GRANTS FOR "+account(who)+" by hand",
				"what the application's user %s may read is not shown to this user: nobody can tell whether it reads a vault", account(who))
			continue
		}
		if err != nil {
			return err
		}
		for _, n := range vaults {
			if reads(grants, n.Table, s.engine.database) {
				a.add(true, retention.AdviceVaultReadable, "REVOKE it, or put the vault into another database, which "+account(who)+" has no privilege on",
					"the application's user %s can read table %s of a vault: archived rows are not out of its reach", account(who), n.Table)
			}
		}
	}
	return nil
}

// account is user or user@host as statements name it.
func account(who string) string {
	user, host := who, "%"
	if at := strings.LastIndexByte(who, '@'); at >= 0 {
		user, host = who[:at], who[at+1:]
	}
	q := func(s string) string { return "'" + strings.ReplaceAll(strings.Trim(s, "'`"), "'", "''") + "'" }
	return q(user) + "@" + q(host)
}

var (
	grantOn   = regexp.MustCompile(`^GRANT (.+?) ON (?:TABLE )?(\S+) TO `)
	grantRole = regexp.MustCompile("^GRANT ((?:`[^`]+`(?:@`[^`]*`)?(?:, ?)?)+) TO ")
)

// grantsFor are what an account may do, roles included. An account that is not there
// may do nothing.
func grantsFor(ctx context.Context, conn *sqlx.Conn, who string, depth int) ([]grant, error) {
	var lines []string
	err := conn.SelectContext(ctx, &lines, "SHOW GRANTS FOR "+who)
	if code(err) == errNoGrant {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []grant
	for _, l := range lines {
		if m := grantOn.FindStringSubmatch(l); m != nil {
			out = append(out, grant{strings.Split(m[1], ", "), m[2]})
			continue
		}
		m := grantRole.FindStringSubmatch(l)
		if m == nil || depth > 8 {
			continue
		}
		for _, role := range strings.Split(m[1], ",") {
			more, err := grantsFor(ctx, conn, strings.TrimSpace(role), depth+1)
			if err != nil {
				return nil, fmt.Errorf("role of %s: %w", who, err)
			}
			out = append(out, more...)
		}
	}
	return out, nil
}

// reads is whether some grant lets the table be read.
func reads(grants []grant, t retention.TableName, home string) bool {
	db := t.Schema
	if db == "" {
		db = home
	}
	return slices.ContainsFunc(grants, func(g grant) bool {
		read := slices.ContainsFunc(g.rights, func(r string) bool { return strings.HasPrefix(r, "SELECT") || strings.HasPrefix(r, "ALL PRIVILEGES") })
		on, table, ok := strings.Cut(g.on, ".")
		if !read || !ok {
			return false
		}
		table = strings.Trim(table, "`")
		return pattern(strings.Trim(on, "`")).MatchString(db) && (table == "*" || strings.EqualFold(table, t.Name))
	})
}

// pattern is a database's name in a grant: _ and % stand for others unless they are
// escaped.
func pattern(name string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("(?i)^")
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '\\' && i+1 < len(name):
			i++
			b.WriteString(regexp.QuoteMeta(name[i : i+1]))
		case c == '%' || c == '*' && name == "*":
			b.WriteString(".*")
		case c == '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return regexp.MustCompile(b.String() + "$")
}

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

// grantee is the account of the session, as GRANT names it.
func grantee(ctx context.Context, conn *sqlx.Conn) (string, error) {
	var who string
	if err := conn.GetContext(ctx, &who, "SELECT CURRENT_USER()"); err != nil {
		return "", err
	}
	at := strings.LastIndexByte(who, '@')
	if at < 0 {
		return "'" + who + "'", nil
	}
	return "'" + who[:at] + "'@'" + who[at+1:] + "'", nil
}

// grant is one line of SHOW GRANTS: which privileges on what.
type grant struct {
	rights []string
	on     string
}

func grantsOf(ctx context.Context, conn sqlx.QueryerContext) ([]grant, error) {
	var lines []string
	if err := sqlx.SelectContext(ctx, conn, &lines, "SHOW GRANTS"); err != nil {
		return nil, err
	}
	line := regexp.MustCompile(`^GRANT (.+?) ON (\S+) TO `) // those that give a role name no object
	var out []grant
	for _, l := range lines {
		if m := line.FindStringSubmatch(l); m != nil {
			g := grant{strings.Split(m[1], ", "), m[2]}
			if strings.HasSuffix(l, "WITH GRANT OPTION") {
				g.rights = append(g.rights, "GRANT OPTION")
			}
			out = append(out, g)
		}
	}
	return out, nil
}

// wide warns of what the account may do beyond the tables under rules.
func (a *adviser) wide(who string, grants []grant) {
	harmless := []string{"USAGE", "PROCESS", "REPLICA MONITOR", "SLAVE MONITOR", "REPLICATION CLIENT", "BINLOG MONITOR", "SHOW DATABASES"}
	for _, g := range grants {
		var wide []string
		for _, r := range g.rights {
			if g.on == "*.*" && !slices.Contains(harmless, r) || r == "ALL PRIVILEGES" || r == "GRANT OPTION" {
				wide = append(wide, r)
			}
		}
		if len(wide) > 0 {
			a.add(false, retention.AdvicePrivilegeWide, "REVOKE "+strings.Join(wide, ", ")+" ON "+g.on+" FROM "+who+"; and GRANT what check then names",
				"the user %s has %s ON %s: no rule needs that, and a mistake would cost more", who, strings.Join(wide, ", "), g.on)
		}
	}
}

// probe is a statement that tells, prepared, whether the user has a right.
type probe struct{ right, text string }

func (e *engine) probes(n retention.Need) []probe {
	t := e.words.Table(n.Table).Text
	var out []probe
	if n.Missing {
		out = append(out, probe{"CREATE", "CREATE TABLE " + t + " (id INT)"})
	}
	out = append(out, probe{"SELECT", "SELECT 1 FROM " + t + " WHERE FALSE"})
	if n.Insert {
		out = append(out, probe{"INSERT", "INSERT INTO " + t + " () VALUES ()"})
	}
	if n.Delete {
		out = append(out, probe{"DELETE", "DELETE FROM " + t + " WHERE FALSE"})
	}
	for _, c := range n.Update {
		out = append(out, probe{"UPDATE (" + quote(c) + ")", fmt.Sprintf("UPDATE %s SET %s = %s WHERE FALSE", t, quote(c), quote(c))})
	}
	if n.Lock != "" && !n.Delete {
		out = append(out, probe{"UPDATE (" + quote(n.Lock) + ")", "SELECT 1 FROM " + t + " WHERE FALSE FOR UPDATE"})
	}
	return out
}

// missing tells which GRANT statements the acting user lacks.
func (a *adviser) missing(ctx context.Context, s *Source, conn *sqlx.Conn, who string, grants []grant, needs []retention.Need) error {
	all := slices.Clone(needs)
	var own bool
	if err := conn.GetContext(ctx, &own, "SELECT COUNT(*) = 2 FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ('retentiond_gate', 'retentiond_receipt')"); err != nil {
		return err
	}
	gate, receipt := retention.TableName{Name: gateTable}, retention.TableName{Name: "retentiond_receipt"}
	all = append(all, retention.Need{Table: gate, Missing: !own, Insert: !own, Update: []string{"store_uuid", "holds_version", "log_size", "log_root"}},
		retention.Need{Table: receipt, Missing: !own, Insert: true, Delete: true})
	for i, n := range all {
		var lacks []string
		for _, p := range s.probes(n) {
			ok, err := may(ctx, conn, p.text)
			if err != nil {
				return err
			}
			if !ok {
				lacks = append(lacks, p.right)
			}
		}
		if acts := i < len(needs) && (n.Insert || n.Delete || len(n.Update) > 0); acts && (!n.Missing || n.Insert) && !has(grants, "TRIGGER", s.home.key(n.Table)) {
			lacks = append(lacks, "TRIGGER") // without it, triggers of the table are not shown
		}
		a.table(s, n, who, lacks)
		a.rewrite(s, n, who, grants)
		a.whole(s, n, who, grants)
	}
	return nil
}

func (a *adviser) table(s *Source, n retention.Need, who string, lacks []string) {
	if len(lacks) == 0 {
		return
	}
	rights := updates(lacks)
	if n.Missing { // the server takes columns of tables that are there only
		rights = whole(rights)
	}
	a.add(true, retention.AdvicePrivilegeMissing, "GRANT "+strings.Join(rights, ", ")+" ON "+s.inFull(n.Table)+" TO "+who+";",
		"the user %s may not do what acting on table %s takes: %s", who, n.Table, strings.Join(lacks, ", "))
}

// updates joins UPDATE (a), UPDATE (b) into UPDATE (a, b).
func updates(lacks []string) []string {
	var out, columns []string
	for _, l := range lacks {
		if c, ok := strings.CutPrefix(l, "UPDATE ("); ok {
			columns = append(columns, strings.TrimSuffix(c, ")"))
			continue
		}
		out = append(out, l)
	}
	if len(columns) > 0 {
		out = append(out, "UPDATE ("+strings.Join(columns, ", ")+")")
	}
	return out
}

// whole widens UPDATE (a, b) to UPDATE.
func whole(rights []string) []string {
	out := slices.Clone(rights)
	for i, r := range out {
		out[i], _, _ = strings.Cut(r, " (")
	}
	return out
}

// inFull is the table with its database, so that a GRANT can be run from anywhere.
func (e *engine) inFull(t retention.TableName) string {
	key := e.home.key(t)
	return quote(key.Schema) + "." + quote(key.Name)
}

// rewrite warns where the table's file could not be written anew. The server
// tests that right only when it is used, so the account's grants are read.
func (a *adviser) rewrite(s *Source, n retention.Need, who string, grants []grant) {
	if !n.Rewrite || n.Missing {
		return
	}
	if has(grants, "ALTER", s.home.key(n.Table)) {
		return
	}
	a.add(false, retention.AdvicePrivilegeMissing, "GRANT ALTER, CREATE, INSERT ON "+s.inFull(n.Table)+" TO "+who+";",
		"erase: needs ALTER on table %s, which the user %s does not have: the deleted rows stay in its file", n.Table, who)
}

// whole warns where partitions could not be dropped: their rows then go one by one.
func (a *adviser) whole(s *Source, n retention.Need, who string, grants []grant) {
	if !n.Whole || n.Missing || !s.maria {
		return
	}
	key := s.home.key(n.Table)
	hints := s.lacksAside(grants, n.Table, who)
	hints = append(hints, lacks(grants, retention.TableName{Schema: key.Schema, Name: "\x00any"}, quote(key.Schema)+".*", who, "LOCK TABLES")...)
	if len(hints) > 0 {
		a.add(false, retention.AdvicePrivilegeMissing, strings.Join(hints, " "),
			"partitions: drop: the user %s may not drop partitions of table %s: their rows go one by one, or they stay, empty", who, n.Table)
	}
}

// has is whether one of the grants gives the right on that table.
func has(grants []grant, right string, t retention.TableName) bool {
	return slices.ContainsFunc(grants, func(g grant) bool {
		return (slices.Contains(g.rights, right) || slices.Contains(g.rights, "ALL PRIVILEGES")) && g.covers(t)
	})
}

// hidden tells where tables that refer to ours may not be shown: the server shows
// only those that the user may use, and would let rows of them go with ours.
func (a *adviser) hidden(s *Source, who string, grants []grant) {
	if !has(grants, "SELECT", s.home.key(retention.TableName{Name: "\x00any"})) {
		a.add(true, retention.AdvicePrivilegeMissing, "GRANT SELECT ON "+quote(s.home.database)+".* TO "+who+";",
			"the user %s is not shown every table of the database: one that refers to a table under rules, ON DELETE CASCADE, would lose rows unseen", who)
	}
}

// covers is whether the grant is for that table; the name of a database may be a
// pattern.
func (g grant) covers(t retention.TableName) bool {
	schema, table, _ := strings.Cut(strings.ReplaceAll(g.on, "`", ""), ".")
	if table != "*" && !strings.EqualFold(table, t.Name) {
		return false
	}
	if schema == "*" {
		return true
	}
	form := strings.NewReplacer(`\\_`, "_", `\\%`, "%", "_", ".", "%", ".*").Replace(regexp.QuoteMeta(schema))
	ok, err := regexp.MatchString("(?i)^"+form+"$", t.Schema)
	return err == nil && ok
}

// reader compares the user of dsn_read: it reads every table, and changes none.
func (a *adviser) reader(ctx context.Context, s *Source, conn *sqlx.Conn, needs []retention.Need) error {
	who, err := grantee(ctx, conn)
	if err != nil {
		return err
	}
	var blind, changes []string
	for _, n := range needs {
		if n.Missing {
			continue
		}
		t := s.words.Table(n.Table).Text
		reads, err := may(ctx, conn, "SELECT 1 FROM "+t+" WHERE FALSE")
		if err != nil {
			return err
		}
		deletes, err := may(ctx, conn, "DELETE FROM "+t+" WHERE FALSE")
		if err != nil {
			return err
		}
		inserts, err := may(ctx, conn, "INSERT INTO "+t+" () VALUES ()")
		if err != nil {
			return err
		}
		if !reads {
			blind = append(blind, "GRANT SELECT ON "+s.inFull(n.Table)+" TO "+who+";")
		}
		if deletes || inserts {
			changes = append(changes, n.Table.String())
		}
	}
	if len(blind) > 0 {
		a.add(true, retention.AdvicePrivilegeMissing, strings.Join(blind, " "), "the user %s of dsn_read may not read %d of the tables that planning reads", who, len(blind))
	}
	if len(changes) > 0 {
		a.add(false, retention.AdviceReaderWrites, "give dsn_read a user with SELECT alone", "the user %s of dsn_read may change %s: a dry run needs SELECT alone", who, strings.Join(changes, ", "))
	}
	return nil
}

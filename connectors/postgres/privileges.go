package postgres

import (
	"context"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// tableRights is what the session's role may do with a table.
type tableRights struct {
	Usage  bool           `db:"usage"`
	Create bool           `db:"creates"`
	Table  bool           `db:"there"`
	Select bool           `db:"sel"`
	Insert bool           `db:"ins"`
	Delete bool           `db:"del"`
	Any    bool           `db:"upd"` // some column may be updated
	Wipe   bool           `db:"wipe"`
	Owns   bool           `db:"owns"`
	Update pq.StringArray `db:"columns"` // of those asked for, that may be updated
}

// rightsSQL asks of one table; one that does not exist has no rights.
const rightsSQL = `SELECT coalesce(has_schema_privilege(n.oid, 'USAGE'), false) AS usage, coalesce(has_schema_privilege(n.oid, 'CREATE'), false) AS creates, c.oid IS NOT NULL AS there,
  coalesce(has_any_column_privilege(c.oid, 'SELECT'), false) AS sel, coalesce(has_table_privilege(c.oid, 'INSERT'), false) AS ins,
  coalesce(has_table_privilege(c.oid, 'DELETE'), false) AS del, coalesce(has_any_column_privilege(c.oid, 'UPDATE'), false) AS upd,
  coalesce(has_table_privilege(c.oid, 'TRUNCATE'), false) AS wipe, coalesce(pg_has_role(c.relowner, 'USAGE'), false) AS owns,
  ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = ANY($3::text[]) AND has_column_privilege(c.oid, a.attnum, 'UPDATE')) AS columns
FROM (SELECT $1::text AS s, $2::text AS t) AS asked LEFT JOIN pg_namespace n ON n.nspname = asked.s LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = asked.t`

func readRights(ctx context.Context, q sqlwork.Session, n retention.Need) (r tableRights, err error) {
	err = sqlx.GetContext(ctx, q, &r, rightsSQL, n.Table.Schema, n.Table.Name, pq.StringArray(n.Update))
	return r, err
}

// missing tells which GRANT statements the acting role lacks.
func (a *adviser) missing(ctx context.Context, q sqlwork.Session, s *Source, r role, needs []retention.Need) error {
	all := append([]retention.Need{}, needs...)
	own, err := s.Installed(ctx, q)
	if err != nil {
		return err
	}
	if own {
		all = append(all, retention.Need{Table: retention.TableName{Name: "retentiond_gate"}, Update: []string{"store_uuid", "holds_version", "log_size", "log_root"}},
			retention.Need{Table: retention.TableName{Name: "retentiond_receipt"}, Insert: true, Delete: true})
	} else {
		all = append(all, retention.Need{Table: retention.TableName{Name: "retentiond_gate"}, Missing: true})
	}
	entered := map[string]bool{}
	for _, n := range all {
		n.Table = at(n.Table, s.schema)
		has, err := readRights(ctx, q, n)
		if err != nil {
			return err
		}
		if !has.Usage && !entered[n.Table.Schema] {
			entered[n.Table.Schema] = true
			a.add(true, retention.AdvicePrivilegeMissing, "GRANT USAGE ON SCHEMA "+quote(n.Table.Schema)+" TO "+quote(r.Name)+";", "the role %q may not use the schema %q", r.Name, n.Table.Schema)
		}
		a.table(s, r, n, has)
	}
	return nil
}

func (a *adviser) table(s *Source, r role, n retention.Need, has tableRights) {
	name, to := s.d.Table(n.Table).Text, " TO "+quote(r.Name)+";"
	if n.Missing && !has.Table {
		if !has.Create {
			a.add(true, retention.AdvicePrivilegeMissing, "GRANT CREATE ON SCHEMA "+quote(n.Table.Schema)+to+" or let its owner run what `retentiond check --install --print` shows",
				"the table %s does not exist, and the role %q may not create it", n.Table, r.Name)
		}
		return
	}
	if lacks := lacking(n, has); len(lacks) > 0 {
		a.add(true, retention.AdvicePrivilegeMissing, "GRANT "+strings.Join(lacks, ", ")+" ON "+name+to, "the role %q may not do what acting on table %s takes: %s", r.Name, n.Table, strings.Join(lacks, ", "))
	}
	switch acts := n.Delete || n.Insert || len(n.Update) > 0; {
	case n.Rewrite && !has.Owns:
		a.add(false, retention.AdvicePrivilegeMissing, "ALTER TABLE "+name+" OWNER TO … a role that "+quote(r.Name)+" is a member of",
			"erase: needs VACUUM, which only the owner of table %s may run, and the role %q is not one: the deleted rows stay in its file", n.Table, r.Name)
	case acts && has.Wipe && !has.Owns:
		a.add(false, retention.AdvicePrivilegeWide, "REVOKE TRUNCATE ON "+name+" FROM "+quote(r.Name)+";", "the role %q may TRUNCATE table %s, holds or not", r.Name, n.Table)
	}
}

// lacking are the rights of the need that the role does not have, as GRANT names
// them. A row lock takes UPDATE on any one column.
func lacking(n retention.Need, has tableRights) []string {
	var out []string
	add := func(need, have bool, word string) {
		if need && !have {
			out = append(out, word)
		}
	}
	add(true, has.Select, "SELECT")
	add(n.Insert, has.Insert, "INSERT")
	add(n.Delete, has.Delete, "DELETE")
	var columns []string
	may := map[string]bool{}
	for _, c := range has.Update {
		may[c] = true
	}
	for _, c := range n.Update {
		if !may[c] {
			columns = append(columns, quote(c))
		}
	}
	if n.Lock != "" && !has.Any && len(columns) == 0 {
		columns = []string{quote(n.Lock)}
	}
	add(len(columns) > 0, false, "UPDATE ("+strings.Join(columns, ", ")+")")
	return out
}

// reader compares the role of dsn_read: it reads every table, and changes none.
func (a *adviser) reader(ctx context.Context, q sqlwork.Session, s *Source, needs []retention.Need) error {
	r, err := readRole(ctx, q)
	if err != nil {
		return err
	}
	var blind, changes []string
	for _, n := range needs {
		n.Table = at(n.Table, s.schema)
		has, err := readRights(ctx, q, n)
		switch {
		case err != nil:
			return err
		case !has.Table:
			continue
		case !has.Usage || !has.Select:
			blind = append(blind, s.d.Table(n.Table).Text)
		}
		if has.Insert || has.Delete || has.Any || has.Wipe {
			changes = append(changes, s.d.Table(n.Table).Text)
		}
	}
	if len(blind) > 0 {
		a.add(true, retention.AdvicePrivilegeMissing, "GRANT SELECT ON "+strings.Join(blind, ", ")+" TO "+quote(r.Name)+"; (and USAGE on their schema)", "the role %q of dsn_read may not read %s", r.Name, strings.Join(blind, ", "))
	}
	switch {
	case r.Super:
		a.add(false, retention.AdviceReaderWrites, "give dsn_read a role with SELECT alone", "the role %q of dsn_read is a superuser: a dry run needs SELECT alone", r.Name)
	case len(changes) > 0:
		a.add(false, retention.AdviceReaderWrites, "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON "+strings.Join(changes, ", ")+" FROM "+quote(r.Name)+"; or give dsn_read a role of its own",
			"the role %q of dsn_read may change %s: a dry run needs SELECT alone", r.Name, strings.Join(changes, ", "))
	}
	return nil
}

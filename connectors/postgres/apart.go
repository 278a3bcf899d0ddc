package postgres

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// readsSQL asks whether a role may read a table ($2.$3), now, or once the session's
// role makes it: default privileges, and roles that it is a member of, count.
const readsSQL = `SELECT CASE WHEN c.oid IS NOT NULL THEN has_any_column_privilege(r.oid, c.oid, 'SELECT') AND has_schema_privilege(r.oid, n.oid, 'USAGE')
  ELSE r.rolsuper OR pg_has_role(r.oid, current_user, 'USAGE') OR EXISTS (SELECT 1 FROM pg_default_acl d, aclexplode(d.defaclacl) x
    WHERE d.defaclobjtype = 'r' AND d.defaclrole = (SELECT oid FROM pg_roles WHERE rolname = current_user) AND d.defaclnamespace IN (0, n.oid)
      AND x.privilege_type = 'SELECT' AND (x.grantee = 0 OR pg_has_role(r.oid, x.grantee, 'USAGE'))) END
FROM pg_roles r CROSS JOIN (SELECT $2::text AS s, $3::text AS t) AS asked LEFT JOIN pg_namespace n ON n.nspname = asked.s LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = asked.t
WHERE r.rolname = $1`

// applications refuses vaults that a role of the applications can read: what is
// archived is out of daily reach.
func (a *adviser) applications(ctx context.Context, q sqlwork.Session, s *Source, w retention.Wants) error {
	for _, n := range w.Needs {
		if !n.Vault {
			continue
		}
		t := at(n.Table, s.schema)
		for _, role := range w.Applications {
			var reads []bool
			if err := sqlx.SelectContext(ctx, q, &reads, readsSQL, role, t.Schema, t.Name); err != nil {
				return err
			}
			if len(reads) > 0 && reads[0] {
				a.add(true, retention.AdviceVaultReadable, "REVOKE ALL ON "+s.d.Table(t).Text+" FROM "+quote(role)+"; or put the vault into another schema or source, under a role that "+quote(role)+" is no member of",
					"the application's role %q can read table %s of a vault: archived rows are not out of its reach", role, n.Table)
			}
		}
	}
	if i := slices.IndexFunc(w.Needs, func(n retention.Need) bool { return n.Vault }); i >= 0 && len(w.Applications) == 0 {
		a.add(false, retention.AdviceVaultReadable, "application_role: NAME under the source in the configuration",
			"nobody says under which role the application works, so that nobody can tell whether it reads table %s of a vault", w.Needs[i].Table)
	}
	return nil
}

package retention

import "strings"

// A fleet is one configured name for many databases of one schema, its tenants:
// tenants/acme is the tenant acme of the fleet tenants. Each is a source of its own,
// with a gate, a uuid and receipts; no name of another source has a slash.

// TenantName is the name of a fleet's tenant as a source.
func TenantName(fleet, tenant string) string { return fleet + "/" + tenant }

// FleetOf is the fleet that a source is a tenant of; "": it is none.
func FleetOf(source string) string {
	fleet, _, ok := strings.Cut(source, "/")
	if !ok {
		return ""
	}
	return fleet
}

// Tenant is the source where it is a tenant; else "".
func Tenant(source string) string {
	if FleetOf(source) == "" {
		return ""
	}
	return source
}

// AtTenant adds the source to a name where it is a tenant: what is remembered of a
// rule is remembered of each tenant. No name in a policy has an @.
func AtTenant(name, source string) string {
	if FleetOf(source) == "" {
		return name
	}
	return name + "@" + source
}

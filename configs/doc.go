// Package configs reads the daemon's configuration: a YAML file whose options
// the environment may override, checked whole before anything uses it.
//
// Every option has a variable: RETENTIOND_ and its path in capitals, such as
// RETENTIOND_HTTP_LISTEN or, for the source crm, RETENTIOND_SOURCES_CRM_DSN. The
// names of sources and vaults come from the file alone. Connection strings are
// [Secret]: they print as three stars.
package configs

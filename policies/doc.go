// Package policies reads the policy language: one YAML file is one policy.
//
// [Decode] walks the YAML node tree, so that every error has its place and all
// of them are reported at once; [Load] reads files and directories, where a
// policy that does not load stops its own rules and no others. Nothing here
// knows a database: columns and types are checked later against the live
// schema.
//
// A condition is a mapping of columns; the words all, any, not, exists and sql
// are its combinators, so a column of such a name can only be tested with sql.
package policies

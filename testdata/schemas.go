// Package testdata holds the schemas of the five small systems that the ready
// policies govern, for each engine: tests and the demo build them.
package testdata

import (
	"embed"
	"fmt"
)

//go:embed schemas/*.sql
var schemas embed.FS

// Schema returns the DDL of the policy's system for a driver: sqlite, postgres
// or mariadb. A policy or driver without a schema is an error.
func Schema(policy, driver string) (string, error) {
	b, err := schemas.ReadFile("schemas/" + policy + "." + driver + ".sql")
	if err != nil {
		return "", fmt.Errorf("schema of %s for %s: %w", policy, driver, err)
	}
	return string(b), nil
}

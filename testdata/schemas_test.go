package testdata

import (
	"database/sql"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"
)

func systems() []string {
	return []string{"conservatoire", "cartesia", "parene", "cned", "webinaire"}
}

func schema(t *testing.T, policy, driver string) string {
	t.Helper()
	text, err := Schema(policy, driver)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The three dialects of a schema have the same tables, columns, foreign keys
// and indexes, in the same order.
func TestSchemasAgree(t *testing.T) {
	names := regexp.MustCompile(`(?m)^(?:CREATE TABLE (\w+)|CREATE INDEX (\w+)|    ([a-z]\w*)\s)|(REFERENCES .*?\)(?: ON DELETE [A-Z ]+)?)`)
	for _, p := range systems() {
		want := names.FindAllString(schema(t, p, "sqlite"), -1)
		for _, d := range []string{"postgres", "mariadb"} {
			if diff := cmp.Diff(want, names.FindAllString(schema(t, p, d), -1)); diff != "" {
				t.Errorf("%s: sqlite and %s differ:\n%s", p, d, diff)
			}
		}
	}
}

func TestSchemasLoadOnSQLite(t *testing.T) {
	for _, p := range systems() {
		db, err := sql.Open("sqlite", ":memory:")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(schema(t, p, "sqlite")); err != nil {
			t.Errorf("%s: %v", p, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSchemaUnknown(t *testing.T) {
	if _, err := Schema("conservatoire", "oracle"); err == nil {
		t.Error("a driver without a schema is no error")
	}
}

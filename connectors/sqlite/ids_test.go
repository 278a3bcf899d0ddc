package sqlite

import (
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest"
)

// A hold finds its row whatever the type of the column and the spelling of the
// identifier, and no other row (L3).
func TestHeldByIdentifier(t *testing.T) {
	conntest.HeldBy(t, harness{"WAL"}, "",
		conntest.Identifier{Decl: "INTEGER", Stored: "9007199254740993", Other: "9007199254740992", ID: "9007199254740993"},
		conntest.Identifier{Decl: "TEXT COLLATE NOCASE", Stored: "'Ada'", Other: "'Bob'", ID: "aDA"},
		conntest.Identifier{Decl: "TEXT COLLATE RTRIM", Stored: "'Ada  '", Other: "'ada'", ID: "Ada"},
		conntest.Identifier{Decl: "TEXT", Stored: "'Ada'", Other: "'ada'", ID: "Ada"},
		conntest.Identifier{Decl: "", Stored: "42", Other: "43", ID: "42"},
		conntest.Identifier{Decl: "NUMERIC", Stored: "42", Other: "43", ID: "42.0"},
		conntest.Identifier{Decl: "UUID", Stored: "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", Other: "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'", ID: "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"},
		conntest.Identifier{Decl: "BLOB", Stored: "x'a0eebc999c0b4ef8bb6d6bb9bd380a11'", Other: "x'00'", ID: "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"},
		conntest.Identifier{Decl: "INET", Stored: "'10.1.2.3'", Other: "'10.1.2.4'", ID: "10.1.2.3"},
		conntest.Identifier{Decl: "DATE", Stored: "'1990-02-03'", Other: "'1990-02-04'", ID: "1990-02-03"},
	)
}

// A hold on what finds nobody, or somebody else, is refused beforehand (L3).
func TestNobodyIsHeldByType(t *testing.T) {
	conntest.Unheld(t, harness{"WAL"}, "", "REAL", "FLOAT", "DOUBLE PRECISION", "JSON", "BOOLEAN", "DATETIME", "TIMESTAMP")
}

// However a whole number is written, it is the same person (L3).
func TestHeldByInteger(t *testing.T) {
	for _, decl := range []string{"INTEGER", "NUMERIC", ""} {
		conntest.HeldBy(t, harness{"WAL"}, "", conntest.Integers(decl)...)
	}
}

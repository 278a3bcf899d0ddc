package mysql

import (
	"strings"
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest"
)

// A hold finds its row whatever the type of the column and the spelling or size
// of the identifier, and no other row (L3).
func TestHeldByIdentifier(t *testing.T) {
	long := strings.Repeat("x", 900)
	conntest.HeldBy(t, harness{}, "",
		conntest.Identifier{Decl: "bigint unsigned", Stored: "18446744073709551615", Other: "1", ID: "18446744073709551615"},
		conntest.Identifier{Decl: "decimal(65,0)", Stored: strings.Repeat("9", 65), Other: strings.Repeat("9", 64) + "8", ID: strings.Repeat("9", 65)},
		conntest.Identifier{Decl: "decimal(65,38)", Stored: "0." + strings.Repeat("0", 37) + "1", Other: "0", ID: "0." + strings.Repeat("0", 37) + "1"},
		conntest.Identifier{Decl: "decimal(20,0)", Stored: "1000", Other: "2", ID: "1e3"},
		conntest.Identifier{Decl: "decimal(20,2)", Stored: "1.01", Other: "1", ID: "1.01"},
		conntest.Identifier{Decl: "decimal(20,2)", Stored: "1", Other: "1.01", ID: "1.0000"},
		conntest.Identifier{Decl: "text", Stored: "'" + long + "'", Other: "'" + long[1:] + "'", ID: long},
		conntest.Identifier{Decl: "varchar(1000)", Stored: "'" + long + "'", Other: "'" + long[:700] + "'", ID: long},
		conntest.Identifier{Decl: "varchar(1000)", Stored: "'a'", Other: "'" + long + "'", ID: "a"},
		conntest.Identifier{Decl: "varchar(40) COLLATE utf8mb4_general_ci", Stored: "'Éva'", Other: "'Ivo'", ID: "eva"},
		conntest.Identifier{Decl: "varchar(40) COLLATE utf8mb4_bin", Stored: "'Eva'", Other: "'eva'", ID: "Eva"},
		conntest.Identifier{Decl: "char(8)", Stored: "'c '", Other: "'d'", ID: "c"},
		conntest.Identifier{Decl: "uuid", Stored: "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", Other: "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'", ID: "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}"},
		conntest.Identifier{Decl: "binary(16)", Stored: "x'a0eebc999c0b4ef8bb6d6bb9bd380a11'", Other: "x'00'", ID: "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"},
		conntest.Identifier{Decl: "varbinary(16)", Stored: "'ada'", Other: "'bob'", ID: "ada"},
		conntest.Identifier{Decl: "inet6", Stored: "'2001:db8::1'", Other: "'2001:db8::2'", ID: "2001:0DB8:0:0::1"},
		conntest.Identifier{Decl: "inet6", Stored: "'::1.2.3.4'", Other: "'::1.2.3.5'", ID: "::102:304"},
		conntest.Identifier{Decl: "inet6", Stored: "'::ffff:1.2.3.4'", Other: "'::1'", ID: "1.2.3.4"},
		conntest.Identifier{Decl: "inet4", Stored: "'1.2.3.4'", Other: "'1.2.3.5'", ID: "::ffff:1.2.3.4"},
		conntest.Identifier{Decl: "enum('a','b')", Stored: "'a'", Other: "'b'", ID: "a"},
		conntest.Identifier{Decl: "date", Stored: "'1990-02-03'", Other: "'1990-02-04'", ID: "1990-02-03"},
	)
}

// A hold on what finds nobody, or somebody else, is refused beforehand (L3).
func TestNobodyIsHeldByType(t *testing.T) {
	conntest.Unheld(t, harness{}, "", "float", "double", "json", "set('a','b')", "time", "datetime(6)", "timestamp NULL", "point")
}

// However a whole number is written, it is the same person (L3).
func TestHeldByInteger(t *testing.T) {
	for _, decl := range []string{"bigint", "int unsigned", "decimal(20,0)", "tinyint"} {
		conntest.HeldBy(t, harness{}, "", conntest.Integers(decl)...)
	}
}

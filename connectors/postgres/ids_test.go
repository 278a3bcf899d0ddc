package postgres

import (
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest"
)

const beings = `CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN mail AS varchar(60);
CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE COLLATION noaccent (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
`

const (
	uuid1 = "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"
	uuid2 = "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'"
)

// A hold finds its row whatever the type of the column and the spelling of the
// identifier, and no other row (L3).
func TestHeldByIdentifier(t *testing.T) {
	conntest.HeldBy(t, harness{}, beings,
		conntest.Identifier{Decl: "bigint", Stored: "9007199254740993", Other: "9007199254740992", ID: "9007199254740993"},
		conntest.Identifier{Decl: "numeric", Stored: "1.0", Other: "1.01", ID: "1.000"},
		conntest.Identifier{Decl: "text COLLATE nocase", Stored: "'Ada'", Other: "'Àda'", ID: "aDA"},
		conntest.Identifier{Decl: "text COLLATE noaccent", Stored: "'Éva'", Other: "'Ivo'", ID: "eva"},
		conntest.Identifier{Decl: "text", Stored: "'Ada'", Other: "'ada'", ID: "Ada"},
		conntest.Identifier{Decl: "char(8)", Stored: "'c'", Other: "'d'", ID: "c"},
		conntest.Identifier{Decl: "mail", Stored: "'a@b'", Other: "'A@b'", ID: "a@b"},
		conntest.Identifier{Decl: "citext", Stored: "'Ada'", Other: "'Bob'", ID: "ADA"},
		conntest.Identifier{Decl: "uuid", Stored: uuid1, Other: uuid2, ID: "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}"},
		conntest.Identifier{Decl: "bytea", Stored: `'\xa0eebc999c0b4ef8bb6d6bb9bd380a11'`, Other: `'\x00'`, ID: "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"},
		conntest.Identifier{Decl: "bytea", Stored: `'ada'`, Other: `'bob'`, ID: "ada"},
		conntest.Identifier{Decl: "date", Stored: "'1990-02-03'", Other: "'1990-02-04'", ID: "1990-02-03"},
		conntest.Identifier{Decl: "mood", Stored: "'sad'", Other: "'happy'", ID: "sad"},
		conntest.Identifier{Decl: "inet", Stored: "'10.1.2.3/8'", Other: "'10.1.2.4/8'", ID: "10.1.2.3"},
		conntest.Identifier{Decl: "inet", Stored: "'10.1.2.3'", Other: "'10.1.2.4'", ID: "::ffff:10.1.2.3"},
		conntest.Identifier{Decl: "inet", Stored: "'::ffff:10.1.2.3'", Other: "'10.1.2.4'", ID: "10.1.2.3"},
		conntest.Identifier{Decl: "inet", Stored: "'::1.2.3.4'", Other: "'::1.2.3.5'", ID: "::102:304"},
		conntest.Identifier{Decl: "inet", Stored: "'2001:db8::1'", Other: "'2001:db8::2'", ID: "2001:0DB8:0:0::1"},
		conntest.Identifier{Decl: "cidr", Stored: "'10.1.0.0/16'", Other: "'10.2.0.0/16'", ID: "10.1.0.0/16"},
		conntest.Identifier{Decl: "macaddr", Stored: "'08:00:2b:01:02:0f'", Other: "'08:00:2b:01:02:03'", ID: "08-00-2B-01-02-0F"},
		conntest.Identifier{Decl: "macaddr8", Stored: "'08:00:2b:01:02:0f'", Other: "'08:00:2b:01:02:03'", ID: "0800.2B01.020F"},
		conntest.Identifier{Decl: "text[]", Stored: "'{x,Ada}'", Other: "'{x,ada}'", ID: "Ada"},
		conntest.Identifier{Decl: "bigint[]", Stored: "'{1,42}'", Other: "'{1,421}'", ID: "042"},
		conntest.Identifier{Decl: "uuid[]", Stored: "'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'", Other: "'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12}'", ID: "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"},
		conntest.Identifier{Decl: "varchar(9)[]", Stored: "'{Ada}'", Other: "'{ada}'", ID: "Ada"},
	)
}

// A hold on what finds nobody, or somebody else, is refused beforehand (L3).
func TestNobodyIsHeldByType(t *testing.T) {
	conntest.Unheld(t, harness{}, beings+"CREATE TYPE pair AS (a int, b text)",
		"real", "double precision", "money", "json", "jsonb", "xml", "point", "interval", "pair", "int4range", "boolean", "timestamp", "timestamptz", "time", "mood[]", "jsonb[]", "float8[]", "bit(8)")
}

// However a whole number is written, it is the same person (L3).
func TestHeldByInteger(t *testing.T) {
	for _, decl := range []string{"bigint", "smallint", "numeric", "integer"} {
		conntest.HeldBy(t, harness{}, "", conntest.Integers(decl)...)
	}
}

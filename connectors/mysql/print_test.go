package mysql

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention"
)

// moves are changes of definitions that batches depend on; what comes before the last
// statement only prepares it.
var moves = map[string]string{
	"new column":           "ALTER TABLE p ADD COLUMN extra INT",
	"new type":             "ALTER TABLE p MODIFY COLUMN kind ENUM('a', 'b', 'c')",
	"new default":          "ALTER TABLE p ALTER COLUMN note SET DEFAULT 'x'",
	"renamed column":       "ALTER TABLE p RENAME COLUMN note TO memo",
	"new check":            "ALTER TABLE p ADD CONSTRAINT js CHECK (json_valid(note))",
	"new key":              "ALTER TABLE p DROP PRIMARY KEY, ADD PRIMARY KEY (id, at)",
	"new engine":           "ALTER TABLE c DROP FOREIGN KEY cp; ALTER TABLE c ENGINE=MyISAM",
	"dropped key":          "ALTER TABLE c DROP FOREIGN KEY cp",
	"trigger":              "CREATE TRIGGER late AFTER DELETE ON p FOR EACH ROW SET @gone = 1",
	"reference":            "CREATE TABLE x (id INT PRIMARY KEY, p_id INT, FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE CASCADE)",
	"reference elsewhere":  "CREATE TABLE OTHER.x (id INT PRIMARY KEY, p_id INT, FOREIGN KEY (p_id) REFERENCES HERE.p (id) ON DELETE CASCADE)",
	"versions of its rows": "ALTER TABLE p ADD SYSTEM VERSIONING",
	"another way to go":    "ALTER TABLE c DROP FOREIGN KEY cp; ALTER TABLE c ADD CONSTRAINT cp FOREIGN KEY (p_id) REFERENCES p (id)",
}

// L12: what a batch depends on does not change unnoticed between batches, and a row
// that comes or goes changes nothing. The server is the test's own: foreign keys of
// others change its print, too.
func TestPrintMoves(t *testing.T) {
	server := servers.NewMariaDB(t)
	for _, process := range []bool{true, false} {
		for name, text := range moves {
			t.Run(fmt.Sprintf("%s,process=%t", name, process), func(t *testing.T) {
				dsn := server.Database(t)
				d := applicationOf(t, dsn)
				d.exec(t, "CREATE TABLE p (id INT AUTO_INCREMENT PRIMARY KEY, at DATETIME NOT NULL, kind ENUM('a', 'b'), note TEXT)",
					"CREATE TABLE c (id INT PRIMARY KEY, p_id INT, CONSTRAINT cp FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE CASCADE)")
				s := d.open(t)
				schema := describe(t, s, "p", "c")
				other, session := s.engine.database+"_other", d.app
				d.exec(t, "CREATE DATABASE "+other)
				if !process {
					session = d.unprivileged(t, other)
				}
				script := strings.Split(strings.NewReplacer("OTHER", other, "HERE", s.engine.database).Replace(text), "; ")
				last := len(script) - 1
				d.exec(t, script[:last]...)
				before := printed(t, s, session, schema)
				d.exec(t, "INSERT INTO p (at) VALUES (now()), (now())")
				if again := printed(t, s, session, schema); again != before || before == "" {
					t.Fatalf("the print is %q, and %q once rows came", before, again)
				}
				d.exec(t, script[last])
				if printed(t, s, session, schema) == before {
					t.Errorf("%s: the print stays", text)
				}
			})
		}
	}
}

// printed is the print as a session of the application reads it.
func printed(t *testing.T, s *Source, db *sqlx.DB, schema *retention.Schema) string {
	t.Helper()
	conn, err := db.Connx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	print, err := s.engine.print(t.Context(), conn, schema)
	if err != nil {
		t.Fatal(err)
	}
	return print
}

// unprivileged is a user of both databases who is not shown what the server keeps of
// all foreign keys.
func (d *database) unprivileged(t *testing.T, other string) *sqlx.DB {
	t.Helper()
	c, err := mysql.ParseDSN(d.dsn)
	if err != nil {
		t.Fatal(err)
	}
	c.User, c.Passwd = c.DBName+"_u", "secret"
	d.exec(t, "CREATE USER "+c.User+" IDENTIFIED BY 'secret'", "GRANT SELECT, DELETE, TRIGGER ON "+c.DBName+".* TO "+c.User, "GRANT SELECT ON "+other+".* TO "+c.User)
	return openApp(t, c.FormatDSN())
}

func (d *database) exec(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if _, err := d.app.Exec(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// A dropped index is told with the remedy: it is no part of what was compared.
func TestDroppedIndexOfARange(t *testing.T) {
	d, s := shop(t, "CREATE TABLE p (id INT PRIMARY KEY, at DATETIME NOT NULL, KEY at (at))", "INSERT INTO p VALUES (1, '2020-01-01')")
	sel := selection(describe(t, s, "p"), "p", "at")
	d.exec(t, "ALTER TABLE p DROP KEY at")
	b := batch(sel, retention.Act{Kind: retention.Delete})
	b.Range = &retention.Range{Most: 10}
	_, err := s.Apply(t.Context(), b)
	if refused, ok := errors.AsType[*retention.Refusal](err); !ok || refused.Code != retention.RefuseSchemaDrift {
		t.Errorf("a range along an index that is gone: %v", err)
	}
}

// A schema is the same whatever its database is called: what a person approved of one
// tenant's tables is not another thing for the next tenant's.
func TestFingerprintIsOfTheSchema(t *testing.T) {
	ddl := []string{"CREATE TABLE p (id BIGINT PRIMARY KEY, note VARCHAR(20) DEFAULT 'x', twice BIGINT AS (id * 2) STORED)",
		"CREATE TABLE c (id BIGINT PRIMARY KEY, p_id BIGINT, FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE CASCADE)", "CREATE TRIGGER tr BEFORE INSERT ON p FOR EACH ROW SET NEW.note = 'y'"}
	prints := map[string]bool{}
	for range 2 {
		_, s := shop(t, ddl...)
		prints[describe(t, s, "p", "c").Table(retention.TableName{Name: "p"}).Fingerprint] = true
	}
	if len(prints) != 1 {
		t.Errorf("two databases of one schema have fingerprints %v", prints)
	}
	for _, other := range []string{"ALTER TABLE p MODIFY note VARCHAR(21)", "ALTER TABLE p MODIFY note VARCHAR(20) DEFAULT 'z'", "DROP TRIGGER tr", "DROP TABLE c"} {
		_, s := shop(t, append(ddl[:len(ddl):len(ddl)], other)...)
		if p := describe(t, s, "p").Table(retention.TableName{Name: "p"}).Fingerprint; prints[p] {
			t.Errorf("%s: the same fingerprint", other)
		}
	}
}

package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestRestoreTellsWhatItDid: rows that the database did not take, or that it would
// change on their way, are not told as restored (L11).
func TestRestoreTellsWhatItDid(t *testing.T) {
	const back = "CREATE TABLE back (id BIGINT PRIMARY KEY, person VARCHAR(20), at VARCHAR(40)); "
	tests := []struct {
		name, sqlite, postgres, says string
	}{
		{"a plain table", back, back, ""},
		{"a trigger that drops rows", back + "CREATE TRIGGER drops BEFORE INSERT ON back BEGIN SELECT RAISE(IGNORE); END",
			back + "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER drops BEFORE INSERT ON back FOR EACH ROW EXECUTE FUNCTION nothing()",
			"has the trigger drops on INSERT"},
		{"a rule that drops rows", "", back + "CREATE RULE drops AS ON INSERT TO back DO INSTEAD NOTHING", "0 rows were restored where 1 were meant"},
		{"a type that holds less", "", "CREATE TABLE back (id BIGINT PRIMARY KEY, person VARCHAR(20), at DATE)", "does not have the rows as they were archived"},
		{"a rule that changes rows", "", back + "CREATE RULE changes AS ON INSERT TO back DO ALSO UPDATE back SET person = 'p8' WHERE id = NEW.id", "does not have the rows as they were archived"},
		{"a key that is taken", back + "INSERT INTO back VALUES (7, 'other', '')", back + "INSERT INTO back VALUES (7, 'other', '')", "is taken: restore into an empty table"},
	}
	for _, on := range []ground{{}, onPostgres()} {
		for _, x := range tests {
			make := x.sqlite
			if on.driver == "postgres" {
				make = x.postgres
			}
			if make == "" {
				continue
			}
			t.Run(on.String()+"/"+x.name, func(t *testing.T) {
				dir := t.TempDir()
				writeFile(t, filepath.Join(dir, "retentiond.yaml"), on.configure(roundtripConfig))
				writeFile(t, filepath.Join(dir, "policy.yaml"), roundtripPolicy)
				on.create(t, dir)
				on.run(t, dir, on.ddl("CREATE TABLE things (id BIGINT PRIMARY KEY, person VARCHAR(20), at TIME NOT NULL); CREATE TABLE parts (id INTEGER PRIMARY KEY, thing BIGINT); INSERT INTO things VALUES (7, 'p7', '2001-01-01 10:00:00')"))
				roundtripCommand(t, dir, "run")
				on.run(t, dir, make)
				tp := &template{crashWorld: crashWorld{on: on}, dir: dir}
				code, out := tp.tries(t, append([]string{"archive", "restore", "--identity", identityFile(t, dir), "--by", "Ada", "--reason", "a test", "--table", "things=back"}, newestRun(t, dir)...)...)
				if (code == exitOK) != (x.says == "") || !strings.Contains(out, x.says) {
					t.Errorf("exit %d: %s", code, out)
				}
			})
		}
	}
}

package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestMinimumOfRowsThatStay: what a minimum asks of rows that are not sealed along may
// change, and nobody could ask again: the rule is refused before anything moves (L4).
func TestMinimumOfRowsThatStay(t *testing.T) {
	const minimum = "  - id: tax\n    title: Tax\n    dataset: prospects\n    approve: never\n    at_least: 10 years\n"
	tests := []struct {
		name, rule string
		refused    bool
	}{
		{"clock of the row", "    from: at\n", false},
		{"clock of a child that goes along", "    from: {table: calls, on: {prospect: id}, column: at}\n", false},
		{"clock of a row that stays", "    from: {table: notes, on: {id: person}, column: at}\n", true},
		{"condition on rows that stay", "    from: at\n    where: {exists: {table: notes, on: {id: person}}}\n", true},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			w := worldNamed("sealed")
			tp := &template{crashWorld: w, dir: t.TempDir()}
			writeFile(t, filepath.Join(tp.dir, "retentiond.yaml"), crashConfig)
			writeFile(t, filepath.Join(tp.dir, "policy.yaml"), crashPolicy+w.rule+minimum+x.rule)
			w.on.run(t, tp.dir, w.on.ddl(crashSchema), seedRows(40),
				"CREATE TABLE notes (id INTEGER PRIMARY KEY, at TIMESTAMP)", "ALTER TABLE calls ADD COLUMN at TIMESTAMP")
			code, out := tp.tries(t, "run", "--as-of", "2012-06-01")
			left := tp.number(t, tp.dir, "SELECT count(*) FROM prospects")
			if told := strings.Contains(out, "whose rows stay"); told != x.refused || x.refused && (code == exitOK || left != 340) {
				t.Fatalf("exit %d, %d rows are there: %s", code, left, out)
			}
		})
	}
}

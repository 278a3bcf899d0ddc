package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// TestMinimumsCoverSegments: a legal minimum on a table protects the segments of its
// rows, though nobody can read them; one that came later protects whatever it might
// be about (L4).
func TestMinimumsCoverSegments(t *testing.T) {
	const books = "  - id: books\n    title: Books\n    dataset: prospects\n    from: at\n    where: {name: name 5}\n    at_least: 10 years\n"
	tests := []struct {
		name, sealed, later string // policies' further rules, when rows are sealed and after
		asOf                string
		want                retention.Class
	}{
		{"none", "", "", "2017-06-01", retention.Due},
		{"running", books, books, "2017-06-01", retention.Protected},
		{"over", books, books, "2021-06-01", retention.Due},
		{"came later", "", books, "2021-06-01", retention.Protected},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			w := worldNamed("sealed")
			tp := &template{crashWorld: w, dir: t.TempDir()}
			writeFile(t, filepath.Join(tp.dir, "retentiond.yaml"), crashConfig)
			writeFile(t, filepath.Join(tp.dir, "policy.yaml"), crashPolicy+w.rule+x.sealed)
			w.on.run(t, tp.dir, w.on.ddl(crashSchema), seedRows(40))
			tp.commandIn(t, tp.dir, exitOK, "run", "--as-of", "2012-06-01")
			writeFile(t, filepath.Join(tp.dir, "policy.yaml"), crashPolicy+w.rule+x.later)
			var p struct {
				Steps []struct {
					Archived bool
					Classes  retention.Classes
				}
			}
			if err := json.Unmarshal(tp.commandIn(t, tp.dir, exitOK, "plan", "--as-of", x.asOf), &p); err != nil {
				t.Fatal(err)
			}
			for _, s := range p.Steps {
				if s.Archived && (*s.Classes.Of(x.want) != 40 || s.Classes.Total != 40) {
					t.Errorf("%+v, want 40 %s", s.Classes, x.want)
				}
			}
		})
	}
}

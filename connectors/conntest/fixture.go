package conntest

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

const storeUUID = "11111111-1111-4111-8111-111111111111"

// fixture is a database with tables in it, and one source open on it.
type fixture struct {
	t      *testing.T
	h      Harness
	db     Database
	s      retention.Source
	names  []retention.TableName
	schema *retention.Schema
	n      int // intents given
}

// setup makes the tables, installs the gate and describes the tables.
func setup(t *testing.T, h Harness, script string) *fixture {
	t.Helper()
	f := &fixture{t: t, h: h, db: h.Fresh(t)}
	f.exec(script)
	f.s = f.db.Open(t)
	if _, err := f.s.Install(t.Context(), storeUUID); err != nil {
		t.Fatal(err)
	}
	f.describe()
	return f
}

// exec runs a script: statements end with a semicolon and a line break.
func (f *fixture) exec(script string) {
	f.t.Helper()
	for _, text := range strings.Split(strings.TrimSpace(script), ";\n") {
		text = f.types(strings.TrimSuffix(strings.TrimSpace(text), ";"))
		if text == "" {
			continue
		}
		f.run(text)
		if m := regexp.MustCompile(`^CREATE TABLE (\w+)`).FindStringSubmatch(text); m != nil {
			f.names = append(f.names, tn(m[1]))
		}
	}
}

// run runs one statement as it stands.
func (f *fixture) run(text string) {
	f.t.Helper()
	if err := f.db.Exec(f.t.Context(), text); err != nil {
		f.t.Fatalf("%s: %v", short(text), err)
	}
}

func short(text string) string {
	if len(text) > 300 {
		return text[:300] + "…"
	}
	return text
}

func (f *fixture) types(text string) string {
	return regexp.MustCompile(`\{[a-z-]+\}`).ReplaceAllStringFunc(text, func(s string) string {
		return f.h.Type(strings.Trim(s, "{}"))
	})
}

func (f *fixture) describe() {
	f.t.Helper()
	schema, err := f.s.Describe(f.t.Context(), f.names)
	if err != nil {
		f.t.Fatal(err)
	}
	f.schema = schema
}

func (f *fixture) table(name string) *retention.Table {
	f.t.Helper()
	t := f.schema.Table(tn(name))
	if t == nil {
		f.t.Fatalf("table %s was not described", name)
	}
	return t
}

func tn(name string) retention.TableName { return retention.TableName{Name: name} }

// rows are the query's rows, columns joined by a bar.
func (f *fixture) rows(query string) []string {
	f.t.Helper()
	rows, err := f.db.Query(f.t.Context(), query)
	if err != nil {
		f.t.Fatalf("%s: %v", query, err)
	}
	var out []string
	for _, r := range rows {
		var cells []string
		for _, v := range r {
			cells = append(cells, cell(v))
		}
		out = append(out, strings.Join(cells, "|"))
	}
	return out
}

func cell(v any) string {
	switch x := v.(type) {
	case nil:
		return "NULL"
	case []byte:
		return "x" + hex.EncodeToString(x)
	}
	return fmt.Sprint(v)
}

func (f *fixture) wantRows(query string, want ...string) {
	f.t.Helper()
	if diff := cmp.Diff(want, f.rows(query)); diff != "" {
		f.t.Errorf("%s (-want +got):\n%s", query, diff)
	}
}

// ids are the rows that a table still has.
func (f *fixture) wantIDs(table, want string) {
	f.t.Helper()
	if got := strings.Join(f.rows("SELECT id FROM "+table+" ORDER BY id"), " "); got != want {
		f.t.Errorf("table %s has the rows %q, want %q", table, got, want)
	}
}

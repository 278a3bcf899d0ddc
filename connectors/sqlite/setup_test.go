package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
	_ "modernc.org/sqlite"
)

// bundle is a real file, the source on it, and the application's connection.
type bundle struct {
	t      *testing.T
	s      *Source
	app    *sqlx.DB
	path   string
	schema *retention.Schema
}

func setup(t *testing.T, ddl string) *bundle {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a b?c#d%20.db")
	app := openApp(t, path)
	exec(t, app, "PRAGMA journal_mode = WAL")
	exec(t, app, ddl)
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	b := &bundle{t: t, s: s, app: app, path: path}
	b.describe()
	return b
}

func openApp(t *testing.T, path string) *sqlx.DB {
	t.Helper()
	d, err := newDriver()
	if err != nil {
		t.Fatal(err)
	}
	app := pool(d, path, "_busy_timeout=5000&_foreign_keys=1", 2)
	t.Cleanup(func() { app.Close() })
	return app
}

func exec(t *testing.T, db *sqlx.DB, text string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// describe reads every table of the file.
func (b *bundle) describe() {
	b.t.Helper()
	var names []string
	if err := b.app.Select(&names, "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"); err != nil {
		b.t.Fatal(err)
	}
	var tables []retention.TableName
	for _, n := range names {
		tables = append(tables, retention.TableName{Name: n})
	}
	schema, err := b.s.Describe(b.t.Context(), tables)
	if err != nil {
		b.t.Fatal(err)
	}
	b.schema = schema
}

func (b *bundle) table(name string) *retention.Table {
	b.t.Helper()
	t := b.schema.Table(tn(name))
	if t == nil {
		b.t.Fatalf("no table %s", name)
	}
	return t
}

func tn(name string) retention.TableName { return retention.TableName{Name: name} }

// cutoff is the test's cutoff: what is before 2024 is over.
func cutoff() time.Time { return time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC) }

func member(column string) retention.MemberTest {
	return retention.MemberTest{
		Column: column, Zone: time.UTC, DateZone: time.UTC, Cutoff: cutoff(),
		NotBefore: retention.DefaultNotBefore(), NotAfter: cutoff().AddDate(101, 0, 0),
	}
}

func relatedMember(rel retention.Relation) retention.MemberTest {
	m := member("")
	m.Related = &rel
	return m
}

func latest(ms ...retention.MemberTest) retention.ClockTest { return retention.ClockTest{Members: ms} }

// selection is every row of the table, by its own clock column.
func (b *bundle) selection(table, column string) retention.Selection {
	return retention.Selection{
		Schema: b.schema, Table: b.table(table), Clock: latest(member(column)),
		Reach: &retention.Reach{Table: tn(table)},
	}
}

func noHolds() *retention.HoldSet { return &retention.HoldSet{} }

func person(ids ...string) *retention.HoldSet {
	return &retention.HoldSet{Version: 1, Subjects: map[string][]string{"person": ids}}
}

// classes returns each row's class by key text, and checks that the count says
// the same.
func (b *bundle) classes(sel retention.Selection, h *retention.HoldSet) map[string]retention.Class {
	b.t.Helper()
	g, err := b.s.Gen(sel, h)
	if err != nil {
		b.t.Fatal(err)
	}
	q, err := g.EachClass()
	if err != nil {
		b.t.Fatal(err)
	}
	rows, err := b.s.read.QueryxContext(b.t.Context(), q.Text, q.Args...)
	if err != nil {
		b.t.Fatalf("%v\n%s", err, q.Text)
	}
	defer rows.Close()
	out := map[string]retention.Class{}
	var want retention.Classes
	for rows.Next() {
		vals, err := rows.SliceScan()
		if err != nil {
			b.t.Fatal(err)
		}
		n := len(vals) - 1
		class := retention.Class(vals[n].(string))
		out[sqlwork.KeyText(vals[:n])] = class
		*want.Of(class)++
		want.Total++
	}
	c, err := b.s.Count(b.t.Context(), sel, h, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if diff := cmp.Diff(want, c.Classes); diff != "" {
		b.t.Errorf("count differs from the rows' classes: %s", diff)
	}
	return out
}

func (b *bundle) wantClasses(sel retention.Selection, h *retention.HoldSet, want map[string]retention.Class) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.classes(sel, h)); diff != "" {
		b.t.Errorf("classes (-want +got):\n%s", diff)
	}
}

const store = "store-1"

// install makes the gate.
func (b *bundle) install() {
	b.t.Helper()
	if _, err := b.s.Install(b.t.Context(), store); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) batch(sel retention.Selection, kind retention.ActionKind, keys ...any) retention.Batch {
	out := retention.Batch{
		Intent: fmt.Sprintf("run/1/%d", time.Now().UnixNano()), Selection: sel, Action: retention.Act{Kind: kind},
		Admit: func(context.Context, retention.Gate) (*retention.HoldSet, error) { return noHolds(), nil },
		Seal:  func(done int64, keys []retention.Key) string { return fmt.Sprintf("sealed %d of %d", done, len(keys)) },
	}
	for _, k := range keys {
		if key, composite := k.(retention.Key); composite {
			out.Keys = append(out.Keys, key)
			continue
		}
		if n, small := k.(int); small {
			k = int64(n)
		}
		out.Keys = append(out.Keys, retention.Key{k})
	}
	return out
}

func (b *bundle) apply(batch retention.Batch) retention.Outcome {
	b.t.Helper()
	out, err := b.s.Apply(b.t.Context(), batch)
	if err != nil {
		b.t.Fatal(err)
	}
	if batch.ChildrenOf == 0 && out.Done+out.Spared.Sum() != int64(len(batch.Keys)) {
		b.t.Errorf("done %d + spared %+v is not %d", out.Done, out.Spared, len(batch.Keys))
	}
	return out
}

// rows returns a query's rows as text.
func (b *bundle) rows(query string) []string {
	b.t.Helper()
	var out []string
	if err := b.app.Select(&out, query); err != nil {
		b.t.Fatalf("%s: %v", query, err)
	}
	return out
}

func (b *bundle) wantRows(query string, want ...string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.rows(query)); diff != "" {
		b.t.Errorf("%s (-want +got):\n%s", query, diff)
	}
}

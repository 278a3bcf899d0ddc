package postgres

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// bundle is a real database, the source on it, and the application's sessions.
type bundle struct {
	t      *testing.T
	s      *Source
	app    *sqlx.DB
	dsn    string
	schema *retention.Schema
	n      int
}

func setup(t *testing.T, ddl string, tables ...string) *bundle {
	t.Helper()
	d := fresh(t)
	b := &bundle{t: t, app: d.app, dsn: d.dsn}
	b.exec(ddl)
	b.s = d.open(t)
	if _, err := b.s.Install(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	b.describe(tables...)
	return b
}

const store = "11111111-1111-4111-8111-111111111111"

func (b *bundle) exec(text string, args ...any) {
	b.t.Helper()
	if _, err := b.app.ExecContext(b.t.Context(), text, args...); err != nil {
		b.t.Fatalf("%.300s: %v", text, err)
	}
}

func (b *bundle) describe(tables ...string) {
	b.t.Helper()
	var names []retention.TableName
	for _, n := range tables {
		names = append(names, tn(n))
	}
	var err error
	if b.schema, err = b.s.Describe(b.t.Context(), names); err != nil {
		b.t.Fatal(err)
	}
}

func tn(name string) retention.TableName { return retention.TableName{Name: name} }

func (b *bundle) table(name string) *retention.Table {
	b.t.Helper()
	t := b.schema.Table(tn(name))
	if t == nil {
		b.t.Fatalf("table %s was not described", name)
	}
	return t
}

// cutoff is the tests': what is before 2024 is over.
func cutoff() time.Time { return time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC) }

func member(column string) retention.MemberTest {
	return retention.MemberTest{
		Column: column, Zone: time.UTC, DateZone: time.UTC, Cutoff: cutoff(),
		NotBefore: retention.DefaultNotBefore(), NotAfter: cutoff().AddDate(100, 0, 0),
	}
}

func latest(ms ...retention.MemberTest) retention.ClockTest { return retention.ClockTest{Members: ms} }

// selection is every row of the table, by its own clock column.
func (b *bundle) selection(table, column string) retention.Selection {
	return retention.Selection{Schema: b.schema, Table: b.table(table), Clock: latest(member(column)), Reach: &retention.Reach{Table: tn(table)}}
}

func noHolds() *retention.HoldSet { return &retention.HoldSet{} }

func person(ids ...string) *retention.HoldSet {
	return &retention.HoldSet{Version: 1, Subjects: map[string][]string{"person": ids}}
}

func (b *bundle) batch(sel retention.Selection, act retention.Act, keys ...any) retention.Batch {
	b.n++
	out := retention.Batch{
		Intent: fmt.Sprintf("run/1/%d", b.n), Selection: sel, Action: act,
		Admit: func(context.Context, retention.Gate) (*retention.HoldSet, error) { return noHolds(), nil },
		Seal:  func(int64, []retention.Key) string { return "sealed" },
	}
	for _, k := range keys {
		if n, small := k.(int); small {
			k = int64(n)
		}
		if key, whole := k.(retention.Key); whole {
			out.Keys = append(out.Keys, key)
			continue
		}
		out.Keys = append(out.Keys, retention.Key{k})
	}
	return out
}

func (b *bundle) apply(x retention.Batch) retention.Outcome {
	b.t.Helper()
	out, err := b.s.Apply(b.t.Context(), x)
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

func (b *bundle) classes(sel retention.Selection, h *retention.HoldSet) retention.Classes {
	b.t.Helper()
	c, err := b.s.Count(b.t.Context(), sel, h, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return c.Classes
}

func (b *bundle) wantRows(query string, want ...string) {
	b.t.Helper()
	var got []string
	if err := b.app.SelectContext(b.t.Context(), &got, query); err != nil {
		b.t.Fatalf("%s: %v", query, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("%s (-want +got):\n%s", query, diff)
	}
}

// ask runs a rendered piece over a table in an inspector's session.
func (b *bundle) ask(each func(*sqlx.Rows) error, table string, pieces ...sqlgen.SQL) {
	b.t.Helper()
	x := b.s.d.Query(sqlgen.Format("SELECT t.id, %s FROM "+table+" AS t ORDER BY t.id", sqlgen.Join(", ", pieces...)))
	err := b.s.Look(b.t.Context(), func(q sqlwork.Session) error {
		rows, err := q.QueryxContext(b.t.Context(), x.Text, x.Args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := each(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		b.t.Fatalf("%v\n%s", err, x.Text)
	}
}

// sharedOf is the database that the subtests of one test use in turn.
func sharedOf(t *testing.T) *bundle {
	t.Helper()
	b := setup(t, zoo)
	b.app.SetMaxOpenConns(1)
	return b
}

func (b *bundle) of(t *testing.T) *bundle {
	c := *b
	c.t = t
	c.n = int(time.Now().UnixNano() % 1e12)
	return &c
}

// mustSession is a session outside of any transaction, for looking.
func mustSession(_ *testing.T, b *bundle) looker { return looker{b.app} }

type looker struct{ *sqlx.DB }

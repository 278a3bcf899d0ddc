package mysql

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

const store = "11111111-1111-4111-8111-111111111111"

func cutoff() time.Time { return time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC) }

// selection is of rows of the table by the clock, in UTC.
func selection(s *retention.Schema, table, clock string) retention.Selection {
	n := retention.TableName{Name: table}
	return retention.Selection{Schema: s, Table: s.Table(n), Reach: &retention.Reach{Table: n}, Clock: retention.ClockTest{Members: []retention.MemberTest{{
		Column: clock, Zone: time.UTC, DateZone: time.UTC, Cutoff: cutoff(), NotBefore: retention.DefaultNotBefore(), NotAfter: cutoff().AddDate(100, 0, 0),
	}}}}
}

// batch is of the keys: an int is an integer key, anything else one column's value.
func batch(sel retention.Selection, act retention.Act, keys ...any) retention.Batch {
	b := retention.Batch{
		Intent: fmt.Sprintf("run/%p/1", &keys), Selection: sel, Action: act, AsOf: cutoff(),
		Admit: func(context.Context, retention.Gate) (*retention.HoldSet, error) { return &retention.HoldSet{}, nil },
		Seal:  func(done int64, _ []retention.Key) string { return fmt.Sprintf("sealed %d", done) },
	}
	for _, k := range keys {
		switch x := k.(type) {
		case int:
			b.Keys = append(b.Keys, retention.Key{int64(x)})
		default:
			b.Keys = append(b.Keys, retention.Key{x})
		}
	}
	return b
}

// shop is a database with tables and a gate.
func shop(t *testing.T, script ...string) (*database, *Source) {
	t.Helper()
	d := fresh(t)
	for _, text := range script {
		if _, err := d.app.Exec(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	s := d.open(t)
	if _, err := s.Install(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	return d, s
}

func describe(t *testing.T, s *Source, names ...string) *retention.Schema {
	t.Helper()
	var list []retention.TableName
	for _, n := range names {
		list = append(list, retention.TableName{Name: n})
	}
	schema, err := s.Describe(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

package conntest

import (
	"slices"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// restoreCases are rows of sealed archives that come back.
func restoreCases() []testCase {
	return []testCase{
		{name: "AsTheyWere", run: restoreExact},
		{name: "WithoutKey", run: restoreKeyless},
		{name: "Changed", run: restoreChanged},
	}
}

// restores puts rows of papers into the table.
func (f *fixture) restores(into string, rows ...[]any) (int64, error) {
	f.t.Helper()
	var columns []retention.SegmentColumn
	for _, c := range f.table("p").Columns {
		columns = append(columns, retention.SegmentColumn{Name: c.Name, Decl: c.Decl, Kind: c.Kind})
	}
	return f.s.Restore(f.t.Context(), tn(into), columns, func(insert func([]any) error) error {
		for _, r := range rows {
			if err := insert(slices.Clone(r)); err != nil {
				return err
			}
		}
		return nil
	})
}

const shelved = " (id {int}, who {text}, note {text}, at {timestamp}, more {int})"

func restoreExact(t *testing.T, h Harness) {
	f := setup(t, h, papers)
	f.exec("CREATE TABLE b (id {int} NOT NULL PRIMARY KEY, who {text}, note {text}, at {timestamp});\nINSERT INTO b VALUES (50, 'old', NULL, NULL)")
	var rows [][]any
	for id := range int64(2500) { // more than are compared at once
		rows = append(rows, []any{id + 1000, "o'\\ é", nil, "2020-01-01 10:20:30"})
	}
	if n, err := f.restores("b", rows...); err != nil || n != 2500 {
		t.Fatalf("%d rows, %v", n, err)
	}
	f.wantRows("SELECT count(*) FROM b WHERE note IS NULL", "2501")
	f.wantRows("SELECT who, at FROM b WHERE id = 3499", "o'\\ é|2020-01-01 10:20:30")
	if _, err := f.restores("b", []any{int64(7), "x", "y", nil}, []any{int64(50), "x", "y", nil}); err == nil {
		t.Error("a key that was taken did not end it")
	}
	f.wantRows("SELECT count(*) FROM b", "2501")
}

func restoreKeyless(t *testing.T, h Harness) {
	f := setup(t, h, papers)
	f.exec("CREATE TABLE b" + shelved + ";\nINSERT INTO b VALUES (1, 'bob', NULL, NULL, 3)")
	if n, err := f.restores("b", []any{int64(1), "bob", nil, nil}, []any{int64(1), "bob", "", "2020-01-01 00:00:00"}); err != nil || n != 2 {
		t.Fatalf("%d rows, %v", n, err)
	}
	f.wantRows("SELECT id FROM b", "1", "1", "1")
}

// restoreChanged: what the table would hold in another way is not told as restored,
// whether rows have a key or not, and nothing of it stays (L9).
func restoreChanged(t *testing.T, h Harness) {
	f := setup(t, h, papers)
	f.exec("CREATE TABLE k (id {int} NOT NULL PRIMARY KEY, who {text}, note {int}, at {timestamp});\nCREATE TABLE n (id {int}, who {text}, note {int}, at {timestamp})")
	for _, table := range []string{"k", "n"} {
		if n, err := f.restores(table, []any{int64(1), "bob", "7", nil}, []any{int64(2), "eve", "007", nil}); err == nil {
			t.Errorf("table %s: %d rows were restored, of which one is another", table, n)
		}
		f.wantRows("SELECT count(*) FROM "+table, "0")
	}
}

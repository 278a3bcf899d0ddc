package postgres

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

// blanks are the values of rows that were sealed.
type blanks struct{ rows [][]any }

func (k *blanks) Table(retention.SealTable) error { return nil }
func (k *blanks) About(string, any) error         { return nil }
func (k *blanks) Row(values []any, _ int64, _ []*int64) error {
	k.rows = append(k.rows, append([]any(nil), values...))
	return nil
}

func (k *blanks) copy(_ context.Context, read func(retention.RowWriter) error) ([]retention.SealedRef, error) {
	err := read(k)
	return []retention.SealedRef{{Rows: int64(len(k.rows))}}, err
}

// A bpchar without a length that is the key keeps them too. Its index takes 'ab' and
// 'ab  ' for one, so that no row has a twin; and its own row is found by either.
func TestBlanksOfKeysAreArchived(t *testing.T) {
	t.Parallel()
	const columns = " (code bpchar PRIMARY KEY, at timestamptz)"
	for name, ranges := range map[string]bool{"range": true, "keys": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, "CREATE TABLE p"+columns+"; CREATE TABLE back"+columns+"; INSERT INTO p VALUES ('ab  ', '2020-01-01'), (' ab', '2020-01-01'), ('ab c', '2020-01-01'), ('ba ', '2030-01-01')", "p", "back")
			if _, err := b.app.ExecContext(t.Context(), "INSERT INTO p VALUES ('ab', '2020-01-01')"); err == nil {
				t.Error("a row with the same letters is another one")
			}
			k := &blanks{}
			x := b.batch(b.selection("p", "at"), retention.Act{Kind: retention.Archive, Sealed: true}, "ab", " ab", "ab c")
			if x.Copy = k.copy; ranges {
				x.Range, x.Keys = &retention.Range{Most: 100}, nil
			}
			if out := b.apply(x); out.Done != 3 {
				t.Fatalf("%+v", out)
			}
			k.back(b)
			b.wantRows("SELECT textin(bpcharout(code)) || '|' FROM back ORDER BY code COLLATE \"C\"", " ab|", "ab  |", "ab c|")
			b.wantRows("SELECT textin(bpcharout(code)) || '|' FROM p", "ba |")
			if out := b.apply(b.batch(b.selection("p", "at"), retention.Act{Kind: retention.Delete}, "ba", "ab")); out.Spared.Changed != 1 || out.Spared.Gone != 1 {
				t.Errorf("%+v", out)
			}
		})
	}
}

// back restores them into the table of that name.
func (k *blanks) back(b *bundle) {
	b.t.Helper()
	var columns []retention.SegmentColumn
	for _, c := range b.table("p").Columns {
		columns = append(columns, retention.SegmentColumn{Name: c.Name, Decl: c.Decl, Kind: c.Kind})
	}
	n, err := b.s.Restore(b.t.Context(), tn("back"), columns, func(insert func([]any) error) error {
		for _, r := range k.rows {
			if err := insert(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || n != int64(len(k.rows)) {
		b.t.Fatalf("%d rows came back, %v", n, err)
	}
}

// Blanks at the end of a bpchar without a length go into an archive and come back (L9).
func TestBlanksAreArchived(t *testing.T) {
	t.Parallel()
	const columns = " (id int PRIMARY KEY, at timestamptz, free bpchar, padded char(5), vary varchar(9))"
	const rows = "(1, '2020-01-01', 'ab  ', 'ab', 'ab  '), (2, '2020-01-01', '  ', '', ''), (3, '2020-01-01', NULL, NULL, NULL)"
	const image = "SELECT id || '|' || coalesce(textin(bpcharout(free)), 'none') || '|' || coalesce(textin(bpcharout(padded)), 'none') || '|' || coalesce(vary, 'none') FROM "
	for name, ranges := range map[string]bool{"range": true, "keys": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, "CREATE TABLE p"+columns+"; CREATE TABLE back"+columns+"; INSERT INTO p VALUES "+rows, "p", "back")
			k := &blanks{}
			x := b.batch(b.selection("p", "at"), retention.Act{Kind: retention.Archive, Sealed: true}, 1, 2, 3)
			if x.Copy = k.copy; ranges {
				x.Range, x.Keys = &retention.Range{Most: 100}, nil
			}
			if out := b.apply(x); out.Done != 3 {
				t.Fatalf("%+v", out)
			}
			k.back(b)
			var got []string
			if err := b.app.SelectContext(t.Context(), &got, image+"back ORDER BY id"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"1|ab  |ab   |ab  ", "2|  |     |", "3|none|none|none"}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

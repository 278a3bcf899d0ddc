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
			var columns []retention.SegmentColumn
			for _, c := range b.table("p").Columns {
				columns = append(columns, retention.SegmentColumn{Name: c.Name, Decl: c.Decl, Kind: c.Kind})
			}
			n, err := b.s.Restore(t.Context(), tn("back"), columns, func(insert func([]any) error) error {
				for _, r := range k.rows {
					if err := insert(r); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil || n != 3 {
				t.Fatalf("%d rows came back, %v", n, err)
			}
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

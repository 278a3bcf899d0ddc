package postgres

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// archived is a batch that archives every due prospect, and has made its vault.
func (b *bundle) archived(sel retention.Selection) retention.Batch {
	b.t.Helper()
	if err := b.s.MakeVault(b.t.Context(), b.schema, retention.VaultSpec{From: []retention.TableName{tn("prospects")}, Into: []retention.TableName{tn("old_prospects")}}); err != nil {
		b.t.Fatal(err)
	}
	x := b.batch(sel, retention.Act{Kind: retention.Archive, Into: &retention.VaultTables{Table: tn("old_prospects"), Rule: "p/r", At: cutoff()}})
	x.Range = &retention.Range{Most: 100}
	return x
}

// meanwhile begins the batch while the application has done its statements, and
// commits these once the batch waits.
func (b *bundle) meanwhile(x retention.Batch, statements ...string) retention.Outcome {
	b.t.Helper()
	app, err := b.app.BeginTxx(b.t.Context(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, text := range statements {
		if _, err := app.ExecContext(b.t.Context(), text); err != nil {
			b.t.Fatal(err)
		}
	}
	type end struct {
		out retention.Outcome
		err error
	}
	done := make(chan end, 1)
	go func() {
		out, err := b.s.Apply(b.t.Context(), x)
		done <- end{out, err}
	}()
	time.Sleep(300 * time.Millisecond)
	if err := app.Commit(); err != nil {
		b.t.Fatal(err)
	}
	e := <-done
	if e.err != nil {
		b.t.Fatal(e.err)
	}
	return e.out
}

// sealing is archived, for a sealed vault that takes the rows.
func (b *bundle) sealing(sel retention.Selection) (retention.Batch, *sealed) {
	b.t.Helper()
	x, s := b.batch(sel, retention.Act{Kind: retention.Archive, Sealed: true}), &sealed{}
	x.Range, x.Copy = &retention.Range{Most: 100}, s.copy
	return x, s
}

// sealed are ids and e-mails of the rows that were given.
type sealed struct{ rows []string }

func (s *sealed) Table(retention.SealTable) error { return nil }
func (s *sealed) About(string, any) error         { return nil }
func (s *sealed) Row(values []any, _ int64, _ []*int64) error {
	s.rows = append(s.rows, fmt.Sprint(values[0], " ", values[2]))
	return nil
}

func (s *sealed) copy(_ context.Context, read func(retention.RowWriter) error) ([]retention.SealedRef, error) {
	err := read(s)
	return []retention.SealedRef{{Rows: int64(len(s.rows))}}, err
}

// A row that changes while its archive waits for it is archived as it is then; one
// that is no longer due then stays (L6, L9).
func TestRowChangesWhileItsArchiveWaits(t *testing.T) {
	t.Parallel()
	changes := []string{"UPDATE prospects SET email = 'new' WHERE id = 5", "UPDATE prospects SET created_at = '2025-01-01' WHERE id = 6", "DELETE FROM prospects WHERE id = 10"}
	moved, took := setup(t, prospects, "prospects"), setup(t, prospects, "prospects")
	x, s := took.sealing(took.selection("prospects", "created_at"))
	for b, out := range map[*bundle]retention.Outcome{moved: moved.meanwhile(moved.archived(moved.selection("prospects", "created_at")), changes...), took: took.meanwhile(x, changes...)} {
		if out.Done != 6 || out.Spared.Sum() != 0 {
			t.Errorf("%+v", out)
		}
		b.wantRows("SELECT id FROM prospects WHERE id IN (1, 5, 6, 10, 11, 15, 16, 20)", "6")
	}
	moved.wantRows("SELECT id || ' ' || email FROM old_prospects WHERE id IN (5, 6, 10)", "5 new")
	moved.wantRows("SELECT count(*) FROM old_prospects", "6")
	if len(s.rows) != 6 || !slices.Contains(s.rows, "5 new") {
		t.Errorf("%q was sealed", s.rows)
	}
}

// A contact that commits while the archive waits for a row's lock spares the row,
// and leaves no copy.
func TestContactWhileItsArchiveWaits(t *testing.T) {
	t.Parallel()
	changes := []string{"UPDATE prospects SET email = 'again' WHERE id = 5", "INSERT INTO interactions (prospect_id, direction, occurred_at) VALUES (5, 'in', '2025-05-05')"}
	moved, took := setup(t, prospects, "prospects", "interactions"), setup(t, prospects, "prospects", "interactions")
	sel := func(b *bundle) retention.Selection {
		sel := b.selection("prospects", "created_at")
		sel.Clock = latest(member("created_at"), contacts())
		return sel
	}
	x, s := took.sealing(sel(took))
	for b, out := range map[*bundle]retention.Outcome{moved: moved.meanwhile(moved.archived(sel(moved)), changes...), took: took.meanwhile(x, changes...)} {
		if out.Done != 7 || out.Spared != (retention.Spared{Changed: 1}) {
			t.Errorf("%+v", out)
		}
		b.wantRows("SELECT id FROM prospects WHERE id IN (1, 5, 6, 10, 11, 15, 16, 20)", "5")
	}
	moved.wantRows("SELECT count(*) FROM old_prospects", "7")
	moved.wantRows("SELECT count(*) FROM old_prospects WHERE id = 5", "0")
	if len(s.rows) != 7 || slices.Contains(s.rows, "5 again") {
		t.Errorf("%q was sealed", s.rows)
	}
}

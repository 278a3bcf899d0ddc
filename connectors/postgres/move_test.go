package postgres

import (
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

// A row that changes while its archive waits for it is copied as it is then; one
// that is no longer due then stays (L6, L9).
func TestRowChangesWhileItsArchiveWaits(t *testing.T) {
	b := setup(t, prospects, "prospects")
	out := b.meanwhile(b.archived(b.selection("prospects", "created_at")),
		"UPDATE prospects SET email = 'new' WHERE id = 5", "UPDATE prospects SET created_at = '2025-01-01' WHERE id = 6", "DELETE FROM prospects WHERE id = 10")
	if out.Done != 6 || out.Spared.Sum() != 0 {
		t.Errorf("%+v", out)
	}
	b.wantRows("SELECT id FROM prospects WHERE id IN (1, 5, 6, 10, 11, 15, 16, 20)", "6")
	b.wantRows("SELECT id || ' ' || email FROM old_prospects WHERE id IN (5, 6, 10)", "5 new")
	b.wantRows("SELECT count(*) FROM old_prospects", "6")
}

// A contact that commits while the archive waits for a row's lock spares the row,
// and leaves no copy.
func TestContactWhileItsArchiveWaits(t *testing.T) {
	b := setup(t, prospects, "prospects", "interactions")
	sel := b.selection("prospects", "created_at")
	sel.Clock = latest(member("created_at"), contacts())
	out := b.meanwhile(b.archived(sel),
		"UPDATE prospects SET email = 'again' WHERE id = 5", "INSERT INTO interactions (prospect_id, direction, occurred_at) VALUES (5, 'in', '2025-05-05')")
	if out.Done != 7 || out.Spared != (retention.Spared{Changed: 1}) {
		t.Errorf("%+v", out)
	}
	b.wantRows("SELECT id FROM prospects WHERE id IN (1, 5, 6, 10, 11, 15, 16, 20)", "5")
	b.wantRows("SELECT count(*) FROM old_prospects", "7")
	b.wantRows("SELECT count(*) FROM old_prospects WHERE id = 5", "0")
}

package conntest

import (
	"context"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// elsewhere is a vault in another database of the same server, for papers.
type elsewhere struct {
	*fixture
	from *fixture
	to   retention.Receiver
}

// make makes the vault, or refuses to.
func (e *elsewhere) make() error {
	lender, ok := e.from.s.(retention.Lender)
	if !ok {
		e.t.Fatal("its tables cannot be made elsewhere")
	}
	declared, err := lender.Declare(e.t.Context(), []*retention.Table{e.from.table("p")})
	if err != nil {
		e.t.Fatal(err)
	}
	return e.to.MakeVaultOf(e.t.Context(), declared, []retention.TableName{tn("v_p")})
}

// archive is a batch of papers whose copies go into the vault.
func (e *elsewhere) archive(keys ...any) retention.Batch {
	into := &retention.VaultTables{Source: "store", Table: tn("v_p"), Rule: "crm/papers", Why: "a claim may follow", At: time.Date(2026, 7, 1, 10, 20, 30, 0, time.UTC)}
	b := e.from.batch(e.from.papers(), retention.Act{Kind: retention.Archive, Into: into}, keys...)
	d := retention.Delivery{Intent: b.Intent, Into: into, Key: []string{"id"}, Admit: func(context.Context, retention.Gate) error { return nil }}
	b.Copy = func(ctx context.Context, read func(retention.RowWriter) error) ([]retention.SealedRef, error) {
		return nil, e.to.Receive(ctx, d, read)
	}
	return b
}

// lastingElsewhere: what lastingTrigger says holds for the tables, and the receipts, of a
// vault in another source (L7, L9).
func lastingElsewhere(t *testing.T, h Harness) {
	for name, c := range map[string]struct{ event, table string }{"INSERT": {"INSERT", "v_p"}, "DELETE": {"DELETE", "v_p"}, "receipts": {"DELETE", "retentiond_receipt"}} {
		t.Run(name, func(t *testing.T) {
			e := &elsewhere{fixture: setup(t, h, "CREATE TABLE o (id {int} NOT NULL PRIMARY KEY)"), from: setup(t, h, papers)}
			var ok bool
			if e.to, ok = e.s.(retention.Receiver); !ok {
				t.Fatal("it takes no rows of other sources")
			}
			if err := e.make(); err != nil {
				t.Fatal(err)
			}
			e.from.wantOutcome(e.archive(1), 1, retention.Spared{})
			e.wantRows("SELECT id, who, note FROM v_p", "1|bob|a ")
			e.trigger("late", c.event, c.table, harmless)
			_, err := e.from.s.Apply(t.Context(), e.archive(3))
			e.from.wantRefusal(err, retention.RefuseUnsafeTable)
			if c.table == "v_p" {
				e.wantRefusal(e.make(), retention.RefuseUnsafeTable)
			}
			e.from.wantIDs("p", "2 3 4 5 6 7 8")
			e.wantIDs("v_p", "1")
		})
	}
}

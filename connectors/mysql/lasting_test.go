package mysql

import (
	"errors"
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention"
)

const heap = "CREATE TABLE p (id BIGINT PRIMARY KEY, at DATETIME, KEY (at))"

func wantUnsafe(t *testing.T, err error) {
	t.Helper()
	var r *retention.Refusal
	if !errors.As(err, &r) || r.Code != retention.RefuseUnsafeTable {
		t.Errorf("got %v, want a refusal of an unsafe table", err)
	}
}

func archived(t *testing.T, s *Source) (spec retention.VaultSpec, schema *retention.Schema, b retention.Batch) {
	t.Helper()
	schema = describe(t, s, "p")
	spec = retention.VaultSpec{From: []retention.TableName{{Name: "p"}}, Into: []retention.TableName{{Name: "old_p"}}}
	if err := s.MakeVault(t.Context(), schema, spec); err != nil {
		t.Fatal(err)
	}
	b = batch(selection(schema, "p", "at"), retention.Act{Kind: retention.Archive, Into: &retention.VaultTables{Table: spec.Into[0], Rule: "p/r", At: cutoff()}})
	return spec, schema, b
}

// Copies in an engine without transactions, or with a memory, are none (L9).
func TestVaultOfAnotherEngine(t *testing.T) {
	for _, engine := range []string{"MyISAM", "MEMORY"} {
		d, s := shop(t, heap, "INSERT INTO p VALUES (1, '2020-01-01'), (2, '2020-01-01')")
		spec, schema, ranged := archived(t, s)
		_, _, keyed := archived(t, s)
		ranged.Range, keyed.Keys = &retention.Range{Most: 10}, []retention.Key{{int64(1)}}
		d.exec(t, "ALTER TABLE old_p ENGINE="+engine)
		for _, b := range []retention.Batch{ranged, keyed} {
			_, err := s.Apply(t.Context(), b)
			wantUnsafe(t, err)
		}
		wantUnsafe(t, s.MakeVault(t.Context(), schema, spec))
		var left, copies int
		if err := d.app.QueryRow("SELECT (SELECT count(*) FROM p), (SELECT count(*) FROM old_p)").Scan(&left, &copies); err != nil || left != 2 || copies != 0 {
			t.Errorf("%s: %d rows and %d copies: %v", engine, left, copies, err)
		}
	}
}

// Children in such an engine would be lost where the batch rolls back.
func TestChildrenOfAnotherEngine(t *testing.T) {
	_, s := shop(t, heap, "CREATE TABLE c (id BIGINT PRIMARY KEY, p_id BIGINT) ENGINE=MyISAM", "INSERT INTO p VALUES (1, '2020-01-01')", "INSERT INTO c VALUES (1, 1)")
	b := batch(selection(describe(t, s, "p", "c"), "p", "at"), retention.Act{Kind: retention.Delete, Drop: true, Children: []retention.Child{{
		Relation: retention.Relation{Table: retention.TableName{Name: "c"}, On: []retention.Pair{{Theirs: "p_id", Ours: "id"}}}, Then: retention.ChildDelete,
	}}}, 1)
	_, err := s.Apply(t.Context(), b)
	wantUnsafe(t, err)
}

// Triggers of a vault that the user is not shown count as being there.
func TestVaultWhoseTriggersAreHidden(t *testing.T) {
	d, s := shop(t, heap, "INSERT INTO p VALUES (1, '2020-01-01')")
	archived(t, s)
	dsn := servers.MariaDB(t).Role(t, d.dsn, "SELECT, INSERT, UPDATE, DELETE ON *", "TRIGGER ON p")
	o := openAs(t, dsn, Options{})
	_, _, b := archived(t, o)
	b.Keys = []retention.Key{{int64(1)}}
	_, err := o.Apply(t.Context(), b)
	wantUnsafe(t, err)
}

// A receipt in an engine without transactions is there though its batch is not (L7).
func TestReceiptsOfAnotherEngine(t *testing.T) {
	for _, own := range []string{"retentiond_receipt", "retentiond_gate"} {
		d, s := shop(t, heap, "INSERT INTO p VALUES (1, '2020-01-01')")
		d.exec(t, "ALTER TABLE "+own+" ENGINE=MyISAM")
		_, err := s.Apply(t.Context(), batch(selection(describe(t, s, "p"), "p", "at"), retention.Act{Kind: retention.Delete, Drop: true}, 1))
		wantUnsafe(t, err)
	}
}

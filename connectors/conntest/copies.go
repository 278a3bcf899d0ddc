package conntest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// unowned is a table whose children no foreign key ties to it: nothing keeps one
// from coming while the parent is locked.
const unowned = `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text});
CREATE TABLE c (id {text} NOT NULL PRIMARY KEY, p_id {int}, q_id {int}, note {text});
INSERT INTO p VALUES (1, '2020-01-01');
INSERT INTO c VALUES ('b', 1, NULL, 'b'), ('c', 1, NULL, 'c'), ('d', 1, 1, 'd'), ('e', NULL, 1, 'e');
`

func copyCases() []testCase {
	return []testCase{
		{name: "TableVault", run: func(t *testing.T, h Harness) { lateChild(t, h, false, 0) }},
		{name: "TableVaultInSlices", run: func(t *testing.T, h Harness) { lateChild(t, h, false, 2) }},
		{name: "SealedVault", run: func(t *testing.T, h Harness) { lateChild(t, h, true, 0) }},
		{name: "SealedVaultInSlices", run: func(t *testing.T, h Harness) { lateChild(t, h, true, 2) }},
		{name: "DeclaredTwiceInSlices", run: sealedTwice},
		{name: "KeysOfBytesInSlices", run: sealedByBytes},
		{name: "DeliveredBytes", run: deliveredBytes},
	}
}

// copies are the child rows that a sealed vault was given.
type copies struct {
	table string
	ids   map[string]int
}

// Table begins a table's rows.
func (c *copies) Table(t retention.SealTable) error { c.table = t.Table.Name.Name; return nil }

// Row takes a child row's key.
func (c *copies) Row(values []any, _ int64, _ []*int64) error {
	if c.table == "c" {
		c.ids[fmt.Sprint(values[0])]++
	}
	return nil
}

// About is not asked for.
func (c *copies) About(string, any) error { return nil }

// lateChild: a child row that comes between the copy and the delete is not removed
// uncopied, and one that is copied does not change before it is removed (L9).
func lateChild(t *testing.T, h Harness, sealed bool, most int64) {
	f := setup(t, h, unowned)
	seen := &copies{ids: map[string]int{}}
	act := f.unowned(sealed, seen)
	b := f.batch(f.from("p"), act.Act, 1)
	b.Copy, b.ChildrenOf = act.copy, most
	late, rows := false, []string{"b", "c", "d"}
	b.Reached = func(p retention.Point) {
		if p != retention.PointCopied || late {
			return
		}
		late = true
		if f.brief(t, "UPDATE c SET note = 'later' WHERE id = 'b'") == nil {
			t.Error("a row that is copied was changed before it was removed")
		}
		// An engine that lets one writer in at a time keeps it out: so much the better.
		if f.brief(t, "INSERT INTO c VALUES ('a', 1, NULL, 'late')") == nil {
			rows = append(rows, "a")
		}
	}
	out, err := f.s.Apply(t.Context(), b)
	if err != nil && !errors.Is(err, retention.ErrLocked) {
		t.Fatal(err)
	}
	if !late {
		t.Fatal("nothing was copied")
	}
	if most > 0 && (err != nil || out.Children["c"] != most) {
		t.Errorf("%+v %v, want %d children gone", out, err, most)
	}
	if err != nil {
		clear(seen.ids) // segments of a batch that did not happen count for nothing
	}
	f.wantEach(seen, rows...)
}

// sealedTwice: rows that two declarations reach leave once, a slice at a time, and
// slices come to an end.
func sealedTwice(t *testing.T, h Harness) {
	f := setup(t, h, unowned)
	seen := &copies{ids: map[string]int{}}
	act := f.unowned(true, seen)
	act.Children = append(act.Children, gone(rel("c", "q_id", "id", "")))
	for n := range 3 {
		b := f.batch(f.from("p"), act.Act, 1)
		b.Copy, b.ChildrenOf = act.copy, 2
		if _, err := f.s.Apply(t.Context(), b); err != nil {
			t.Fatalf("slice %d: %v", n, err)
		}
	}
	f.wantRows("SELECT count(*) FROM c", "0")
	f.wantEach(seen, "b", "c", "d", "e")
	for id, n := range seen.ids {
		if n != 1 {
			t.Errorf("row %s was copied %d times", id, n)
		}
	}
}

// sealedByBytes: keys that are bytes name their own rows, though the next row was read
// meanwhile.
func sealedByBytes(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text});
CREATE TABLE c (id {bytes} NOT NULL PRIMARY KEY, p_id {int}, note {text});
INSERT INTO p VALUES (1, '2020-01-01')`)
	const n = 400 // more than a driver reads at once
	var rows []string
	for i := range n {
		rows = append(rows, "("+h.Bytes(fmt.Appendf(nil, "%04d", i))+", 1, '"+strings.Repeat("long ", 30)+"')")
	}
	f.run("INSERT INTO c VALUES " + strings.Join(rows, ", "))
	seen := &copies{ids: map[string]int{}}
	act := f.unowned(true, seen)
	for range 2 {
		b := f.batch(f.from("p"), act.Act, 1)
		b.Copy, b.ChildrenOf = act.copy, n/2
		if out, err := f.s.Apply(t.Context(), b); err != nil || out.Children["c"] != n/2 {
			t.Fatalf("%+v, %v", out, err)
		}
	}
	f.wantRows("SELECT count(*) FROM c", "0")
	if len(seen.ids) != n {
		t.Errorf("%d different rows were sealed, want %d", len(seen.ids), n)
	}
}

// deliveredBytes: rows of another source keep their own bytes, though the giver reads
// the next row over them.
func deliveredBytes(t *testing.T, h Harness) {
	f := setup(t, h, "CREATE TABLE p (id {bytes} NOT NULL PRIMARY KEY, note {bytes}, at {timestamp})")
	to, ok := f.s.(interface {
		retention.Lender
		retention.Receiver
	})
	if !ok {
		return // it takes no rows of other sources
	}
	p, into := f.table("p"), []retention.TableName{tn("v_p")}
	declared, err := to.Declare(t.Context(), []*retention.Table{p})
	if err == nil {
		err = to.MakeVaultOf(t.Context(), declared, into)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.names = append(f.names, into...)
	d := retention.Delivery{
		Intent: "run/1/1", Into: &retention.VaultTables{Table: into[0], Rule: "crm/p", At: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)}, Key: p.Key,
		Admit: func(context.Context, retention.Gate) error { return nil },
	}
	err = to.Receive(t.Context(), d, func(to retention.RowWriter) error {
		err := to.Table(retention.SealTable{Table: p, Into: into[0]})
		read := []byte{0}
		for i := range byte(3) {
			read[0] = i
			err = errors.Join(err, to.Row([]any{read, read, nil}, 0, nil))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f.wantRows("SELECT count(DISTINCT id) FROM v_p WHERE id = note", "3")
}

type copying struct {
	retention.Act
	copy func(context.Context, func(retention.RowWriter) error) ([]retention.SealedRef, error)
}

// unowned is an archive of p and its c: into a sealed vault that remembers the rows,
// or into tables.
func (f *fixture) unowned(sealed bool, seen *copies) copying {
	f.t.Helper()
	act := retention.Act{Kind: retention.Archive, Children: []retention.Child{gone(rel("c", "p_id", "id", ""))}, Sealed: sealed}
	if sealed {
		return copying{act, func(_ context.Context, read func(retention.RowWriter) error) ([]retention.SealedRef, error) {
			return nil, read(seen)
		}}
	}
	spec := retention.VaultSpec{From: []retention.TableName{tn("p"), tn("c")}, Into: []retention.TableName{tn("v_p"), tn("v_c")}}
	if err := f.s.MakeVault(f.t.Context(), f.schema, spec); err != nil {
		f.t.Fatal(err)
	}
	f.names = append(f.names, spec.Into...)
	f.describe()
	act.Into = &retention.VaultTables{Table: tn("v_p"), Children: []retention.TableName{tn("v_c")}, Rule: "crm/people", At: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)}
	return copying{act, nil}
}

// brief is what an application does if it can do so at once.
func (f *fixture) brief(t *testing.T, statement string) error {
	short, stop := context.WithTimeout(context.WithoutCancel(t.Context()), 300*time.Millisecond)
	defer stop()
	return f.db.Exec(short, statement)
}

// wantEach wants each of the rows of c in the table, in its vault, or sealed.
func (f *fixture) wantEach(seen *copies, ids ...string) {
	f.t.Helper()
	from := "SELECT id FROM c"
	if len(seen.ids) == 0 && f.schema.Table(tn("v_c")) != nil {
		from += " UNION SELECT id FROM v_c"
	}
	rows, err := f.db.Query(f.t.Context(), from)
	if err != nil {
		f.t.Fatal(err)
	}
	there := map[string]bool{}
	for _, r := range rows {
		there[fmt.Sprint(r[0])] = true
	}
	for _, id := range ids {
		if !there[id] && seen.ids[id] == 0 {
			f.t.Errorf("row %s of c is neither in its table nor in the vault", id)
		}
	}
}

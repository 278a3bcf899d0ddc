package mysql

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

// taken are the values of rows that were sealed.
type taken struct{ rows [][]any }

func (k *taken) Table(retention.SealTable) error { return nil }
func (k *taken) About(string, any) error         { return nil }
func (k *taken) Row(values []any, _ int64, _ []*int64) error {
	k.rows = append(k.rows, append([]any(nil), values...))
	return nil
}

func (k *taken) copy(_ context.Context, read func(retention.RowWriter) error) ([]retention.SealedRef, error) {
	err := read(k)
	return []retention.SealedRef{{Rows: int64(len(k.rows))}}, err
}

// back restores what was sealed, as the archive says that its columns are.
func (k *taken) back(s *Source, from *retention.Table, into string) func(t *testing.T) {
	return func(t *testing.T) {
		t.Helper()
		var columns []retention.SegmentColumn
		for _, c := range from.Columns {
			columns = append(columns, retention.SegmentColumn{Name: c.Name, Decl: c.Decl, Kind: c.Kind})
		}
		n, err := s.Restore(t.Context(), retention.TableName{Name: into}, columns, func(insert func([]any) error) error {
			for _, r := range k.rows {
				if err := insert(r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || int(n) != len(k.rows) {
			t.Fatalf("%d of %d rows came back, %v", n, len(k.rows), err)
		}
	}
}

const (
	oddColumns = " (id INT PRIMARY KEY, at DATETIME, plain ENUM('a', 'b'), blank ENUM('', 'a', 'number0:'), members SET('a', 'b'), odd SET('x', ''), d DATE, dt DATETIME(3))"
	oddRows    = `(1, '2020-01-01', 'never', 'never', 'a,b', 'x,', '2024-02-30', '2024-02-31 10:00:00.5'), (2, '2020-01-01', 'b', '', '', '', '2024-00-00', '0000-00-00 00:00:00'),
 (3, '2020-01-01', NULL, 'number0:', NULL, 2, '0000-00-00', '2024-00-10 00:00:00'), (4, '2020-01-01', '', 0, 'b', 1, NULL, '2024-11-00 23:59:59.999')`
	oddImage = `SELECT CONCAT_WS('|', id, COALESCE(plain + 0, 'none'), COALESCE(blank + 0, 'none'), COALESCE(members + 0, 'none'), COALESCE(odd + 0, 'none'), COALESCE(CAST(d AS CHAR), 'none'), CAST(dt AS CHAR)) FROM `
)

// Values that a column has though its type does not take them, and members that are
// written alike, come back from an archive as they were (L9).
func TestOddValuesAreArchived(t *testing.T) {
	t.Parallel()
	d, s := shop(t, "CREATE TABLE p"+oddColumns+" COLLATE utf8mb4_bin", "CREATE TABLE q"+oddColumns, "CREATE TABLE back"+oddColumns+" COLLATE utf8mb4_bin", "CREATE TABLE again"+oddColumns)
	for _, table := range []string{"p", "q"} {
		d.fill(t, "INSERT INTO "+table+" VALUES "+oddRows)
	}
	var want []string
	if err := d.app.SelectContext(t.Context(), &want, oddImage+"p ORDER BY id"); err != nil {
		t.Fatal(err)
	}
	if want[0] != "1|0|0|3|3|2024-02-30|2024-02-31 10:00:00.500" || want[2] != "3|none|3|none|2|0000-00-00|2024-00-10 00:00:00.000" {
		t.Fatalf("the rows are not odd: %q", want)
	}
	for from, into := range map[string]string{"p": "back", "q": "again"} {
		schema := describe(t, s, from)
		sel := selection(schema, from, "at")
		k := &taken{}
		x := batch(sel, retention.Act{Kind: retention.Archive, Sealed: true}, 1, 2, 3, 4)
		if x.Copy = k.copy; from == "p" {
			x.Range, x.Keys = &retention.Range{Most: 100}, nil
		}
		if out, err := s.Apply(t.Context(), x); err != nil || out.Done != 4 {
			t.Fatalf("%+v, %v", out, err)
		}
		k.back(s, sel.Table, into)(t)
		var got []string
		if err := d.app.SelectContext(t.Context(), &got, oddImage+into+" ORDER BY id"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", into, diff)
		}
	}
}

// Vault tables of the same database take such values as they are; one that the server
// itself copies as another leaves its row where it is.
func TestOddValuesMoveIntoTables(t *testing.T) {
	t.Parallel()
	d, s := shop(t, "CREATE TABLE p"+oddColumns)
	schema := describe(t, s, "p")
	into := retention.TableName{Name: "v_p"}
	if err := s.MakeVault(t.Context(), schema, retention.VaultSpec{From: []retention.TableName{{Name: "p"}}, Into: []retention.TableName{into}}); err != nil {
		t.Fatal(err)
	}
	move := func(name string, keys ...any) (retention.Outcome, error) {
		x := batch(selection(describe(t, s, "p"), "p", "at"), retention.Act{Kind: retention.Archive, Into: &retention.VaultTables{Table: into, Rule: "r", At: cutoff()}}, keys...)
		if x.Intent = "run/" + name; len(keys) == 0 {
			x.Range = &retention.Range{Most: 100}
		}
		return s.Apply(t.Context(), x)
	}
	image := func(table string) (out []string) {
		t.Helper()
		if err := d.app.SelectContext(t.Context(), &out, oddImage+table+" ORDER BY id"); err != nil {
			t.Fatal(err)
		}
		return out
	}
	d.fill(t, "INSERT INTO p VALUES "+oddRows)
	want := image("p")
	if out, err := move("keys", 1, 2); err != nil || out.Done != 2 {
		t.Fatalf("%+v, %v", out, err)
	}
	if out, err := move("copied otherwise"); err == nil {
		t.Fatalf("%+v", out)
	}
	d.fill(t, "UPDATE p SET odd = 'x' WHERE id = 3")
	want[2] = strings.Replace(want[2], "|2|0000", "|1|0000", 1)
	if out, err := move("range"); err != nil || out.Done != 2 {
		t.Fatalf("%+v, %v", out, err)
	}
	if diff := cmp.Diff(want, image("v_p")); diff != "" {
		t.Error(diff)
	}
}

// fill inserts as an application does that is not strict.
func (d *database) fill(t *testing.T, text string) {
	t.Helper()
	conn, err := d.app.Connx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, text := range []string{"SET SESSION sql_mode = 'ALLOW_INVALID_DATES'", text, "SET SESSION sql_mode = 'STRICT_ALL_TABLES'"} {
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// A restored value that its table does not hold as it was is told, though the session
// takes what it can: nothing comes back.
func TestOddValuesAreReadBack(t *testing.T) {
	t.Parallel()
	d, s := shop(t, "CREATE TABLE p (id INT PRIMARY KEY, v ENUM('a', 'b'))", "CREATE TABLE narrow (id INT PRIMARY KEY, v ENUM('a'))")
	k := &taken{rows: [][]any{{int64(1), "a"}, {int64(2), "b"}}}
	columns := []retention.SegmentColumn{{Name: "id", Kind: retention.KindInteger}, {Name: "v", Kind: retention.KindOther}}
	_, err := s.Restore(t.Context(), retention.TableName{Name: "narrow"}, columns, func(insert func([]any) error) error {
		for _, r := range k.rows {
			if err := insert(r); err != nil {
				return err
			}
		}
		return nil
	})
	var n int
	if e := d.app.GetContext(t.Context(), &n, "SELECT count(*) FROM narrow"); e != nil || err == nil || n != 0 {
		t.Errorf("%d rows are there, %v, %v", n, err, e)
	}
}

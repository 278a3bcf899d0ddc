package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// shelf is a table whose ranges answer while they go, and the batch of the 500 rows of
// the hours 101 to 600 that are sealed. Rows lie as they came, or strewn.
func shelf(t *testing.T, strewn bool) (*database, *Source, retention.Batch, *shelved) {
	t.Helper()
	id := "seq"
	if strewn {
		id = "seq * 2000 % 5003"
	}
	d, s := shop(t, "CREATE TABLE p (id BIGINT PRIMARY KEY, person_id BIGINT, note VARCHAR(90), at DATETIME, KEY at (at), KEY note (note))",
		"INSERT INTO p SELECT "+id+", seq % 100, CONCAT('note ', seq), '2015-01-01 00:00:00' + INTERVAL seq HOUR FROM seq_1_to_5000")
	if _, err := d.app.Exec("ANALYZE TABLE p"); err != nil {
		t.Fatal(err)
	}
	sel := selection(describe(t, s, "p"), "p", "at")
	sel.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{"person_id"}}}
	x, to := batch(sel, retention.Act{Kind: retention.Archive, Sealed: true}), &shelved{}
	x.Range, x.Copy = &retention.Range{After: hour(101), To: hour(601), Most: 501}, to.copy
	return d, s, x, to
}

func hour(n int) retention.Cursor {
	return retention.Cursor{Order: time.Date(2015, 1, 1, n, 0, 0, 0, time.UTC).Format("2006-01-02 15:04:05.000000")}
}

// shelved are the notes that a vault was given.
type shelved struct {
	rows []string
	then func() error // once all were given
}

func (s *shelved) Table(retention.SealTable) error { return nil }
func (s *shelved) About(string, any) error         { return nil }
func (s *shelved) Row(values []any, _ int64, _ []*int64) error {
	s.rows = append(s.rows, fmt.Sprint(values[2]))
	return nil
}

func (s *shelved) copy(_ context.Context, read func(retention.RowWriter) error) ([]retention.SealedRef, error) {
	err := read(s)
	if err == nil && s.then != nil {
		err = s.then()
	}
	return []retention.SealedRef{{Rows: int64(len(s.rows))}}, err
}

// walks is whether the batch's range answers while it goes along the index; empty: that of
// the clock.
func walks(t *testing.T, s *Source, x retention.Batch, h *retention.HoldSet, index string) (walks bool) {
	t.Helper()
	g, err := s.Gen(x.Selection, h)
	if err != nil {
		t.Fatal(err)
	}
	if index == "" {
		index = g.Along()
	} else {
		g.Between(101, 600)
	}
	var q sqlgen.Query
	if q, err = g.TakeRange(*x.Range, nil); err == nil {
		err = s.Change(t.Context(), sqlwork.Shared, time.Second, func(session sqlwork.Session) (err error) {
			walks, err = s.Walks(t.Context(), session, q, index)
			return err
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return walks
}

// TestRangeAnswersWhileItGoes: the rows that go are those that were sealed, each as it
// was last, and none is seen to be gone, nor goes, before they are sealed (L9).
func TestRangeAnswersWhileItGoes(t *testing.T) {
	t.Parallel()
	for _, strewn := range []bool{false, true} {
		d, s, x, to := shelf(t, strewn)
		if !walks(t, s, x, &retention.HoldSet{}, "") || !strewn && !walks(t, s, x, &retention.HoldSet{}, "PRIMARY") {
			t.Fatal("the server reads the range in another way: nothing is tested here")
		}
		lost := errors.New("the disk is full")
		to.then = func() error { return lost }
		if _, err := s.Apply(t.Context(), x); !errors.Is(err, lost) {
			t.Errorf("the error is %v", err)
		}
		*to = shelved{then: func() error {
			if n := d.number(t, "SELECT count(*) FROM p"); n != 5000 { // the application removed one, and added one
				return fmt.Errorf("others see %d rows", n)
			}
			return nil
		}}
		x.Intent = "run/1/2"
		out := beside(t, d, s, x, "UPDATE p SET note = 'new' WHERE note = 'note 300'", "UPDATE p SET at = '2025-01-01' WHERE note = 'note 301'", "DELETE FROM p WHERE note = 'note 302'",
			"INSERT INTO p SELECT 9001, 1, 'late', at FROM p WHERE note = 'note 400'")
		there := d.number(t, "SELECT count(*) FROM p")
		if out.Done < 498 || len(to.rows) != int(out.Done) || there != 5000-len(to.rows) {
			t.Errorf("strewn: %v: %d rows are done, %d were sealed, %d are there", strewn, out.Done, len(to.rows), there)
		}
		if !slices.Contains(to.rows, "new") || slices.Contains(to.rows, "note 301") || !slices.Contains(to.rows, "note 101") || !slices.Contains(to.rows, "note 600") {
			t.Errorf("strewn: %v: the rows are not as they were last: %q", strewn, to.rows)
		}
		if n := d.number(t, "SELECT count(*) FROM p WHERE note = 'note 301' OR note = 'note 100' OR note = 'note 601'"); n != 3 {
			t.Errorf("strewn: %v: rows went that are not due in the range", strewn)
		}
	}
}

// TestRangeThatIsNotWalked: where held subjects would be looked up anew for each row, or
// the table be read through, rows are read first; those of held subjects stay (L3).
func TestRangeThatIsNotWalked(t *testing.T) {
	t.Parallel()
	d, s, x, to := shelf(t, false)
	held := &retention.HoldSet{Version: 1, Subjects: map[string][]string{"person": {"7", "8"}}}
	whole := x
	whole.Range = &retention.Range{Most: 5000}
	if walks(t, s, x, held, "") || walks(t, s, x, held, "PRIMARY") || walks(t, s, whole, &retention.HoldSet{}, "") {
		t.Error("a range is walked that costs a look for each row, or the whole table")
	}
	x.Admit = func(context.Context, retention.Gate) (*retention.HoldSet, error) { return held, nil }
	out, err := s.Apply(t.Context(), x)
	if err != nil || out.Done != 490 || len(to.rows) != 490 {
		t.Errorf("%d rows are done, %d were sealed, %v", out.Done, len(to.rows), err)
	}
	if n := d.number(t, "SELECT count(*) FROM p WHERE person_id IN (7, 8)"); n != 100 {
		t.Errorf("%d held rows are there, want 100", n)
	}
}

// beside begins the batch while an application has done its statements, and commits these
// once the batch waits.
func beside(t *testing.T, d *database, s *Source, x retention.Batch, statements ...string) retention.Outcome {
	t.Helper()
	app, err := d.app.BeginTxx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range statements {
		if _, err := app.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	type end struct {
		out retention.Outcome
		err error
	}
	done := make(chan end, 1)
	go func() {
		out, err := s.Apply(t.Context(), x)
		done <- end{out, err}
	}()
	for range 200 { // it is right as well where it came later
		if d.number(t, "SELECT count(*) FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'") > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	e := <-done
	if e.err != nil {
		t.Fatal(e.err)
	}
	return e.out
}

func (d *database) number(t *testing.T, query string) (n int) {
	t.Helper()
	if err := d.app.Get(&n, query); err != nil {
		t.Fatal(err)
	}
	return n
}

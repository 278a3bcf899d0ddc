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

// shelf is a table whose ranges answer while they go, and the batch of the 500 rows 101
// to 600 that are sealed.
func shelf(t *testing.T) (*database, *Source, retention.Batch, *shelved) {
	t.Helper()
	d, s := shop(t, "CREATE TABLE p (id BIGINT PRIMARY KEY, person_id BIGINT, note VARCHAR(90), at DATETIME, KEY at (at))",
		"INSERT INTO p SELECT seq, seq % 100, CONCAT('note ', seq), '2015-01-01 00:00:00' + INTERVAL seq HOUR FROM seq_1_to_5000")
	if _, err := d.app.Exec("ANALYZE TABLE p"); err != nil {
		t.Fatal(err)
	}
	sel := selection(describe(t, s, "p"), "p", "at")
	sel.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{"person_id"}}}
	x, to := batch(sel, retention.Act{Kind: retention.Archive, Sealed: true}), &shelved{}
	x.Range, x.Copy = &retention.Range{After: hour(101), To: hour(601), Most: 500}, to.copy
	return d, s, x, to
}

func hour(n int) retention.Cursor {
	return retention.Cursor{Order: time.Date(2015, 1, 1, n, 0, 0, 0, time.UTC).Format("2006-01-02 15:04:05.000000")}
}

// shelved are the ids and notes that a vault was given.
type shelved struct {
	rows []string
	then func() error // once all were given
}

func (s *shelved) Table(retention.SealTable) error { return nil }
func (s *shelved) About(string, any) error         { return nil }
func (s *shelved) Row(values []any, _ int64, _ []*int64) error {
	s.rows = append(s.rows, fmt.Sprint(values[0], " ", values[2]))
	return nil
}

func (s *shelved) copy(_ context.Context, read func(retention.RowWriter) error) ([]retention.SealedRef, error) {
	err := read(s)
	if err == nil && s.then != nil {
		err = s.then()
	}
	return []retention.SealedRef{{Rows: int64(len(s.rows))}}, err
}

// walks is whether the batch's range answers while it goes.
func walks(t *testing.T, s *Source, x retention.Batch, h *retention.HoldSet) (walks bool) {
	t.Helper()
	g, err := s.Gen(x.Selection, h)
	if err != nil {
		t.Fatal(err)
	}
	var q sqlgen.Query
	if q, err = g.TakeRange(*x.Range, nil); err == nil {
		err = s.Change(t.Context(), sqlwork.Shared, time.Second, func(session sqlwork.Session) (err error) {
			walks, err = s.Walks(t.Context(), session, q, g.Along())
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
	d, s, x, to := shelf(t)
	if !walks(t, s, x, &retention.HoldSet{}) {
		t.Fatal("the server reads the range in another way: nothing is tested here")
	}
	lost := errors.New("the disk is full")
	to.then = func() error { return lost }
	if _, err := s.Apply(t.Context(), x); !errors.Is(err, lost) {
		t.Errorf("the error is %v", err)
	}
	*to = shelved{then: func() error {
		if n := d.number(t, "SELECT count(*) FROM p"); n != 4999 { // the application removed one
			return fmt.Errorf("others see %d rows", n)
		}
		return nil
	}}
	x.Intent = "run/1/2"
	out := beside(t, d, s, x, "UPDATE p SET note = 'new' WHERE id = 300", "UPDATE p SET at = '2025-01-01' WHERE id = 301", "DELETE FROM p WHERE id = 302")
	if out.Done != 498 || len(to.rows) != 498 || !slices.Contains(to.rows, "300 new") || slices.Contains(to.rows, "301 note 301") || !slices.Contains(to.rows, "600 note 600") {
		t.Errorf("%d rows are done, %d were sealed", out.Done, len(to.rows))
	}
	if n := d.number(t, "SELECT count(*) FROM p WHERE id BETWEEN 101 AND 600"); n != 1 {
		t.Errorf("%d rows of the range are there, want 1", n)
	}
	if n := d.number(t, "SELECT count(*) FROM p"); n != 4501 {
		t.Errorf("%d rows are there, want 4501", n)
	}
}

// TestRangeThatIsNotWalked: where held subjects would be looked up anew for each row, or
// the table be read through, rows are read first; those of held subjects stay (L3).
func TestRangeThatIsNotWalked(t *testing.T) {
	t.Parallel()
	d, s, x, to := shelf(t)
	held := &retention.HoldSet{Version: 1, Subjects: map[string][]string{"person": {"7", "8"}}}
	whole := x
	whole.Range = &retention.Range{Most: 5000}
	if walks(t, s, x, held) || walks(t, s, whole, &retention.HoldSet{}) {
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

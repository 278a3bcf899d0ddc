package conntest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// sealCases are ranges that leave for a sealed vault: rows that no key names.
func sealCases() []testCase {
	return []testCase{
		{name: "RangeSeals", run: sealRange},
		{name: "RangeSealsByOthers", run: sealRelated},
		{name: "RangeSealsWithMinimums", run: sealMinimums},
		{name: "RangeOfOthersPersons", run: sealPersons},
		{name: "RangeBeyondThePlan", run: sealUnplanned},
		{name: "NoSegmentNoMove", run: sealFails},
		{name: "WriterBetween", run: sealBeside},
		{name: "AnotherInItsPlace", run: sealSwapped},
	}
}

// segments are what a sealed vault was given.
type segments struct {
	rows    []string
	about   []string
	short   int64 // rows that it says it lost
	err     error
	written func() // is called once all rows were read
}

// Table begins a table's rows.
func (s *segments) Table(retention.SealTable) error { return nil }

// Row takes a row.
func (s *segments) Row(values []any, clock int64, minimums []*int64) error {
	var cells []string
	for _, v := range values {
		cells = append(cells, cell(v))
	}
	cells = append(cells, fmt.Sprint(clock))
	for _, m := range minimums {
		if m == nil {
			cells = append(cells, "-")
		} else {
			cells = append(cells, fmt.Sprint(*m))
		}
	}
	s.rows = append(s.rows, strings.Join(cells, "|"))
	return nil
}

// About takes a subject.
func (s *segments) About(typ string, id any) error {
	s.about = append(s.about, typ+" "+cell(id))
	return nil
}

func (s *segments) copy(_ context.Context, read func(retention.RowWriter) error) ([]retention.SealedRef, error) {
	s.rows = nil
	if err := read(s); err != nil {
		return nil, err
	}
	if s.written != nil {
		s.written()
	}
	if len(s.rows) == 0 || s.err != nil {
		return nil, s.err
	}
	return []retention.SealedRef{{Vault: "v", Name: "2020-01.run.1", Rows: int64(len(s.rows)) - s.short}}, nil
}

// ids are the keys of the rows, in their order.
func (s *segments) ids() string {
	var out []string
	for _, r := range s.rows {
		id, _, _ := strings.Cut(r, "|")
		out = append(out, id)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// sealing is a batch of a range that is sealed.
func (f *fixture) sealing(c *choice, s *segments) retention.Batch {
	b := f.batch(c, retention.Act{Kind: retention.Archive, Sealed: true})
	b.Range, b.Copy = &retention.Range{Most: 100}, s.copy
	return b
}

// micros is a day of January 2020 in microseconds.
func micros(day int64) string { return fmt.Sprint((18262 + day - 1) * 86_400_000_000) }

// sealRange: what leaves is what was sealed, exactly, with its clock; nothing of it is
// seen by others before it is sealed; a hold spares its rows.
func sealRange(t *testing.T, h Harness) {
	f := setup(t, h, papers)
	s := &segments{}
	s.written = func() { f.wantIDs("p", "1 2 3 4 5 6 7 8") }
	b := withHolds(f.sealing(f.papers(), s), person("ada"))
	var passed []retention.Point
	b.Reached = func(p retention.Point) { passed = append(passed, p) }
	out := f.wantOutcome(b, 5, retention.Spared{})
	if len(out.Segments) != 1 || out.Segments[0].Rows != 5 || !slices.IsSorted(passed) || !slices.Contains(passed, retention.PointCopied) {
		t.Errorf("segments %+v, points %v", out.Segments, passed)
	}
	if r := f.settle(b.Intent); len(r.Segments) != 1 || r.Segments[0].Rows != 5 {
		t.Errorf("the receipt names the segments %+v", r.Segments)
	}
	f.wantIDs("p", "2 7 8")
	if got := s.ids(); got != "1 3 4 5 6" {
		t.Errorf("the rows %s were sealed", got)
	}
	for id, want := range map[string]string{"1": "1|bob|a |2020-01-01 00:00:00|" + micros(1), "3": "3|bob|NULL|2020-01-03 00:00:00|" + micros(3), "4": "4|NULL||2020-01-04 00:00:00|" + micros(4)} {
		if !slices.ContainsFunc(s.rows, func(r string) bool { return strings.ReplaceAll(r, ".000000|", "|") == want }) {
			t.Errorf("row %s was not sealed as %q: %q", id, want, s.rows)
		}
	}
	s.written = nil
	f.wantOutcome(f.sealing(f.papers(), s), 1, retention.Spared{}) // ada's hold has ended
	f.wantOutcome(f.sealing(f.papers(), s), 0, retention.Spared{})
	f.wantIDs("p", "7 8")
}

// sealRelated: the clock reads other rows too.
func sealRelated(t *testing.T, h Harness) {
	f := setup(t, h, papers)
	c := f.papers()
	m := typed("", retention.AsTimestamp)
	o := rel("o", "p_id", "id", "at")
	m.Related = &o
	c.by(latest(typed("at", retention.AsTimestamp), m))
	s := &segments{}
	f.wantOutcome(withHolds(f.sealing(c, s), person("ada")), 4, retention.Spared{})
	f.wantIDs("p", "2 3 7 8")
	if got := s.ids(); got != "1 4 5 6" || !slices.ContainsFunc(s.rows, func(r string) bool { return strings.HasSuffix(r, "|1590969600000000") }) {
		t.Errorf("%q was sealed", s.rows)
	}
}

// sealMinimums: the clocks of minimums that the manifest needs come with the rows,
// those that read other rows too.
func sealMinimums(t *testing.T, h Harness) {
	f := setup(t, h, papers)
	m := typed("", retention.AsTimestamp)
	o := rel("o", "p_id", "id", "at")
	m.Related = &o
	s := &segments{}
	b := f.sealing(f.papers(), s)
	b.Action.Keepers = [][]retention.Minimum{{{Policy: "p", Rule: "own", Where: test("who", retention.Eq, "eve"), Clock: latest(typed("at", retention.AsTimestamp))}, {Policy: "p", Rule: "theirs", Clock: latest(m)}}}
	f.wantOutcome(b, 6, retention.Spared{})
	for id, want := range map[string]string{"1": "|-|1590969600000000", "5": "|" + micros(5) + "|" + micros(5) + "|9223372036854775807"} {
		if !slices.ContainsFunc(s.rows, func(r string) bool { return strings.HasPrefix(r, id+"|") && strings.HasSuffix(r, want) }) {
			t.Errorf("row %s was not sealed with %s: %q", id, want, s.rows)
		}
	}
	f.wantIDs("p", "7 8")
}

// sealPersons: rows that are about persons through others say so, since a hold finds
// the segment by nothing else (L3).
func sealPersons(t *testing.T, h Harness) {
	f := setup(t, h, papers)
	f.exec("ALTER TABLE o ADD COLUMN who {text}")
	f.exec("UPDATE o SET who = 'zoe' WHERE id = 1")
	f.describe()
	s := &segments{}
	f.wantOutcome(f.sealing(f.papers().aboutRelated("person", rel("o", "p_id", "id", "who")), s), 6, retention.Spared{})
	if !slices.Contains(s.about, "person zoe") || s.ids() != "1 2 3 4 5 6" {
		t.Errorf("rows %q, about %q", s.rows, s.about)
	}
}

func sealUnplanned(t *testing.T, h Harness) {
	f := setup(t, h, papers)
	s := &segments{}
	s.written = func() { t.Error("more rows than were planned were sealed") }
	b := f.sealing(f.papers(), s)
	b.Range.Most = 5
	if err := f.refused(b, "p"); !errors.Is(err, retention.ErrUnplanned) {
		t.Errorf("got the error %v, want one that says that more rows are due than were planned", err)
	}
}

// sealFails: a vault that fails, and one that has fewer rows than it was given, leave
// everything where it was (L9).
func sealFails(t *testing.T, h Harness) {
	f := setup(t, h, papers)
	lost := errors.New("the disk is full")
	if err := f.refused(f.sealing(f.papers(), &segments{err: lost}), "p"); !errors.Is(err, lost) {
		t.Errorf("the error is %v", err)
	}
	_ = f.refused(f.sealing(f.papers(), &segments{short: 1}), "p")
	f.wantOutcome(f.sealing(f.papers(), &segments{}), 6, retention.Spared{})
}

// sealBeside: whatever an application writes while rows are being sealed, each row is
// in the table or sealed as it was last, and none is both.
func sealBeside(t *testing.T, h Harness) {
	f := setup(t, h, papers)
	s := &segments{}
	want := []string{"1", "2", "3", "4", "5", "6", "7", "8"}
	s.written = func() {
		if f.brief(t, "UPDATE p SET note = 'later' WHERE id = 1") == nil {
			t.Error("a row was changed after it was read to be sealed")
		}
		if f.brief(t, "INSERT INTO p VALUES (9, 'bob', 'late', '2020-01-02 00:00:00')") == nil {
			want = append(want, "9")
		}
	}
	out, err := f.s.Apply(t.Context(), f.sealing(f.papers(), s))
	if err != nil && !errors.Is(err, retention.ErrLocked) {
		t.Fatal(err)
	}
	sealed := strings.Fields(s.ids())
	if err != nil {
		sealed = nil // segments of a batch that did not happen count for nothing
	}
	if int(out.Done) != len(sealed) {
		t.Errorf("%d rows are done, %v were sealed", out.Done, sealed)
	}
	all := append(f.rows("SELECT id FROM p"), sealed...)
	slices.Sort(all)
	if !slices.Equal(all, want) {
		t.Errorf("in the table or sealed are %v, want %v", all, want)
	}
}

// sealSwapped: as many rows go as were sealed, and they are those (L9): a row that was
// sealed cannot leave the range, so that one that came into it since, by either way, is
// one too many, and takes nobody's place.
func sealSwapped(t *testing.T, h Harness) {
	for name, come := range map[string]string{
		"inserted": "INSERT INTO p VALUES (9, 'bob', 'late', '2020-01-02 00:00:00')",
		"moved":    "UPDATE p SET at = '2020-01-02 00:00:00' WHERE id = 7",
	} {
		f := setup(t, h, papers)
		s := &segments{}
		s.written = func() {
			// One that waits may be done later, by a server that does not hear that it is not wanted
			// any more: what it does then must harm nothing.
			if f.brief(t, "UPDATE p SET at = '2020-01-03 12:00:00' WHERE id = 3") == nil {
				t.Errorf("%s: the clock of a row moved after it was read to be sealed", name)
			}
			_ = f.brief(t, come) // who may not write waits, and writes afterwards
		}
		out, err := f.s.Apply(t.Context(), f.sealing(f.papers(), s))
		if err != nil && !errors.Is(err, retention.ErrLocked) {
			t.Fatal(err)
		}
		left := f.rows("SELECT id FROM p")
		for _, id := range []string{"1", "2", "3", "4", "5", "6"} {
			sealed := err == nil && slices.Contains(strings.Fields(s.ids()), id)
			if sealed == slices.Contains(left, id) {
				t.Errorf("%s: row %s: sealed %v, and the table has %v (%d done, %v)", name, id, sealed, left, out.Done, err)
			}
		}
		if !slices.Contains(left, "8") {
			t.Errorf("%s: %q was sealed, the table has %v", name, s.rows, left)
		}
	}
}

package conntest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

func rangeCases() []testCase {
	return []testCase{
		{name: "ByClock", run: func(t *testing.T, h Harness) { rangesOf(t, h, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1) }},
		{name: "OneMoment", run: func(t *testing.T, h Harness) { rangesOf(t, h, 30) }},
		{name: "Moments", run: func(t *testing.T, h Harness) { rangesOf(t, h, 1, 9, 1, 1, 20, 2, 3, 1, 1, 8) }},
		{name: "LongMomentFirst", run: func(t *testing.T, h Harness) { rangesOf(t, h, 17, 1, 1) }},
		{name: "ByKey", run: rangesByKey},
	}
}

// rangesOf: rows share moments, so many at each. Ranges of any size end, hold at most
// their size, name no row twice, and leave none that is due.
func rangesOf(t *testing.T, h Harness, moments ...int) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp});
CREATE INDEX p_at ON p (at);
INSERT INTO p VALUES (1001, NULL), (1002, '1970-01-01 00:00:00'), (1003, '2025-01-01 00:00:00')`)
	var values []string
	for day, n := range moments {
		for range n {
			values = append(values, fmt.Sprintf("(%d, '2020-01-%02d 00:00:00')", (len(values)+1)*7919%997, day+1))
		}
	}
	c := f.from("p").by(latest(typed("at", retention.AsTimestamp)))
	for _, size := range []int{1, 2, 3, 7, 100} {
		f.run("INSERT INTO p VALUES " + strings.Join(values, ", "))
		f.wantRanges(c, size, len(values))
		f.wantIDs("p", "1001 1002 1003")
	}
}

func rangesByKey(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (a {text} NOT NULL, b {int} NOT NULL, at {timestamp-text}, PRIMARY KEY (a, b));
INSERT INTO p VALUES ('x', 2, '2020-01-01'), ('x', 10, '2020-01-01'), ('w', 99, '2020-01-01'), ('x', 3, '2025-01-01'), ('y', 1, '2019-01-01'), ('y', 2, '2019-01-01')`)
	f.wantRanges(f.from("p"), 2, 5)
	f.wantRows("SELECT a, b FROM p", "x|3")
}

// wantRanges deletes in ranges of that size until there is no further one.
func (f *fixture) wantRanges(c *choice, size, due int) {
	f.t.Helper()
	var at retention.Cursor
	done, ranges := 0, 0
	for {
		to, err := f.s.Ahead(f.t.Context(), c.Selection, at, size)
		if err != nil {
			f.t.Fatal(err)
		}
		if !to.Zero() {
			to = f.thawed(to)
		}
		b := f.deletion(c)
		b.Range = &retention.Range{After: at, To: to, Most: int64(size)}
		done += int(f.apply(b).Done)
		if ranges++; to.Zero() {
			break
		}
		if ranges > due+2 {
			f.t.Fatalf("%d ranges of %d rows do not end", ranges, size)
		}
		at = to
	}
	if most := 2*due/size + 2; done != due || ranges > most {
		f.t.Errorf("ranges of %d: %d of %d due rows went in %d ranges, at most %d are enough", size, done, due, ranges, most)
	}
}

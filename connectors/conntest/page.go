package conntest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

func pageCases() []testCase {
	return []testCase{
		{name: "ByClockIndex", run: pageByClock},
		{name: "ByKey", run: pageByKey},
		{name: "CompositeKeys", run: pageComposite},
		{name: "TextKeys", run: pageText},
		{name: "BytesKeys", run: pageBytes, needs: BytesKeys},
		{name: "BigKeys", run: pageBig},
		{name: "WhileOthersWrite", run: pageMoving},
		{name: "EmptyAndBadCursors", run: pageEdges},
	}
}

func sizes() []int { return []int{1, 2, 7} }

// wantWalk walks in every page size, and then deletes what the pages name: a key
// that is returned but cannot be bound again would be gone.
func (f *fixture) wantWalk(c *choice, ordered bool, want ...string) {
	f.t.Helper()
	for _, n := range sizes() {
		got := f.walk(c, noHolds(), n)
		if !ordered {
			slices.Sort(got)
			slices.Sort(want)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			f.t.Errorf("pages of %d (-want +got):\n%s", n, diff)
		}
	}
	b := f.deletion(c)
	b.Keys = f.keys(c, noHolds(), 7)
	f.wantOutcome(b, int64(len(want)), retention.Spared{})
}

// pageByClock: in clock order where an index serves it, ties broken by key.
func pageByClock(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp});
CREATE INDEX p_at ON p (at);
INSERT INTO p VALUES (1, '2020-01-03 00:00:00'), (2, '2020-01-01 00:00:00'), (3, '2020-01-01 00:00:00'), (4, '2020-01-02 00:00:00'), (5, '2025-01-01 00:00:00'), (6, NULL), (7, '1970-01-01 00:00:00'), (8, '2020-01-01 00:00:00'), (10, '2020-01-01 00:00:00'), (9, '2023-12-31 23:59:59')`)
	f.wantWalk(f.from("p").by(latest(typed("at", retention.AsTimestamp))), true, "2", "3", "8", "10", "4", "1", "9")
	f.wantIDs("p", "5 6 7")
}

func pageByKey(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text})`)
	var values, want []string
	for i := 1; i <= 40; i++ {
		year := 2020
		if i%5 == 0 {
			year = 2025
		} else {
			want = append(want, fmt.Sprint(i*3-60))
		}
		values = append(values, fmt.Sprintf("(%d, '%d-01-%02d')", i*3-60, year, 1+(i*7)%28))
	}
	f.exec("INSERT INTO p VALUES " + strings.Join(values, ", "))
	f.wantWalk(f.from("p"), true, want...)
}

func pageComposite(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (a {text} NOT NULL, b {int} NOT NULL, at {timestamp-text}, PRIMARY KEY (a, b));
INSERT INTO p VALUES ('x', 2, '2020-01-01'), ('x', 10, '2020-01-01'), ('w', 99, '2020-01-01'), ('x', 3, '2025-01-01'), ('y', 1, '2019-01-01'), ('y', 2, '2019-01-01')`)
	f.wantWalk(f.from("p"), true, "w/99", "x/2", "x/10", "y/1", "y/2")
	f.wantRows("SELECT a, b FROM p", "x|3")
}

func pageText(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {text} NOT NULL PRIMARY KEY, at {timestamp-text});
INSERT INTO p VALUES ('10', '2020-01-01'), ('9', '2020-01-01'), ('é"''x', '2020-01-01'), ('', '2020-01-01'), ('a b', '2020-01-01'), ('日本', '2020-01-01'), ('[1,2]', '2020-01-01'), ('kept', '2025-01-01')`)
	f.wantWalk(f.from("p"), false, "10", "9", `é"'x`, "", "a b", "日本", "[1,2]")
	f.wantRows("SELECT id FROM p", "kept")
}

func pageBytes(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {bytes} NOT NULL PRIMARY KEY, at {timestamp-text})`)
	for _, b := range [][]byte{{0, 255}, {0}, {65}, []byte("plain")} {
		f.run("INSERT INTO p VALUES (" + h.Bytes(b) + ", '2020-01-01')")
	}
	f.wantWalk(f.from("p"), false, "x00ff", "x00", "x41", "x"+fmt.Sprintf("%x", "plain"))
}

func pageBig(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {bigint} NOT NULL PRIMARY KEY, at {timestamp-text});
INSERT INTO p VALUES (9007199254740993, '2020-01-01'), (9007199254740992, '2025-01-01'), (-9007199254740993, '2020-01-01'), (9223372036854775807, '2020-01-01')`)
	f.wantWalk(f.from("p"), true, "-9007199254740993", "9007199254740993", "9223372036854775807")
	f.wantIDs("p", "9007199254740992")
}

// pageMoving: a row that is due from the first page to the last is returned
// exactly once, whatever the application does in between.
func pageMoving(t *testing.T, h Harness) {
	for _, index := range []string{"", ";\nCREATE INDEX p_at ON p (at)"} {
		f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text});
INSERT INTO p VALUES (10, '2020-01-01'), (20, '2020-01-01'), (30, '2020-01-02'), (40, '2020-01-02'), (50, '2020-01-03'), (60, '2020-01-03'), (70, '2020-01-04')`+index)
		c := f.from("p")
		seen := map[string]int{}
		var at retention.Cursor
		for n := range 20 {
			p := f.page(c, noHolds(), at, 2)
			if len(p.Keys) == 0 {
				break
			}
			for _, k := range p.Keys {
				seen[keyText(k)]++
			}
			at = f.thawed(p.Next)
			switch n {
			case 0:
				f.exec("DELETE FROM p WHERE id IN (10, 20, 30);\nINSERT INTO p VALUES (5, '2019-01-01'), (15, '2020-01-01')")
			case 1:
				f.exec("INSERT INTO p VALUES (80, '2020-02-01'), (55, '2020-01-03');\nUPDATE p SET at = '2025-01-01' WHERE id = 60")
			}
		}
		for _, id := range []string{"10", "20", "40", "50", "70", "80"} {
			if seen[id] != 1 {
				t.Errorf("row %s was returned %d times", id, seen[id])
			}
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("row %s was returned %d times", id, n)
			}
		}
		if seen["60"] != 0 || seen["30"] != 0 {
			t.Errorf("rows that were no longer due came: %v", seen)
		}
	}
}

func pageEdges(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text});
INSERT INTO p VALUES (1, '2025-01-01')`)
	p := f.page(f.from("p"), noHolds(), retention.Cursor{}, 5)
	if len(p.Keys) != 0 || len(p.Next.Key) != 0 {
		t.Errorf("a page of nothing: %+v", p)
	}
	bad := retention.Cursor{Key: retention.Key{int64(1), int64(2)}}
	if _, err := f.s.Page(t.Context(), f.from("p").Selection, noHolds(), bad, 5); err == nil {
		t.Error("a cursor of another key must be refused")
	}
}

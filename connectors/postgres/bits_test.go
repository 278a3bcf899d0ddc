package postgres

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/lib/pq"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
	"pgregory.net/rapid"
)

// Bits say of every integer what the list says, and nothing of NULL.
func TestBitsAreTheList(t *testing.T) {
	b := setup(t, "CREATE TABLE none (id int PRIMARY KEY)", "none")
	const most, least = math.MaxInt64, math.MinInt64
	check := func(t rapid.TB, numbers []int64) {
		m := bitsFrom(numbers)
		if m == nil {
			t.Fatalf("%v have no bits", numbers)
		}
		ask := pq.Int64Array{0, least, most, m.low, m.high}
		for _, n := range numbers {
			ask = append(ask, n-1, n, n+1) // beyond the greatest is the least
		}
		q := b.s.d.Query(sqlgen.Format("SELECT v FROM unnest(%s::bigint[] || NULL::bigint) AS t(v) WHERE %s", sqlgen.Arg(ask), m.among(sqlgen.Raw("t.v"))))
		var got []int64
		if err := b.app.SelectContext(b.t.Context(), &got, q.Text, q.Args...); err != nil {
			t.Fatal(err)
		}
		var want []int64
		for _, n := range ask {
			if slices.Contains(numbers, n) {
				want = append(want, n)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("of %v, bits of %v find %v", ask, numbers, got)
		}
	}
	for _, numbers := range [][]int64{{0}, {-1}, {least}, {most}, {least, least + 63}, {most, most - 100}, {-5, 5, 7, 8}, {100, 1, 100}} {
		check(t, numbers)
	}
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-300, 300), rapid.Just(int64(most-200))).Draw(t, "low")
		low = min(low, most-200)
		check(t, rapid.SliceOfN(rapid.Map(rapid.Int64Range(0, 200), func(n int64) int64 { return low + n }), 4, 40).Draw(t, "numbers"))
	})
	for _, numbers := range [][]int64{nil, {least, most}, {0, 128}, {1, math.MaxInt64}} {
		if bitsFrom(numbers) != nil {
			t.Errorf("%v have bits, and lie too far apart", numbers)
		}
	}
}

// A long list of numbers that lie close together, and one that does not, hold the
// same rows, for a count and for a batch.
func TestManyHeldNumbers(t *testing.T) {
	b := setup(t, "CREATE TABLE p (id bigint PRIMARY KEY, who smallint, at timestamptz)", "p")
	sel := b.selection("p", "at")
	sel.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{"who"}}}
	var held []string
	for i := range 100 {
		held = append(held, fmt.Sprint(i*2-48)) // -48 to 150
	}
	for name, far := range map[string]string{"bits": "nobody", "list": "9000000000000"} {
		b.exec("TRUNCATE p")
		b.exec("INSERT INTO p SELECT i, nullif(i, 7) - 50, '2020-01-01' FROM generate_series(1, 400) AS i")
		holds := person(append(slices.Clone(held), far)...)
		x := b.batch(sel, retention.Act{Kind: retention.Delete})
		x.Range = &retention.Range{Most: 1000}
		x.Admit = func(context.Context, retention.Gate) (*retention.HoldSet, error) { return holds, nil }
		if got := b.classes(sel, holds); got.Held != 100 || got.Due != 300 {
			t.Errorf("%s: %+v", name, got)
		}
		b.apply(x)
		b.wantRows("SELECT format('%s|%s', count(*), count(*) FILTER (WHERE who % 2 = 0 AND who BETWEEN -48 AND 150)) FROM p", "100|100")
	}
}

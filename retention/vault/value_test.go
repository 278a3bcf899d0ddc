package vault

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// TestValuesComeBack: what is written of a value is read as the same value.
func TestValuesComeBack(t *testing.T) {
	texts := rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("\"\\\x00\x1f\x7f aé\u2028"))))
	rapid.Check(t, func(t *rapid.T) {
		row := rapid.SliceOf(rapid.OneOf(
			rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int64().AsAny(), rapid.Float64().AsAny(), texts.AsAny(),
			rapid.SliceOf(rapid.Byte()).AsAny(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) any { return string(b) }),
			rapid.SampledFrom([]any{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), uint64(math.MaxUint64), int64(math.MinInt64), "", []byte{}}),
		)).Draw(t, "row")
		line := []byte("[")
		for i, v := range row {
			if i > 0 {
				line = append(line, ',')
			}
			var err error
			if line, err = appendValue(line, v); err != nil {
				t.Fatal(err)
			}
		}
		got, err := readRow(append(line, ']'))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if diff := cmp.Diff(row, got, cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b }), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%q: %s", line, diff)
		}
	})
}

// TestOddBytesAreFound at every place of a text, alone and beside others.
func TestOddBytesAreFound(t *testing.T) {
	odd := func(c byte) bool { return c < ' ' || c == '"' || c == '\\' }
	for n := range 20 {
		for at := range n {
			for c := range 256 {
				for _, beside := range []byte{'a', 0x7f, 0x80, 0xff, '"' + 1, ' ', '!', '\\' + 1, byte(c)} {
					text := make([]byte, n)
					for i := range text {
						text[i] = 'a'
					}
					text[at] = byte(c)
					if at+1 < n {
						text[at+1] = beside
					}
					want := slices.IndexFunc(text, odd)
					if want < 0 {
						want = n
					}
					if got := cleanRun(string(text)); got != want {
						t.Fatalf("%q: %d bytes stand as they are, want %d", text, got, want)
					}
				}
			}
		}
	}
}

// TestIntegersAreTheirDigits: a column of integers and a hold that names one by its
// digits agree.
func TestIntegersAreTheirDigits(t *testing.T) {
	v := &Vault{secret: []byte("a key")}
	d := v.digester()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-20, 20), rapid.Just(int64(math.MinInt64))).Draw(t, "n")
		if got, want := d.value(nil, "person", n), v.Digests("person", strconv.FormatInt(n, 10)); !slices.Equal(got, want) {
			t.Fatalf("%d: %x, want %x", n, got, want)
		}
	})
}

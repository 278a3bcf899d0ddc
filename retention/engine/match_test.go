package engine

import (
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// A subject that only an unsigned column can hold can be held; one that the
// column's type cannot hold is refused, where the engine enforces the type.
func TestIdentifiersConvert(t *testing.T) {
	for _, c := range []struct {
		id    string
		kind  retention.Kind
		typed bool
		want  bool
	}{
		{"18446744073709551615", retention.KindInteger, true, true}, {"-9223372036854775808", retention.KindInteger, true, true},
		{" 0042 ", retention.KindInteger, false, true}, {"18446744073709551616", retention.KindInteger, true, false},
		{"1a", retention.KindInteger, false, false}, {"", retention.KindInteger, true, false}, {"1.5", retention.KindInteger, true, false},
		{"1.5", retention.KindNumber, true, true}, {"1e3", retention.KindNumber, true, true}, {"NaN", retention.KindNumber, true, false}, {"inf", retention.KindNumber, true, false}, {"0x1p4", retention.KindNumber, true, false},
		{"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", retention.KindUUID, true, true}, {"{a0eebc999c0b4ef8bb6d6bb9bd380a11}", retention.KindUUID, true, true}, {"ada", retention.KindUUID, true, false}, {"ada", retention.KindUUID, false, true},
		{"2024-02-29", retention.KindDate, true, true}, {"2023-02-29", retention.KindDate, true, false}, {"29/02/2024", retention.KindDate, false, true},
		{"10.1.2.3", retention.KindIP, true, true}, {"2001:DB8::1/64", retention.KindIP, true, true}, {"10.1.2", retention.KindIP, true, false},
		{"anybody", retention.KindText, true, true}, {"ff", retention.KindBytes, true, true},
	} {
		if got := converts(c.id, &retention.Column{Kind: c.kind, Typed: c.typed}); got != c.want {
			t.Errorf("%q converts to %s (typed %t): %t", c.id, c.kind, c.typed, got)
		}
	}
}

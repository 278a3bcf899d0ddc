package state

import (
	"fmt"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// BenchmarkBatch is what a batch costs in the state store: a durable intent, the
// admission that its transaction asks for, and a durable outcome. The figure to
// compare is pairs/s: both stores wait for a disk twice a pair.
func BenchmarkBatch(b *testing.B) {
	for _, on := range []ground{onFile, onServer} {
		b.Run(string(on), func(b *testing.B) {
			s, ctx := setup(b, on), b.Context()
			l, err := s.Lease(ctx, "bench", []string{"rule:shop/carts", "source:crm#0"})
			must(b, err)
			g := retention.Gate{Installed: true, SourceUUID: "u1", StoreUUID: s.UUID()}
			b.ResetTimer()
			for i := range b.N {
				id := fmt.Sprint("b-", i)
				must(b, s.Intend(ctx, intent(id, l)))
				_, err := s.Admit(ctx, crm(), l.Attempt, g)
				must(b, err)
				must(b, s.Conclude(ctx, id, retention.Outcome{Done: 10}, false))
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pairs/s")
		})
	}
}

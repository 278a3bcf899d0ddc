package s3

import (
	"context"
	"sync"
	"sync/atomic"
)

// lanes is how many requests about single objects are on their way at once.
const lanes = 16

// abreast calls f with each number below n, several at once, and returns the first
// error. After one, those that did not begin do not.
func abreast(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(lanes, n) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := f(ctx, i); err != nil {
					stop(err)
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

package retention

import "context"

type adopting struct{}

// Adopting marks the settling of intents by somebody who makes a store act on a source
// that was replaced or restored. Where another thing lies in the place that a batch was
// at, it is asked nothing of what the batch did, but what the batch noted of itself
// counts: nothing else can ever tell.
func Adopting(ctx context.Context) context.Context { return context.WithValue(ctx, adopting{}, true) }

// IsAdopting reports whether the settling is marked; see [Adopting].
func IsAdopting(ctx context.Context) bool { return ctx.Value(adopting{}) != nil }

package sqlwork

import "context"

type atSource struct{}

// AtSource marks a read that must see what was last committed: gates and
// receipts are never read from a replica.
func AtSource(ctx context.Context) context.Context {
	return context.WithValue(ctx, atSource{}, true)
}

type byIndex struct{}

// ByIndex marks a read that takes a few rows of a table in the order of an index:
// a planner that guesses how many rows are due must not read the table through.
func ByIndex(ctx context.Context) context.Context {
	return context.WithValue(ctx, byIndex{}, true)
}

// IsByIndex reports whether the read is marked; see [ByIndex].
func IsByIndex(ctx context.Context) bool { return ctx.Value(byIndex{}) != nil }

// IsAtSource reports whether the read is marked; see [AtSource].
func IsAtSource(ctx context.Context) bool { return ctx.Value(atSource{}) != nil }

package objects

import "context"

// ahead is how many files the walk over a tree may be ahead of the listing.
const ahead = 4096

// found is a file, and the patterns that match it.
type found struct {
	Object
	matches []int
}

// walked walks the tree, and calls f with each file, in their order, while it walks on:
// the system's part of a listing and ours take about as long.
func (e *engine) walked(ctx context.Context, p Patterns, f func(found) error) (Odd, error) {
	walking, stop := context.WithCancel(ctx)
	defer stop()
	parts := make(chan []found, 4)
	var odd Odd
	var failed error
	go func() {
		defer close(parts)
		part := make([]found, 0, ahead/cap(parts))
		odd, failed = e.tree.Walk(walking, p, func(o Object, matches []int) error {
			part = append(part, found{o, matches})
			if len(part) < cap(part) {
				return nil
			}
			full := part
			part = make([]found, 0, cap(full))
			select {
			case parts <- full:
				return nil
			case <-walking.Done():
				return walking.Err()
			}
		})
		select {
		case parts <- part:
		case <-walking.Done():
		}
	}()
	var err error
	for part := range parts {
		for i := 0; err == nil && i < len(part); i++ {
			err = f(part[i])
		}
		if err != nil {
			stop() // the walk ends, and closes what it sends to
		}
	}
	if err != nil {
		return odd, err
	}
	return odd, failed
}

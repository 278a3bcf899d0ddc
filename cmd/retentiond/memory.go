package main

import (
	"os"
	"runtime/debug"
)

// softMemory is what the Go heap may grow to before the collector works harder,
// in bytes: the program sits beside a database, and its memory is bounded (L13).
// The work itself needs a third of it, beside 100,000 held subjects too. It is no
// hard limit: what is needed is had.
const softMemory = 40 << 20

// boundMemory sets it, where the operator did not (GOMEMLIMIT).
func boundMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
}

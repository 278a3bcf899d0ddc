package main

import (
	"os"
	"runtime/debug"
)

// The program sits beside a database, and its memory is bounded (L13): the heap
// is collected at half again what lives, and sooner from softMemory bytes on. The
// work itself needs 14 MiB of it beside 100,000 held subjects and 1,000 rules, and
// the collector's time does not show beside SQL. No limit is hard: what is needed
// is had.
const (
	heapGrowth = 50
	softMemory = 32 << 20
	sealMemory = 96 << 20 // beside a sealed vault: batches under way are in memory
)

// boundMemory sets both, where the operator did not (GOGC, GOMEMLIMIT).
func boundMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
}

// boundSealing is boundMemory of a process that may seal rows.
func boundSealing() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(sealMemory)
	}
}

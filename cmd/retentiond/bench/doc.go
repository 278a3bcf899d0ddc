// Package bench measures retentiond beside other ways to do the same work, on
// real servers that write durably. It has nothing but benchmarks; `make bench`
// runs them and prints a table of ratios.
//
// Machines differ and are never quiet, so only ratios count, of ways that took
// turns on identical copies in one run. Ours is the binary itself, complete:
// gate, holds, receipts, intents and outcomes durable, audited. Two times are
// shown for it: that of the run's steps (the report's `seconds`), which the ratio
// takes, since peers connect and plan for free, and that of the whole command.
//
//	BENCH_ROWS=5000000  rows of the table (otherwise enough for a few minutes)
//	BENCH_STATEMENTS=1  logs where PostgreSQL's time went in our runs
//	BENCH_PROFILE=DIR   a CPU profile of each of our runs, for `go tool pprof`
package bench

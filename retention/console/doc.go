// Package console tells people and machines how the daemon is, over HTTP: /healthz
// (it lives), /readyz (it can do its work, and what cannot), /metrics (Prometheus).
// It decides nothing and acts on nothing. What it shows holds no rows, no
// identifiers, no names of people, no reasons and no database messages: labels are
// policies, rules, sources, codes.
//
// Counters are of this process. Gauges of the work (overdue rows, last success,
// audit log, holds) are read from the state store by a [Looker], and so are the same
// on every replica; a scrape reads memory alone, never a source.
package console

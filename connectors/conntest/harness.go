package conntest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// Harness plugs a connector into the suite. Its methods are called from several
// tests at once.
type Harness interface {
	// Capabilities are what the engine has; see [AllCapabilities]. Leave one out
	// only where the engine cannot have it.
	Capabilities() []Capability
	// Fresh makes an empty real database, which ends with the test.
	Fresh(t *testing.T) Database
	// Type is the dialect's name of a type: "timestamp-text" (ISO 8601 in a text
	// column), "int", "bigint", "text" (fit for a primary key), "date",
	// "timestamp", "timestamptz" (with [TimestampTZ] only), "bytes" (fit for a
	// primary key).
	Type(name string) string
	// Quote writes an identifier.
	Quote(name string) string
	// Bytes writes a literal of type "bytes".
	Bytes(b []byte) string
	// Trigger writes the statements that make a trigger run after each row of the
	// event ("DELETE", "UPDATE", "INSERT") on the table.
	Trigger(name, event, table, statement string) []string
}

// Database is one real database. Exec and Query are what an application would
// do, on sessions that the connector does not know.
type Database interface {
	// Open opens the database as one more process would: two sources of one
	// database share nothing but the database. Both end with the test.
	Open(t *testing.T) retention.Source
	// Exec runs one statement, foreign keys enforced, committed on return.
	Exec(ctx context.Context, statement string) error
	// Query returns the rows: int64, float64, string, []byte or nil. A date is
	// the text 2006-01-02, a timestamp without zone 2006-01-02 15:04:05.
	Query(ctx context.Context, query string) ([][]any, error)
	// TryWrite tries, on every inspector session that the source can have, to
	// insert into, update and delete from the table, and to make another one, the
	// session's own switches turned off first where it lets one. It returns an
	// error for each write that went through, and nil if the database refused all.
	TryWrite(ctx context.Context, s retention.Source, table string) error
	// Lock makes an application hold, until release, what a batch needs to write
	// in the table.
	Lock(t *testing.T, table string) (release func())
	// Raw is everything that the database has stored about its tables, logs of
	// its own included, byte by byte (with [RawFiles] only).
	Raw(t *testing.T) []byte
}

// Capability is something that an engine may lack.
type Capability string

// Capabilities.
const (
	TimestampTZ Capability = "timestamptz" // a type of timestamps with a zone
	BytesKeys   Capability = "bytes-keys"  // a primary key of type "bytes"
	Triggers    Capability = "triggers"    // row triggers
	Rewrite     Capability = "rewrite"     // erase level rewritten leaves nothing in the table's files
	RawFiles    Capability = "raw-files"   // the stored bytes can be read by the suite
)

// AllCapabilities is the whole list.
func AllCapabilities() []Capability {
	return []Capability{TimestampTZ, BytesKeys, Triggers, Rewrite, RawFiles}
}

func has(h Harness, c Capability) bool { return slices.Contains(h.Capabilities(), c) }

// Run runs the whole suite. Its sections run at once, each on databases of its
// own.
func Run(t *testing.T, h Harness) {
	t.Helper()
	announce(t, h)
	for _, s := range sections() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range s.cases {
				if c.needs == "" || has(h, c.needs) {
					t.Run(c.name, func(t *testing.T) { c.run(t, h) })
				}
			}
		})
	}
}

type section struct {
	name  string
	cases []testCase
}

type testCase struct {
	name  string
	run   func(t *testing.T, h Harness)
	needs Capability
}

func sections() []section {
	return []section{
		{"Describe", describeCases()},
		{"Classes", classCases()},
		{"Clocks", clockCases()},
		{"Where", whereCases()},
		{"Holds", holdCases()},
		{"Page", pageCases()},
		{"Ranges", rangeCases()},
		{"Apply", applyCases()},
		{"Children", childCases()},
		{"Changes", changeCases()},
		{"Archive", archiveCases()},
		{"Copies", copyCases()},
		{"Moves", moveCases()},
		{"Seals", sealCases()},
		{"Restores", restoreCases()},
		{"Owned", ownedCases()},
		{"Roundabout", roundaboutCases()},
		{"Lasting", lastingCases()},
		{"Receipts", receiptCases()},
		{"Gate", gateCases()},
		{"ReadOnly", readOnlyCases()},
		{"Drift", driftCases()},
		{"Erase", eraseCases()},
		{"Faults", faultCases()},
	}
}

func announce(t *testing.T, h Harness) {
	t.Helper()
	var there, missing []string
	for _, c := range AllCapabilities() {
		if has(h, c) {
			there = append(there, string(c))
			continue
		}
		missing = append(missing, string(c))
		for _, s := range sections() {
			for _, k := range s.cases {
				if k.needs == c {
					t.Logf("not there, because the engine has no %s: %s/%s", c, s.name, k.name)
				}
			}
		}
	}
	for _, c := range h.Capabilities() {
		if !slices.Contains(AllCapabilities(), c) {
			t.Errorf("capability %q is unknown", c)
		}
	}
	t.Logf("the engine has: %s; it lacks: %s", strings.Join(there, ", "), strings.Join(missing, ", "))
}

package conntest

import (
	"bytes"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

func readOnlyCases() []testCase {
	return []testCase{
		{name: "SessionsAreRefusedWrites", run: readOnlySessions},
		{name: "InspectingStoresNothing", run: readOnlyBytes, needs: RawFiles},
	}
}

// readOnlySessions is L5, on a source before, between and after its own writes.
func readOnlySessions(t *testing.T, h Harness) {
	f := blank(t, h, three)
	try := func(when string) {
		t.Helper()
		if err := f.db.TryWrite(t.Context(), f.s, "p"); err != nil {
			t.Errorf("%s: an inspector's session could write: %v", when, err)
		}
	}
	try("at first")
	f.inspect()
	try("after inspecting")
	f.wantIDs("p", "1 2 3")
	if _, err := f.s.Install(t.Context(), storeUUID); err != nil {
		t.Fatal(err)
	}
	f.wantOutcome(f.deletion(f.from("p"), 1), 1, retention.Spared{})
	try("after acting")
	f.wantIDs("p", "2 3")
}

// inspect calls all that planning is given.
func (f *fixture) inspect() {
	f.t.Helper()
	id := "1"
	c := f.from("p").about("person", "id")
	f.describe()
	f.count(c, person("2"))
	f.keys(c, person("2"), 1)
	f.evidence(c, person("2"), retention.Find{Key: &id, Limit: 1})
	f.gate()
	if _, err := f.s.Matched(f.t.Context(), c.Selection, "person", []string{"1"}); err != nil {
		f.t.Error(err)
	}
	changes := []retention.Change{{Column: "at", Func: retention.Null}}
	if _, _, err := f.s.SmallGroups(f.t.Context(), c.Selection, noHolds(), changes, retention.KAnonymity{K: 2, Quasi: []string{"at"}}); err != nil {
		f.t.Error(err)
	}
}

func readOnlyBytes(t *testing.T, h Harness) {
	f := blank(t, h, three)
	before := f.db.Raw(t)
	f.inspect()
	if len(before) == 0 || !bytes.Equal(before, f.db.Raw(t)) {
		t.Errorf("inspecting changed the stored bytes (%d before)", len(before))
	}
}

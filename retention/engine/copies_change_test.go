package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
)

// TestCopiesOfChildrenThatStay: what a table vault has of rows that are children no
// more, or that stay by now, ends with no rule, and is told (L9, L11).
func TestCopiesOfChildrenThatStay(t *testing.T) {
	t.Parallel()
	y := newYard(t, "sqlite")
	for name, c := range map[string]ruleChange{
		"as before":  {},
		"undeclared": {edit: []string{noChild, ""}, want: retention.Due},
		"detached":   {edit: []string{"then: delete}]", "then: detach}]"}, want: retention.Due},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := build(t.Context(), y, t.TempDir(), &world{AsOf: time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)}, []string{changePolicy}, changeSchema)
			defer h.close()
			if err != nil {
				t.Fatal(err)
			}
			if n := h.acts(t, retention.Archive); n != 1 {
				t.Fatalf("%d rows were archived", n)
			}
			h.changes(t, c)
			inv, err := h.engine.Inventory(t.Context(), time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			told := slices.ContainsFunc(inv.Datasets, func(i engine.InventoryItem) bool { return i.Table == vaultPrefix+"notes" && !i.Explained })
			if told != (c.want == retention.Due) {
				t.Errorf("the copies are told: %t, %+v", told, inv.Datasets)
			}
		})
	}
}

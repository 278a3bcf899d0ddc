package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

// A run is about the sources of its rules, and about those in which its rows are
// archived; not about those of other policies.
func TestConcerns(t *testing.T) {
	t.Parallel()
	rule := func(dataset, vault string) retention.Rule {
		return retention.Rule{ID: dataset, Dataset: dataset, Stages: []retention.Stage{{Action: retention.Action{Kind: retention.Archive, Vault: vault}}}}
	}
	e := &Engine{
		Policies: []*retention.Policy{
			{
				Name: "crm", Datasets: []retention.Dataset{{Name: "people", Source: "db"}, {Name: "orders", Source: "fleet"}},
				Rules: []retention.Rule{rule("people", "cellar"), rule("orders", "attic")},
			},
			{Name: "other", Datasets: []retention.Dataset{{Name: "logs", Source: "far"}}, Rules: []retention.Rule{rule("logs", "cellar")}},
		},
		Fleets: map[string]Fleet{"fleet": {Tenants: []string{"fleet/a", "fleet/b"}}},
		Vaults: map[string]Vault{"cellar": {Source: "below"}, "attic": {Source: "fleet"}, "sealed": {Sealed: true}},
	}
	for name, c := range map[string]struct{ got, want concern }{
		"request":    {e.concerns(PlanRequest{Policy: "crm"}), concern{"db": true, "below": true, "fleet/a": true, "fleet/b": true}},
		"rule":       {e.concerns(PlanRequest{Policy: "other", Rule: "logs"}), concern{"far": true, "below": true}},
		"saved plan": {e.concernsOf(&retention.Plan{Steps: []retention.Step{{Source: "db", Vault: "cellar"}, {Source: "fleet/a", Vault: "attic"}, {Source: "far", Vault: "sealed"}}}), concern{"db": true, "below": true, "fleet/a": true, "far": true}},
	} {
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

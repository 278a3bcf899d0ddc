package policies

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// good decodes a text that must load.
func good(t *testing.T, file string, text []byte, env Env) *retention.Policy {
	t.Helper()
	p, problems := Decode(file, text, env)
	if len(problems) > 0 {
		t.Fatalf("does not load:\n%s", messages(problems))
	}
	return p
}

// Every good policy decodes to the canonical form beside it.
func TestGoodPolicies(t *testing.T) {
	for _, file := range glob(t, "good/*.yaml") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			p := good(t, filepath.Base(file), readFile(t, file), fixtureEnv())
			form, err := json.MarshalIndent(canonPolicy(p), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".json", string(form)+"\n")
		})
	}
}

func TestReadyPoliciesLoad(t *testing.T) {
	all := Ready()
	if len(all) == 0 {
		t.Fatal("no ready policy")
	}
	for _, r := range all {
		if p := good(t, r.Name+".yaml", r.Text, Env{}); len(p.Rules) == 0 {
			t.Errorf("%s has no rule", r.Name)
		}
	}
}

func TestExampleLoads(t *testing.T) {
	env := Env{Sources: map[string]SourceKind{"crm": SourceSQL}}
	if p := good(t, "contacts.yaml", Example(), env); len(p.Rules) != 1 {
		t.Errorf("%d rules", len(p.Rules))
	}
}

// What the canonical form leaves out: places, text, defaults.
func TestDecodedDefaults(t *testing.T) {
	p := good(t, "p.yaml", readFile(t, fixtures+"/good/minimal.yaml"), Env{})
	r, ds := p.Rules[0], p.Dataset("sessions")
	if p.File != "p.yaml" || !strings.HasPrefix(string(p.Text), "version: 1") {
		t.Errorf("file %q, text %q", p.File, p.Text)
	}
	if want := (retention.Pos{File: "p.yaml", Line: 9, Col: 5}); r.Pos != want {
		t.Errorf("rule at %v, want %v", r.Pos, want)
	}
	if want := (retention.Pos{File: "p.yaml", Line: 7, Col: 3}); ds.Pos != want {
		t.Errorf("dataset at %v, want %v", ds.Pos, want)
	}
	if r.Approve != retention.ApproveFirst || ds.Erase != retention.EraseLogical || ds.Partitions != "rows" {
		t.Errorf("defaults: %v %v %v", r.Approve, ds.Erase, ds.Partitions)
	}
	if m := r.Clock.Members[0]; m.Zone == nil || m.Zone.String() != "UTC" || m.Pos.Line != 9 {
		t.Errorf("member %+v", m)
	}
}

func TestInstantsAreInThePolicysZone(t *testing.T) {
	rules := good(t, "p", readFile(t, fixtures+"/good/rules.yaml"), Env{}).Rules
	if got := canonTime(rules[0].EffectiveFrom); got != "2025-12-31T23:00:00Z" {
		t.Errorf("effective_from %s", got)
	}
	clocks := good(t, "p", readFile(t, fixtures+"/good/clocks.yaml"), Env{}).Rules
	m := clocks[1].Clock.Members[0]
	if a, b := canonTime(m.NotBefore), canonTime(m.NotAfter); a != "1994-12-31T23:00:00Z" || b != "2060-12-31T22:59:59.999999999Z" {
		t.Errorf("bounds %s, %s", a, b)
	}
	if n := clocks[3].Clock.Members; n[0].Round.String() != "year-end" || n[1].Round.String() != "month-end" {
		t.Errorf("a member's own round goes before the group's: %v, %v", n[0].Round, n[1].Round)
	}
}

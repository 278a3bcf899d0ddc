package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention/console"
)

// shownNames are the metrics that exist, whether they have a value yet or not.
func shownNames(t *testing.T) map[string]bool {
	t.Helper()
	m := console.NewMetrics(console.Build{}, time.Now)
	m.Known(&console.Looker{})
	names := map[string]bool{}
	for _, n := range m.Names() {
		names[n] = true
	}
	if len(names) < 30 {
		t.Fatalf("%d metrics only", len(names))
	}
	return names
}

// named finds the metrics of ours in a text; what a histogram adds to its name is
// cut off.
func named(text string) map[string]bool {
	out := map[string]bool{}
	for _, n := range regexp.MustCompile(`\bretentiond_[a-z_]+`).FindAllString(text, -1) {
		out[regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(n, "")] = true
	}
	return out
}

// Alerts and dashboard name only metrics that exist, and every metric that tells
// of work is on the dashboard.
func TestAlertsAndDashboardNameWhatExists(t *testing.T) {
	names := shownNames(t)
	for _, file := range []string{"prometheus/alerts.yaml", "grafana/retentiond.json"} {
		text, err := os.ReadFile("../../configs/" + file)
		if err != nil {
			t.Fatal(err)
		}
		found := named(string(text))
		for n := range found {
			if !names[n] {
				t.Errorf("%s names %s, which does not exist", file, n)
			}
		}
		if len(found) < 15 {
			t.Errorf("%s names %d metrics only", file, len(found))
		}
	}
}

func TestDashboardIsOne(t *testing.T) {
	text, err := os.ReadFile("../../configs/grafana/retentiond.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] || len(p.Targets) == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %q: %+v", p.Title, p)
		}
		ids[p.ID] = true
		for _, e := range p.Targets {
			if strings.Count(e.Expr, "(") != strings.Count(e.Expr, ")") {
				t.Errorf("panel %q: %s", p.Title, e.Expr)
			}
		}
	}
}

// Prometheus itself reads the rules, and each fires where it should.
func TestAlertRulesAreValid(t *testing.T) {
	tool, err := servers.Tool("promtool", "prometheus")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool, "check", "rules", "../../configs/prometheus/alerts.yaml").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := exec.Command(tool, "test", "rules", "../../testdata/prometheus/alerts_test.yaml").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

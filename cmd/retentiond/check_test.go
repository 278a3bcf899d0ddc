package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/configs"
)

func TestUnusedOptionsAreTold(t *testing.T) {
	cfg := &configs.Config{
		Sources: map[string]configs.Source{
			"a": {Driver: "sqlite", DSN: "a.db"},
			"b": {Driver: "sqlite", DSN: "b.db", Parallel: 2},
			"c": {Driver: "ledger", DSN: "/var/log"},
			"d": {Driver: "postgres", DSN: "postgres://x", DSNRead: "postgres://y", Parallel: 2, Throttle: configs.Throttle{Window: "22:00-06:00"}},
		},
		Vaults: map[string]configs.Vault{"cold": {Source: "a", Prefix: "x_"}, "sealed": {Path: "v"}},
	}
	var got []string
	for _, f := range unused(cfg) {
		got = append(got, string(f.Level)+" "+f.Source+" "+f.Code)
	}
	want := []string{"warning b unused_option", "warning c driver"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

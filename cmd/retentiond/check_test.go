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
			"c": {Driver: "files", DSN: "/var/log"},
		},
		Vaults: map[string]configs.Vault{"cold": {Source: "a", Prefix: "x_"}, "sealed": {Path: "v"}},
	}
	var got []string
	for _, f := range unused(cfg) {
		got = append(got, string(f.Level)+" "+f.Source+" "+f.Code)
	}
	want := []string{"warning b unused_option", "warning c driver", "warning  vault"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

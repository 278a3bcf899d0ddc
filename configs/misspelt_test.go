package configs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMisspelt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "retentiond.yaml")
	if err := os.WriteFile(file, []byte("sources: {crm: {driver: sqlite, dsn: ./crm.db}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	got := c.Misspelt([]string{"PATH=/bin", "RETENTIOND_SOURCES_CRM_DSN=x", "RETENTIOND_SOURCE_CRM_DSN=x", "Retentiond_Http_Listen=x",
		"RETENTIOND_SERVICE_HOST=10.0.0.1", "RETENTIOND_PORT_8600_TCP=x", "RETENTIOND_LEASE=1s"})
	want := map[string]string{"RETENTIOND_SOURCE_CRM_DSN": "RETENTIOND_SOURCES_CRM_DSN", "Retentiond_Http_Listen": "RETENTIOND_HTTP_LISTEN"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

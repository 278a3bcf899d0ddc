package testdata

import (
	"testing"

	"github.com/retentiond/retentiond/connectors/conntest/servers"
)

func TestSchemasLoadOnPostgres(t *testing.T) {
	loads(t, "postgres", servers.Postgres(t))
}

func TestSchemasLoadOnMariaDB(t *testing.T) {
	loads(t, "mariadb", servers.MariaDB(t))
}

func loads(t *testing.T, driver string, s *servers.Server) {
	t.Helper()
	for _, p := range systems() {
		t.Run(p, func(t *testing.T) { s.Load(t, s.Database(t), schema(t, p, driver)) })
	}
}

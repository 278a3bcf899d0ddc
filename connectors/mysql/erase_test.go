package mysql

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/conntest/servers"
	"github.com/retentiond/retentiond/retention"
)

// What was deleted is in no file of the table after it was rewritten, and where
// it is still found on the server, the list of residuals says so.
func TestResidualsAreWhereTheyAreNamed(t *testing.T) {
	server := servers.NewMariaDB(t)
	dsn := server.Database(t)
	d := applicationOf(t, dsn)
	const marker = "adalovelace-must-vanish"
	d.app.MustExec("CREATE TABLE p (id BIGINT PRIMARY KEY, at DATETIME, note VARCHAR(100), KEY (note))")
	d.app.MustExec("INSERT INTO p SELECT seq, '2015-01-01', CONCAT('" + marker + "', seq) FROM seq_1_to_50")
	s := d.open(t)
	if _, err := s.Install(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	keys := []any{}
	for i := range 50 {
		keys = append(keys, i+1)
	}
	if _, err := s.Apply(t.Context(), batch(selection(describe(t, s, "p"), "p", "at"), retention.Act{Kind: retention.Delete}, keys...)); err != nil {
		t.Fatal(err)
	}
	residuals, err := s.Erase(t.Context(), []retention.TableName{{Name: "p"}}, retention.EraseRewritten)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(d.Raw(t), []byte(marker)) {
		t.Error("the table's file holds what was deleted")
	}
	dir := datadir(t, d.app)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	named := map[string]string{"ib_logfile": "redo", "ibdata": "undo", "undo": "undo", "binlog": "binary logs", "mysql-bin": "binary logs"}
	list := fmt.Sprint(residuals)
	found := map[string]bool{}
	err = filepath.WalkDir(dir, func(path string, f os.DirEntry, err error) error {
		if err != nil || f.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(b, []byte(marker)) {
			return err
		}
		found[f.Name()] = true
		for part, word := range named {
			if strings.HasPrefix(f.Name(), part) && strings.Contains(list, word) {
				return nil
			}
		}
		t.Errorf("%s holds what was deleted, and no residual says so: %s", f.Name(), list)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Error("no file holds what was deleted: the test looks in the wrong place")
	}
	t.Logf("found in %v", found)
}

func datadir(t *testing.T, db *sqlx.DB) string {
	t.Helper()
	var dir string
	if err := db.Get(&dir, "SELECT @@datadir"); err != nil {
		t.Fatal(err)
	}
	return dir
}

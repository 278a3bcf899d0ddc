package postgres

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// What was deleted is in no file of the table after it was rewritten; where it is
// still found, the list of residuals says so.
func TestResidualsAreWhereTheyAreNamed(t *testing.T) {
	d := fresh(t)
	d.app.MustExec("CREATE TABLE p (id bigint PRIMARY KEY, at timestamptz, note text, long text)")
	d.app.MustExec("ALTER TABLE p ALTER COLUMN long SET STORAGE EXTERNAL")
	d.app.MustExec("CREATE INDEX ON p (note)")
	const marker = "adalovelace-must-vanish"
	d.app.MustExec("INSERT INTO p SELECT i, '2015-01-01', '" + marker + "', repeat('" + marker + "', 500) FROM generate_series(1, 20) AS i")
	d.app.MustExec("ANALYZE p")
	s := d.open(t)
	if _, err := s.Install(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	b := &bundle{t: t, s: s, app: d.app, dsn: d.dsn}
	b.describe("p")
	keys := []any{}
	for i := range 20 {
		keys = append(keys, i+1)
	}
	b.apply(b.batch(b.selection("p", "at"), retention.Act{Kind: retention.Delete}, keys...))
	for _, level := range []retention.Erase{retention.EraseLogical, retention.EraseReclaimed, retention.EraseRewritten} {
		residuals, err := s.Erase(t.Context(), []retention.TableName{tn("p")}, level)
		if err != nil {
			t.Fatal(err)
		}
		list := fmt.Sprint(residuals)
		found := bytes.Contains(d.files(t), []byte(marker))
		if named := strings.Contains(list, "dead rows of") || strings.Contains(list, "freed space of"); found && !named {
			t.Errorf("%s: the table's files hold what was deleted, and no residual says so: %s", level, list)
		}
		if level == retention.EraseRewritten && found {
			t.Errorf("%s: the table's files hold what was deleted", level)
		}
		if level == retention.EraseLogical && !found {
			t.Error("a plain delete leaves no trace: the test looks in the wrong place")
		}
		if b.sampled(marker) && !strings.Contains(list, "pg_statistic") {
			t.Errorf("%s: the catalogue's samples hold what was deleted, and no residual says so: %s", level, list)
		}
		if !strings.Contains(list, "write-ahead log") {
			t.Errorf("%s: the log is not named: %s", level, list)
		}
	}
}

// sampled is whether the file of the catalogue's samples holds the text.
func (b *bundle) sampled(marker string) bool {
	b.t.Helper()
	b.exec("CHECKPOINT")
	var files [][]byte
	const text = `SELECT pg_read_binary_file(path, 0, 1 << 26, true) FROM (SELECT pg_relation_filepath('pg_statistic'::regclass) UNION ALL
SELECT pg_relation_filepath(reltoastrelid) FROM pg_class WHERE oid = 'pg_statistic'::regclass) AS f(path)`
	if err := b.app.SelectContext(b.t.Context(), &files, text); err != nil {
		b.t.Fatal(err)
	}
	return bytes.Contains(bytes.Join(files, nil), []byte(marker))
}

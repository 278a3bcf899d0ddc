package sqlite

import (
	"bytes"
	"os"
	osexec "os/exec"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// onDisk copies the file and its log with another process, because opening them
// here would drop SQLite's locks, and looks for the text.
func (b *bundle) onDisk(text string) bool {
	b.t.Helper()
	out, err := osexec.Command("cat", b.path, b.path+"-wal").Output()
	if err != nil && !os.IsNotExist(err) && len(out) == 0 {
		b.t.Fatal(err)
	}
	return bytes.Contains(out, []byte(text))
}

func TestEraseIsHonest(t *testing.T) {
	b := setup(t, `PRAGMA secure_delete = OFF; CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT, secret TEXT); INSERT INTO p VALUES (1,'2020-01-01','very-secret-value'),(2,'2020-01-01','x');`)
	b.install()
	b.apply(b.batch(b.selection("p", "at"), retention.Delete, 1))
	var stays bool // some residual has no end
	said := func(level retention.Erase) string {
		t.Helper()
		stays = false
		r, err := b.s.Erase(t.Context(), []retention.TableName{tn("p")}, level)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, x := range r {
			all = append(all, x.What)
			stays = stays || x.Stays
		}
		return strings.Join(all, "; ")
	}
	if got := said(retention.EraseLogical); !strings.Contains(got, "free pages") || !strings.Contains(got, "write-ahead log") || !strings.Contains(got, "replicas") || !stays {
		t.Errorf("logical: %s", got)
	}
	if !b.onDisk("very-secret-value") {
		t.Error("the test looks in the wrong place: a logical delete leaves the value on disk")
	}
	if got := said(retention.EraseReclaimed); !strings.Contains(got, "free pages") || strings.Contains(got, "write-ahead") {
		t.Errorf("reclaimed: %s", got)
	}
	tx, err := b.app.Beginx()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.Get(&n, "SELECT count(*) FROM p"); err != nil {
		t.Fatal(err)
	}
	if got := said(retention.EraseRewritten); !strings.Contains(got, "write-ahead log (-wal)") {
		t.Errorf("a reader is in the way, and nothing says so: %s", got)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got := said(retention.EraseRewritten); got != "replicas of the file, until they follow" || stays {
		t.Errorf("rewritten: %s", got)
	}
	if b.onDisk("very-secret-value") {
		t.Error("the value is still on disk after a rewrite")
	}
}

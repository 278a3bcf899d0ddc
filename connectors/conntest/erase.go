package conntest

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

func eraseCases() []testCase {
	return []testCase{
		{name: "NamesResiduals", run: eraseResiduals},
		{name: "RewrittenLeavesNothing", run: eraseRewritten, needs: Rewrite},
	}
}

func eraseResiduals(t *testing.T, h Harness) {
	f := setup(t, h, three)
	f.wantOutcome(f.deletion(f.from("p"), 1), 1, retention.Spared{})
	for _, level := range []retention.Erase{retention.EraseLogical, retention.EraseReclaimed, retention.EraseRewritten} {
		residuals, err := f.s.Erase(t.Context(), []retention.TableName{tn("p")}, level)
		if err != nil {
			t.Errorf("%s: %v", level, err)
		}
		if !slices.ContainsFunc(residuals, func(r retention.Residual) bool { return !r.Stays }) {
			t.Errorf("%s: copies outside the engine are residuals of every level: %+v", level, residuals)
		}
		f.wantIDs("p", "2 3")
	}
}

// eraseRewritten looks for what was deleted in everything that is stored.
func eraseRewritten(t *testing.T, h Harness) {
	f := setup(t, h, "CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, note {text});\nCREATE INDEX p_note ON p (note)")
	marker, kept := "adalovelace-must-vanish", "bobmorane-must-stay"
	for i := range 30 {
		note, year := marker, "2020"
		if i%3 == 0 {
			note, year = kept, "2025"
		}
		f.exec("INSERT INTO p VALUES (" + cell(i) + ", '" + year + "-01-01', '" + note + "-" + cell(i) + strings.Repeat(" filler", 20) + "')")
	}
	c := f.from("p")
	b := f.deletion(c)
	b.Keys = f.keys(c, noHolds(), 100)
	f.wantOutcome(b, 20, retention.Spared{})
	if has(h, RawFiles) && !bytes.Contains(f.db.Raw(t), []byte(marker)) {
		t.Log("a plain delete left no trace in this engine")
	}
	residuals, err := f.s.Erase(t.Context(), []retention.TableName{tn("p")}, retention.EraseRewritten)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("residuals: %+v", residuals)
	if has(h, RawFiles) {
		raw := f.db.Raw(t)
		if bytes.Contains(raw, []byte(marker)) {
			t.Error("deleted text is still stored after the table was rewritten")
		}
		if !bytes.Contains(raw, []byte(kept)) {
			t.Error("the stored bytes do not show what must be there: the test looks in the wrong place")
		}
	}
	f.wantRows("SELECT count(*) FROM p", "10")
}

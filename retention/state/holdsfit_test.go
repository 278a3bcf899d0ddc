package state

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// Whoever changes the holds without an entry is found before anything acts, by a
// process that was at work already and by one that begins (L3, L8).
func TestHoldsOfTheLog(t *testing.T) { onEach(t, testHoldsOfTheLog) }

func testHoldsOfTheLog(t *testing.T, on ground) {
	tests := []struct{ name, sql, says string }{
		{"holds removed", "DELETE FROM holds; DELETE FROM hold_subjects; DELETE FROM hold_sources", "is not in the state store"},
		{"released", "UPDATE holds SET state = 'released' WHERE seq = 1", "no entry of the audit log released it"},
		{"in no state", "UPDATE holds SET state = '' WHERE seq = 1", "but entry 2026/5 of the audit log placed it"},
		{"in force before it was", "UPDATE holds SET state = 'in_force', in_force_at = 1 WHERE seq = 3", "is in_force at version"},
		{"a subject removed", "DELETE FROM hold_subjects WHERE subject = '7'", "does not have the subjects"},
		{"an added subject removed", "DELETE FROM hold_subjects WHERE subject = '43'", "does not have the subjects"},
		{"a subject renamed", "UPDATE hold_subjects SET subject = '8' WHERE subject = '7'", "does not have the subjects"},
		{"made one of datasets", "UPDATE holds SET scoped = 1 WHERE seq = 1", "does not have the subjects"},
		{"another table", "UPDATE holds SET scopes = replace(scopes, 'orders', 'carts')", "does not have the subjects"},
		{"another condition", "UPDATE holds SET condition = replace(condition, 'FR', 'DE')", "does not have the subjects"},
		{"its ways removed", "UPDATE holds SET covers = '[]'", "does not have the subjects"},
		{"grace cut", "UPDATE holds SET grace_until = 1 WHERE seq = 2", "released it until"},
		{"released one removed in its grace", "DELETE FROM holds WHERE seq = 2", "is not in the state store"},
		{"one put in", "INSERT INTO holds SELECT 'h-x', 99, matter, scopes, scoped, condition, where_text, reason, placed_by, placed_at, review, state, not_covered, covers, entry, version, in_force_at, released_at, released_by, release_reason, grace_until FROM holds WHERE seq = 1", "the audit log does not have it"},
		{"its entry hidden too", "DELETE FROM holds WHERE seq = 3; UPDATE audit_entries SET kind = 'access' WHERE n = 4", "at version 4"},
		{"its entry edited too", "DELETE FROM hold_subjects WHERE subject = '7'; UPDATE audit_entries SET line = CAST(replace(line, 'hold_digest\":\"hmac:', 'hold_digest\":\"hmac:0') AS BLOB) WHERE n = 1", "is not the one that was hashed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, ctx := setup(t, on), t.Context()
			whole := b.place(retention.Hold{Subjects: people("42", "7"), Covers: []retention.HoldCover{{Type: "person", Way: "column id", HoldScope: orders()}}})
			over := b.place(retention.Hold{Subjects: people("1")})
			must(t, second(b.ReleaseHold(ctx, over.ID, "over", "alice", time.Hour)))
			b.place(retention.Hold{Datasets: []retention.HoldScope{orders()}, Where: french()})
			must(t, second(b.AddSubjects(ctx, whole.ID, people("43"), "bob")))
			must(t, second(b.MarkInForce(ctx, whole.ID, "", 5)))
			must(t, b.CoverHold(ctx, whole.ID, []retention.HoldCover{{Type: "person", Way: "column uid", HoldScope: orders()}}))
			must(t, b.HoldsFitLog(ctx))
			if r := b.verify(); !r.OK {
				t.Fatalf("before: %+v", r)
			}
			b.elsewhere(tt.sql)
			for _, s := range []*Store{b.Store, b.open()} {
				refused(t, s.HoldsFitLog(ctx), retention.RefuseHoldUnreadable, tt.says)
			}
			if _, err := b.HoldSet(ctx, retention.SourceRecord{Name: "new"}); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("hold set: %v", err)
			}
			if r := b.verify(); r.OK {
				t.Error("verify says OK")
			}
		})
	}
}

func orders() retention.HoldScope {
	return retention.HoldScope{Dataset: "shop/orders", Source: "crm", Table: retention.TableName{Name: "orders"}}
}

func french() *retention.Predicate {
	return &retention.Predicate{Test: &retention.Comparison{Column: "country", Op: retention.Eq, Values: []retention.Scalar{{Text: "FR", Tag: retention.TagString}}}}
}

// What Expire drops, holds and whole years, raises no alarm; and a hold whose
// entry went with its year is still known.
func TestHoldsOfADroppedYear(t *testing.T) { onEach(t, testHoldsOfADroppedYear) }

func testHoldsOfADroppedYear(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	gone, stays := b.place(retention.Hold{Subjects: people("1")}), b.place(retention.Hold{Subjects: people("2", "3")})
	must(t, second(b.MarkInForce(ctx, stays.ID, "", stays.Version)))
	must(t, second(b.ReleaseHold(ctx, gone.ID, "over", "alice", time.Hour)))
	b.at = b.at.AddDate(2, 0, 0)
	must(t, second(b.Record(ctx, audit.Event{Kind: audit.SlotMissed})))
	now := b.now()
	// The hold's keep is longer than the log's.
	for _, holds := range []time.Time{{}, now.AddDate(-1, 0, 0)} {
		_, err := b.Expire(ctx, retention.KeepFrom{Audit: now.AddDate(-1, 0, 0), Holds: holds})
		must(t, err)
		must(t, b.open().HoldsFitLog(ctx))
		if r := b.verify(); !r.OK {
			t.Errorf("verify: %+v", r)
		}
	}
	e, err := b.Entry(ctx, "3")
	must(t, err)
	for _, says := range []string{`"restated":true`, stays.ID, `"in_force":true`} {
		if !strings.Contains(string(e.Line), says) {
			t.Errorf("the hold is not told again with %s: %s", says, e.Line)
		}
	}
	must(t, second(b.AddSubjects(ctx, stays.ID, people("4"), "bob")))
	must(t, b.open().HoldsFitLog(ctx))
	b.elsewhere("DELETE FROM hold_subjects WHERE subject = '3'")
	refused(t, b.HoldsFitLog(ctx), retention.RefuseHoldUnreadable, stays.ID)
	if _, err := b.AddSubjects(ctx, stays.ID, people("5"), "bob"); err == nil {
		t.Error("an entry attests a hold that was changed")
	}
}

// A year is not dropped with a hold that was changed: it would be told again as
// it is.
func TestNoYearGoesWithAChangedHold(t *testing.T) { onEach(t, testNoYearGoesWithAChangedHold) }

func testNoYearGoesWithAChangedHold(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	b.place(retention.Hold{Subjects: people("2", "3")})
	b.at = b.at.AddDate(2, 0, 0)
	must(t, second(b.Record(ctx, audit.Event{Kind: audit.SlotMissed})))
	b.elsewhere("DELETE FROM hold_subjects WHERE subject = '3'")
	_, err := b.Expire(ctx, retention.KeepFrom{Audit: b.now().AddDate(-1, 0, 0)})
	refused(t, err, retention.RefuseHoldUnreadable, "does not have the subjects")
}

// A person may accept the holds as they are, and the log says so.
func TestAdoptHolds(t *testing.T) { onEach(t, testAdoptHolds) }

func testAdoptHolds(t *testing.T, on ground) {
	for name, sql := range map[string]string{
		"removed":            "DELETE FROM holds WHERE seq = 1",
		"changed":            "DELETE FROM hold_subjects WHERE subject = '3'",
		"released":           "UPDATE holds SET state = 'released' WHERE seq = 1",
		"released one back":  "UPDATE holds SET state = 'placing' WHERE seq = 2",
		"version raised":     "UPDATE meta SET value = '9' WHERE name = 'holds_version'",
		"a stranger's":       "UPDATE holds SET id = 'h-other' WHERE seq = 1",
		"released otherwise": "UPDATE holds SET grace_until = 5 WHERE seq = 2",
	} {
		t.Run(name, func(t *testing.T) {
			b, ctx := setup(t, on), t.Context()
			b.place(retention.Hold{Subjects: people("2", "3")})
			over := b.place(retention.Hold{Subjects: people("1")})
			must(t, second(b.ReleaseHold(ctx, over.ID, "over", "alice", time.Hour)))
			b.elsewhere(sql)
			refused(t, b.HoldsFitLog(ctx), retention.RefuseHoldUnreadable, "check --adopt")
			must(t, b.AdoptLog(ctx, "alice", "looked into it"))
			must(t, b.HoldsFitLog(ctx))
			b.says(`"adopted":`, `"by":"hmac:`)
			h := b.place(retention.Hold{Subjects: people("9")})
			must(t, second(b.ReleaseHold(ctx, h.ID, "over", "alice", 0)))
			must(t, b.open().HoldsFitLog(ctx))
		})
	}
}

// 100,000 subjects and a long log do not slow the comparison, and where nothing
// changed nothing is read.
func TestHoldsFitLogIsFast(t *testing.T) { onEach(t, testHoldsFitLogIsFast) }

func testHoldsFitLogIsFast(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	ids := make([]string, 100_000)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	b.place(retention.Hold{Subjects: people(ids...)})
	began := time.Now()
	must(t, b.HoldsFitLog(ctx))
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("100,000 subjects took %s", d)
	}
	if on == onServer {
		return // a server's other transactions may be others' writes: it compares again
	}
	began = time.Now()
	for range 100 {
		must(t, b.HoldsFitLog(ctx))
	}
	// A server's other transactions may be others' writes: it compares again.
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("100 times nothing new took %s", d)
	}
	var plan []struct {
		ID, Parent, NotUsed int
		Detail              string
	}
	must(t, b.file().Select(&plan, "EXPLAIN QUERY PLAN SELECT line FROM audit_entries WHERE log = '2026' AND "+holdKinds+" ORDER BY n"))
	if len(plan) != 1 || !strings.Contains(plan[0].Detail, "audit_entries_holds") {
		t.Errorf("the entries are read by %+v", plan)
	}
}

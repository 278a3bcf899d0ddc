package state

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

func crm() retention.SourceRecord { return retention.SourceRecord{Name: "crm", UUID: "u1"} }

func people(ids ...string) (out []retention.SubjectID) {
	for _, id := range ids {
		out = append(out, retention.SubjectID{Type: "person", ID: id})
	}
	return out
}

func (b *bench) place(h retention.Hold) retention.Hold {
	b.t.Helper()
	h.Matter, h.Reason, h.PlacedBy = "Dupont v. us", "letter of 3 March", "alice"
	h, err := b.PlaceHold(b.t.Context(), h)
	must(b.t, err)
	return h
}

func (b *bench) set(src retention.SourceRecord) *retention.HoldSet {
	b.t.Helper()
	s, err := b.HoldSet(b.t.Context(), src)
	must(b.t, err)
	return s
}

func TestLifeOfAHold(t *testing.T) { onEach(t, testLifeOfAHold) }

func testLifeOfAHold(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	must(t, b.RegisterSource(ctx, crm()))
	h := b.place(retention.Hold{Subjects: people("42", "7"), NotCovered: []string{"shop/logs"}, Review: "2027-01-01"})
	if h.State != retention.HoldPlacing || h.Version != 1 || h.AuditEntry != 1 || !h.PlacedAt.Equal(b.now()) || len(h.ID) != 12 {
		t.Fatalf("placed: %+v", h)
	}
	if diff := cmp.Diff(map[string]bool{"crm": false}, h.InForce); diff != "" {
		t.Error(diff)
	}
	if waiting, err := b.Placing(ctx, "crm"); err != nil || !waiting {
		t.Errorf("placing: %v, %v", waiting, err)
	}
	if diff := cmp.Diff(map[string][]string{"person": {"42", "7"}}, b.set(crm()).Subjects); diff != "" {
		t.Error("a hold that is placing is seen:", diff)
	}
	h, err := b.MarkInForce(ctx, h.ID, "crm", h.Version)
	must(t, err)
	if !h.InForce["crm"] || h.State != retention.HoldPlacing {
		t.Errorf("passed one: %+v", h)
	}
	h, err = b.MarkInForce(ctx, h.ID, "", h.Version)
	must(t, err)
	if h.State != retention.HoldInForce || h.AuditEntry != 2 {
		t.Errorf("in force: %+v", h)
	}
	again, err := b.MarkInForce(ctx, h.ID, "", h.Version)
	must(t, err)
	if diff := cmp.Diff(h, again); diff != "" {
		t.Error("in force twice:", diff)
	}
	h, err = b.AddSubjects(ctx, h.ID, people("43"), "bob")
	must(t, err)
	if h.State != retention.HoldPlacing || h.Version != 2 || h.InForce["crm"] || len(h.Subjects) != 3 {
		t.Errorf("added: %+v", h)
	}
	h, err = b.ReleaseHold(ctx, h.ID, "settled", "alice", time.Hour)
	must(t, err)
	if h.State != retention.HoldReleased || h.Version != 3 || !h.GraceUntil.Equal(b.now().Add(time.Hour)) || h.ReleasedBy != "alice" {
		t.Errorf("released: %+v", h)
	}
	b.pass(time.Hour - time.Microsecond)
	if len(b.set(crm()).Subjects["person"]) != 3 {
		t.Error("within the grace its rows are held")
	}
	b.pass(time.Microsecond)
	if len(b.set(crm()).Subjects) != 0 {
		t.Error("after the grace they are not")
	}
	b.pass(-time.Minute)
	if len(b.set(crm()).Subjects["person"]) != 3 {
		t.Error("a clock set back brings the grace back")
	}
	for name, err := range map[string]error{
		"release": second(b.ReleaseHold(ctx, h.ID, "", "", 0)), "add": second(b.AddSubjects(ctx, h.ID, people("1"), "")),
		"mark": second(b.MarkInForce(ctx, h.ID, "", h.Version)),
	} {
		if !errors.Is(err, retention.ErrDecided) {
			t.Errorf("%s after the release: %v", name, err)
		}
	}
	if _, err := b.ReleaseHold(ctx, "h-none", "", "", 0); !errors.Is(err, retention.ErrNotFound) {
		t.Errorf("unknown hold: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestPlaceHoldRefuses(t *testing.T) { onEach(t, testPlaceHoldRefuses) }

func testPlaceHoldRefuses(t *testing.T, on ground) {
	b := setup(t, on)
	for name, h := range map[string]retention.Hold{
		"nothing to hold":           {},
		"subject without type":      {Subjects: []retention.SubjectID{{ID: "42"}}},
		"condition without dataset": {Subjects: people("1"), Where: &retention.Predicate{SQL: "true"}},
	} {
		if _, err := b.PlaceHold(t.Context(), h); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if set := b.set(crm()); set.Version != 0 {
		t.Errorf("version %d after refusals", set.Version)
	}
}

func TestScopedHolds(t *testing.T) { onEach(t, testScopedHolds) }

func testScopedHolds(t *testing.T, on ground) {
	b := setup(t, on)
	where := &retention.Predicate{Test: &retention.Comparison{Column: "country", Op: retention.Eq, Values: []retention.Scalar{{Text: "FR", Tag: retention.TagString}}}}
	orders, carts := retention.TableName{Name: "orders"}, retention.TableName{Schema: "s", Name: "carts"}
	h := b.place(retention.Hold{Subjects: people("42"), Where: where, WhereText: `{"country":"FR"}`, Datasets: []retention.HoldScope{
		{Dataset: "shop/orders", Source: "crm", SourceUUID: "u1", Table: orders}, {Dataset: "shop/carts", Source: "crm", Table: carts}}})
	tests := []struct {
		name   string
		src    retention.SourceRecord
		tables []retention.TableName
	}{
		{"both by name and uuid", crm(), []retention.TableName{orders, carts}},
		{"renamed: by uuid", retention.SourceRecord{Name: "crm2", UUID: "u1"}, []retention.TableName{orders}},
		{"another database under the name: replaced, or restored from a copy", retention.SourceRecord{Name: "crm", UUID: "u9"}, []retention.TableName{orders, carts}},
		{"by name where the uuid is unknown", retention.SourceRecord{Name: "crm"}, []retention.TableName{orders, carts}},
		{"another source", retention.SourceRecord{Name: "web", UUID: "u2"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set := b.set(tt.src)
			var want []retention.ScopedHold
			scoped := map[retention.TableName]retention.ScopedHold{}
			for _, d := range h.Datasets {
				scoped[d.Table] = retention.ScopedHold{Hold: h.ID, Dataset: d.Dataset, Table: d.Table, Subjects: map[string][]string{"person": {"42"}}, Where: where}
			}
			for _, table := range tt.tables {
				want = append(want, scoped[table])
			}
			named := []retention.ScopedHold{scoped[orders], scoped[carts]}
			if diff := cmp.Diff(&retention.HoldSet{Version: 1, Subjects: map[string][]string{}, Scoped: want, Named: named}, set); diff != "" {
				t.Error(diff)
			}
		})
	}
	listed, err := b.ListHolds(t.Context(), h.ID, "Dupont v. us")
	must(t, err)
	if diff := cmp.Diff([]retention.Hold{h}, listed); diff != "" {
		t.Error(diff)
	}
	if none, err := b.ListHolds(t.Context(), "", "another matter"); err != nil || len(none) != 0 {
		t.Errorf("another matter: %v, %v", none, err)
	}
}

func TestHoldSetIsTheSameValueUntilItChanges(t *testing.T) {
	onEach(t, testHoldSetIsTheSameValueUntilItChanges)
}

func testHoldSetIsTheSameValueUntilItChanges(t *testing.T, on ground) {
	b, other := setup(t, on), (*Store)(nil)
	ids := make([]string, 100_000)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	b.place(retention.Hold{Subjects: people(ids...)})
	first := b.set(crm())
	if len(first.Subjects["person"]) != 100_000 {
		t.Fatalf("%d subjects", len(first.Subjects["person"]))
	}
	if b.set(crm()) != first {
		t.Error("read again although nothing changed")
	}
	other = b.open()
	_, err := other.PlaceHold(t.Context(), retention.Hold{Subjects: people("new")})
	must(t, err)
	if now := b.set(crm()); now == first || len(now.Subjects["person"]) != 100_001 || now.Version != 2 {
		t.Error("a hold placed by another process is not seen")
	}
}

func TestNoPersonInTheLog(t *testing.T) { onEach(t, testNoPersonInTheLog) }

func testNoPersonInTheLog(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	h := b.place(retention.Hold{Subjects: people("marie.dupont@example.org"), Datasets: []retention.HoldScope{{Dataset: "shop/orders", Source: "crm", Table: retention.TableName{Name: "orders"}}},
		Where: &retention.Predicate{SQL: "name = 'Dupont'"}, WhereText: "name = 'Dupont'"})
	must(t, second(b.ReleaseHold(ctx, h.ID, "Dupont settled", "alice", 0)))
	must(t, b.SetKillSwitch(ctx, retention.KillSwitch{On: true, By: "alice", Reason: "letter of Dupont"}))
	seen := 0
	must(t, b.Entries(ctx, Filter{}, func(e audit.Entry) error {
		seen++
		for _, word := range []string{"upont", "alice", "letter", "marie"} {
			if strings.Contains(string(e.Line), word) {
				t.Errorf("%s says %q: %s", e.ID(), word, e.Line)
			}
		}
		return nil
	}))
	if seen != 3 {
		t.Errorf("%d entries", seen)
	}
	// The key answers whether an entry is about a subject, while the year is kept.
	keyed, err := b.Keyed(ctx, "person:marie.dupont@example.org")
	must(t, err)
	e, err := b.Entry(ctx, "1")
	must(t, err)
	if !strings.Contains(string(e.Line), keyed) {
		t.Errorf("%s is not in %s", keyed, e.Line)
	}
}

func TestAdmit(t *testing.T) { onEach(t, testAdmit) }

func testAdmit(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	l := b.begin("r1")
	h := b.place(retention.Hold{Subjects: people("42")})
	gate := retention.Gate{Installed: true, StoreUUID: b.UUID(), HoldsVersion: h.Version}
	set, err := b.Admit(ctx, crm(), l.Attempt, gate)
	must(t, err)
	if len(set.Subjects["person"]) != 1 {
		t.Errorf("holds: %+v", set)
	}
	if _, err := b.Admit(ctx, crm(), l.Attempt, retention.Gate{}); err != nil {
		t.Errorf("no gate installed: %v", err)
	}
	for _, attempt := range []int64{0, l.Attempt - 1, l.Attempt + 1} {
		if _, err := b.Admit(ctx, crm(), attempt, gate); !errors.Is(err, retention.ErrFenced) {
			t.Errorf("attempt %d: %v", attempt, err)
		}
	}
	other := gate
	other.StoreUUID = "another"
	_, err = b.Admit(ctx, crm(), l.Attempt, other)
	refused(t, err, retention.RefuseStateMismatch, "check --adopt")
	ahead := gate
	ahead.HoldsVersion++
	_, err = b.Admit(ctx, crm(), l.Attempt, ahead)
	refused(t, err, retention.RefuseStateMismatch, "holds may be missing")
	ahead = gate
	ahead.LogSize = 1000
	_, err = b.Admit(ctx, crm(), l.Attempt, ahead)
	refused(t, err, retention.RefuseStateMismatch, "it is older")
	must(t, b.SetKillSwitch(ctx, retention.KillSwitch{On: true, By: "alice"}))
	_, err = b.Admit(ctx, crm(), l.Attempt, gate)
	refused(t, err, retention.RefuseKillSwitch, "retentiond resume")
	must(t, b.SetKillSwitch(ctx, retention.KillSwitch{By: "alice"}))
	b.sql("UPDATE holds SET scopes = 'x', scoped = 1")
	b.Store.holds = map[retention.SourceRecord]cachedHolds{}
	_, err = b.Admit(ctx, crm(), l.Attempt, gate)
	refused(t, err, retention.RefuseHoldUnreadable, "nothing acts")
	must(t, b.Unlease(ctx, l))
	if _, err := b.Admit(ctx, crm(), l.Attempt, gate); !errors.Is(err, retention.ErrFenced) {
		t.Errorf("after the lease was given back: %v", err)
	}
}

func TestSources(t *testing.T) { onEach(t, testSources) }

func testSources(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	must(t, b.RegisterSource(ctx, crm()))
	h := b.place(retention.Hold{Subjects: people("1")})
	_, err := b.MarkInForce(ctx, h.ID, "crm", h.Version)
	must(t, err)
	must(t, b.RegisterSource(ctx, retention.SourceRecord{Name: "sales", UUID: "u1"}))
	got, err := b.ListHolds(ctx, "", "")
	must(t, err)
	if diff := cmp.Diff(map[string]bool{"sales": true}, got[0].InForce); diff != "" {
		t.Error("renamed:", diff)
	}
	must(t, b.RegisterSource(ctx, retention.SourceRecord{Name: "sales", UUID: "u2"}))
	got, err = b.ListHolds(ctx, "", "")
	must(t, err)
	if diff := cmp.Diff(map[string]bool{"sales": false}, got[0].InForce); diff != "" {
		t.Error("another database under the name was not passed:", diff)
	}
	must(t, b.RegisterSource(ctx, retention.SourceRecord{Name: "app", UUID: "u3"}))
	all, err := b.RegisteredSources(ctx)
	must(t, err)
	if diff := cmp.Diff([]retention.SourceRecord{{Name: "app", UUID: "u3"}, {Name: "sales", UUID: "u2"}}, all); diff != "" {
		t.Error(diff)
	}
	if err := b.RegisterSource(ctx, retention.SourceRecord{Name: "x"}); err == nil {
		t.Error("a source without uuid is taken")
	}
	table := retention.TableName{Name: "t"}
	if _, _, ok, err := b.Total(ctx, "u1", table); ok || err != nil {
		t.Errorf("no total yet: %v, %v", ok, err)
	}
	must(t, b.KeepTotals(ctx, "u1", table, 5))
	must(t, b.KeepTotals(ctx, "u1", table, 6))
	if n, at, ok, err := b.Total(ctx, "u1", table); n != 6 || !ok || err != nil || !at.Equal(b.now()) {
		t.Errorf("total %d at %s, %v, %v", n, at, ok, err)
	}
}

// What holds cover is read with them, whatever the source, until they end.
func TestHoldCovers(t *testing.T) { onEach(t, testHoldCovers) }

func testHoldCovers(t *testing.T, on ground) {
	b := setup(t, on)
	pid := retention.HoldCover{Type: "person", Way: "column pid", HoldScope: retention.HoldScope{Dataset: "shop/t", Source: "crm", Table: retention.TableName{Name: "t"}}}
	uid := pid
	uid.Way = "column uid"
	h := b.place(retention.Hold{Subjects: people("42"), Covers: []retention.HoldCover{pid}})
	of := func(covers ...retention.HoldCover) (out []retention.HoldCover) {
		for _, c := range covers {
			c.Hold = h.ID
			out = append(out, c)
		}
		return out
	}
	want := func(covers []retention.HoldCover) {
		t.Helper()
		if diff := cmp.Diff(covers, b.set(retention.SourceRecord{Name: "web", UUID: "u2"}).Covers); diff != "" {
			t.Error(diff)
		}
	}
	want(of(pid))
	for range 2 {
		must(t, b.CoverHold(t.Context(), h.ID, of(uid, pid)))
		want(of(pid, uid))
	}
	if _, err := b.ReleaseHold(t.Context(), h.ID, "over", "bob", 0); err != nil {
		t.Fatal(err)
	}
	want(nil)
	if err := b.CoverHold(t.Context(), "h-none", of(pid)); !errors.Is(err, retention.ErrNotFound) {
		t.Errorf("a hold that is not there: %v", err)
	}
}

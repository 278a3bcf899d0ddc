package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

func TestSparedHasAReason(t *testing.T) {
	b := setup(t, `
CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT, who TEXT, kind TEXT);
CREATE TABLE c (id INTEGER PRIMARY KEY, p_id INTEGER, who TEXT);
INSERT INTO p VALUES (1,'2020-01-01','x','a'),(2,'2020-01-01','h','a'),(3,'2020-01-01','x','min'),(4,'2020-01-01','x','a'),(5,'2030-01-01','x','a'),(6,NULL,'x','a'),(7,'?','x','a'),(8,'2020-01-01','x','no');
INSERT INTO c VALUES (1,4,'h');`)
	b.install()
	sel := b.selection("p", "at")
	sel.Where = &retention.Predicate{Not: eq("kind", "no")}
	subject := []retention.Subject{{Type: "person", Columns: []string{"who"}}}
	sel.Reach.Subjects = subject
	m := member("at")
	m.Cutoff = cutoff().AddDate(-20, 0, 0)
	sel.Minimums = []retention.Minimum{{Where: eq("kind", "min"), Clock: latest(m)}}
	child := retention.Child{Relation: retention.Relation{Table: tn("c"), On: on("p_id", "id")}, Then: retention.ChildDelete}
	sel.Blocked = []retention.ChildReach{{Child: child, Reach: &retention.Reach{Table: tn("c"), Subjects: subject}}}
	batch := b.batch(sel, retention.Delete, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	batch.Action.Children = []retention.Child{child}
	batch.Admit = func(context.Context, retention.Gate) (*retention.HoldSet, error) { return person("h"), nil }
	out := b.apply(batch)
	want := retention.Spared{Held: 1, Protected: 1, Blocked: 1, Changed: 4, Gone: 1}
	if diff := cmp.Diff(want, out.Spared); diff != "" || out.Done != 1 {
		t.Errorf("done %d, spared %s", out.Done, diff)
	}
	b.wantRows("SELECT id FROM p ORDER BY id", "2", "3", "4", "5", "6", "7", "8")
}

func TestAnErrorLeavesNothing(t *testing.T) {
	b := setup(t, prospects+`CREATE TABLE invoices (id INTEGER PRIMARY KEY, prospect_id INTEGER REFERENCES prospects(id)); INSERT INTO invoices VALUES (1, 2);`)
	sel := b.selection("prospects", "created_at")
	if _, err := b.s.Apply(t.Context(), b.batch(sel, retention.Delete, 1)); refusalCode(err) != retention.RefuseGate {
		t.Errorf("without a gate: %v", err)
	}
	b.install()
	boom := errors.New("boom")
	for want, change := range map[string]func(*retention.Batch){
		"boom": func(x *retention.Batch) {
			x.Admit = func(context.Context, retention.Gate) (*retention.HoldSet, error) { return nil, boom }
		},
		"no holds were read": func(x *retention.Batch) {
			x.Admit = func(context.Context, retention.Gate) (*retention.HoldSet, error) { return nil, nil }
		},
		"names no rows":                         func(x *retention.Batch) { x.Keys = nil },
		"at most 20000":                         func(x *retention.Batch) { x.Keys = make([]retention.Key, retention.MaxBatch+1) },
		"no intent":                             func(x *retention.Batch) { x.Intent = "" },
		"names a row twice":                     func(x *retention.Batch) { x.Keys = append(x.Keys, x.Keys[0]) },
		"has 2 values":                          func(x *retention.Batch) { x.Keys = []retention.Key{{int64(1), int64(2)}} },
		"cannot be named":                       func(x *retention.Batch) { x.Keys = []retention.Key{{1.5}} },
		"foreign key of interactions, invoices": func(x *retention.Batch) { x.Action.Children = nil },
		"no action":                             func(x *retention.Batch) { x.Action.Kind = retention.Report },
		"neither admitted":                      func(x *retention.Batch) { x.Seal = nil },
		"of one row":                            func(x *retention.Batch) { x.ChildrenOf = 5; x.Keys = append(x.Keys, retention.Key{int64(2)}) },
	} {
		batch := b.batch(sel, retention.Delete, 1)
		batch.Action.Children = children()
		change(&batch)
		_, err := b.s.Apply(t.Context(), batch)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		b.wantRows("SELECT count(*) FROM prospects", "5")
	}
	b.wantRows("SELECT count(*) FROM retentiond_receipt", "0")
}

func TestSchemaDriftStopsABatch(t *testing.T) {
	b := setup(t, prospects)
	b.install()
	sel := b.selection("prospects", "created_at")
	exec(t, b.app, "CREATE INDEX more ON prospects (email)")
	batch := b.batch(sel, retention.Delete, 2)
	if out := b.apply(batch); out.Done != 1 {
		t.Errorf("an index is no drift: %+v", out)
	}
	exec(t, b.app, "ALTER TABLE prospects ADD COLUMN phone TEXT")
	_, err := b.s.Apply(t.Context(), b.batch(sel, retention.Delete, 1))
	var r *retention.Refusal
	if !errors.As(err, &r) || r.Code != retention.RefuseSchemaDrift {
		t.Errorf("got %v", err)
	}
}

func TestHoldPlacedBetweenPageAndBatch(t *testing.T) {
	b := setup(t, prospects)
	b.install()
	sel := b.selection("prospects", "created_at")
	sel.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{"person_id"}}}
	p, err := b.s.Page(t.Context(), sel, noHolds(), retention.Cursor{}, 10)
	if err != nil || len(p.Keys) != 2 {
		t.Fatal(p, err)
	}
	batch := b.batch(sel, retention.Delete)
	batch.Keys, batch.Action.Children = p.Keys, children()
	batch.Admit = func(_ context.Context, g retention.Gate) (*retention.HoldSet, error) {
		if g.StoreUUID != store || !g.Installed {
			t.Errorf("gate %+v", g)
		}
		return person("p1"), nil
	}
	if out := b.apply(batch); out.Done != 1 || out.Spared.Held != 1 {
		t.Errorf("%+v", out)
	}
	b.wantRows("SELECT id FROM interactions ORDER BY id", "1", "2", "3")
}

func TestDetachAndSelfReference(t *testing.T) {
	b := setup(t, `
CREATE TABLE c (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES c(id), at TEXT);
CREATE TABLE n (id INTEGER PRIMARY KEY, c_id INTEGER REFERENCES c(id));
INSERT INTO c VALUES (1,NULL,'2020-01-01'),(2,1,'2020-01-01'),(3,1,'2030-01-01'),(4,NULL,'2030-01-01');
INSERT INTO n VALUES (1,1),(2,4);`)
	b.install()
	sel := b.selection("c", "at")
	batch := b.batch(sel, retention.Delete, 1, 2)
	batch.Action.Children = []retention.Child{
		{Relation: retention.Relation{Table: tn("n"), On: on("c_id", "id")}, Then: retention.ChildDetach},
		{Relation: retention.Relation{Table: tn("c"), On: on("parent", "id")}, Then: retention.ChildDelete},
	}
	out := b.apply(batch)
	if out.Done != 2 || out.Children["c"] != 1 || out.Children["n"] != 1 {
		t.Errorf("%+v", out)
	}
	b.wantRows("SELECT id FROM c", "4")
	b.wantRows("SELECT id || coalesce(c_id, '-') FROM n ORDER BY id", "1-", "24")
}

func TestManyChildrenGoFirst(t *testing.T) {
	b := setup(t, `
CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT);
CREATE TABLE c (id INTEGER PRIMARY KEY, p_id INTEGER REFERENCES p(id));
CREATE TABLE g (a INTEGER, b INTEGER, c_id INTEGER REFERENCES c(id), PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE INDEX c_p ON c (p_id); CREATE INDEX g_c ON g (c_id);
INSERT INTO p VALUES (1,'2020-01-01'),(2,'2020-01-01');
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001) INSERT INTO c SELECT i, 1 FROM n;
INSERT INTO g VALUES (1,1,1),(1,2,2),(1,3,3);`)
	b.install()
	sel := b.selection("p", "at")
	kids := []retention.Child{
		{Relation: retention.Relation{Via: []retention.Hop{{Table: tn("c"), On: on("p_id", "id")}}, Table: tn("g"), On: on("c_id", "id")}, Then: retention.ChildDelete},
		{Relation: retention.Relation{Table: tn("c"), On: on("p_id", "id")}, Then: retention.ChildDelete},
	}
	whole := b.batch(sel, retention.Delete, 1, 2)
	whole.Action.Children = kids
	if _, err := b.s.Apply(t.Context(), whole); !errors.Is(err, retention.ErrTooWide) {
		t.Fatalf("got %v", err)
	}
	part := b.batch(sel, retention.Delete, 1)
	part.Action.Children, part.ChildrenOf = kids, 2
	for i, want := range []map[string]int64{{"g": 2}, {"g": 1, "c": 1}, {"g": 0, "c": 2}} {
		part.Intent = fmt.Sprint("part", i)
		out := b.apply(part)
		if diff := cmp.Diff(want, out.Children); diff != "" || out.Done != 0 || out.Spared.Sum() != 0 {
			t.Errorf("part %d: %+v %s", i, out, diff)
		}
	}
	whole.Intent = "whole"
	if out := b.apply(whole); out.Done != 2 || out.Children["c"] != 9998 {
		t.Errorf("%+v", out)
	}
	b.wantRows("SELECT (SELECT count(*) FROM c) + (SELECT count(*) FROM g) + (SELECT count(*) FROM p)", "0")
}

func TestATriggerThatKeepsRows(t *testing.T) {
	b := setup(t, `CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT); INSERT INTO p VALUES (1,'2020-01-01'),(2,'2020-01-01');
CREATE TRIGGER keep BEFORE DELETE ON p WHEN old.id = 2 BEGIN SELECT RAISE(IGNORE); END;`)
	b.install()
	_, err := b.s.Apply(t.Context(), b.batch(b.selection("p", "at"), retention.Delete, 1, 2))
	if err == nil || !strings.Contains(err.Error(), "1 rows were deleted where 2 were meant") {
		t.Errorf("got %v", err)
	}
	b.wantRows("SELECT count(*) FROM p", "2")
}

func TestArchive(t *testing.T) {
	b := setup(t, prospects+`CREATE TABLE odd (id INTEGER PRIMARY KEY, v) ;`)
	b.install()
	v := &retention.VaultTables{Table: tn("archive_prospects"), Children: []retention.TableName{tn("archive_interactions")}, Rule: "p/prospects", At: cutoff()}
	spec := retention.VaultSpec{From: []retention.TableName{tn("prospects"), tn("interactions")}, Into: []retention.TableName{v.Table, v.Children[0]}}
	for range 2 {
		if err := b.s.MakeVault(t.Context(), b.schema, spec); err != nil {
			t.Fatal(err)
		}
	}
	b.describe()
	sel := b.selection("prospects", "created_at")
	sel.Clock = latest(member("created_at"), relatedMember(contacts()))
	batch := b.batch(sel, retention.Archive, 1, 2, 3)
	batch.Action.Children, batch.Action.Into = children(), v
	out := b.apply(batch)
	if out.Done != 2 || out.Spared.Changed != 1 || out.Children["interactions"] != 2 {
		t.Errorf("%+v", out)
	}
	b.wantRows("SELECT id FROM prospects ORDER BY id", "3", "4", "5")
	b.wantRows("SELECT id || ' ' || email || ' ' || retentiond_clock || ' ' || retentiond_rule || ' ' || retentiond_archived_at FROM archive_prospects ORDER BY id",
		"1 a@x.fr 2020-02-02T00:00:00Z p/prospects 2024-01-01T00:00:00Z", "2 b@x.fr 2020-01-02T10:00:00Z p/prospects 2024-01-01T00:00:00Z")
	b.wantRows("SELECT id || ' ' || retentiond_clock FROM archive_interactions ORDER BY id", "1 2020-02-02T00:00:00Z", "2 2020-02-02T00:00:00Z")

	// The same identifier, given again by the application, archives again.
	exec(t, b.app, "INSERT INTO prospects VALUES (1, 'p9', 'z@x.fr', '2021-01-01')")
	again := b.batch(sel, retention.Archive, 1)
	again.Action.Children, again.Action.Into = children(), v
	b.apply(again)
	b.wantRows("SELECT email FROM archive_prospects WHERE id = 1 ORDER BY retentiond_id", "a@x.fr", "z@x.fr")

	exec(t, b.app, "ALTER TABLE prospects ADD COLUMN phone TEXT")
	b.describe()
	err := b.s.MakeVault(t.Context(), b.schema, spec)
	var r *retention.Refusal
	if !errors.As(err, &r) || r.Code != retention.RefuseSchemaDrift || !strings.Contains(r.Message, `"phone"`) {
		t.Errorf("got %v", err)
	}
}

// Whatever could change the copy keeps the row.
func TestArchiveTakesNoTriggerInItsVault(t *testing.T) {
	b := setup(t, prospects)
	b.install()
	v := &retention.VaultTables{Table: tn("archive_prospects"), Rule: "r", At: cutoff()}
	spec := retention.VaultSpec{From: []retention.TableName{tn("prospects")}, Into: []retention.TableName{v.Table}}
	if err := b.s.MakeVault(t.Context(), b.schema, spec); err != nil {
		t.Fatal(err)
	}
	exec(t, b.app, "CREATE TRIGGER spoil AFTER INSERT ON archive_prospects BEGIN UPDATE archive_prospects SET email = 'lost' WHERE retentiond_id = new.retentiond_id; END")
	b.describe()
	batch := b.batch(b.selection("prospects", "created_at"), retention.Archive, 2)
	batch.Action.Into = v
	if _, err := b.s.Apply(t.Context(), batch); err == nil || !strings.Contains(err.Error(), `INSERT trigger "spoil"`) {
		t.Errorf("got %v", err)
	}
	b.wantRows("SELECT count(*) FROM prospects", "5")
}

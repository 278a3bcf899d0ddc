package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
)

const changePolicy = `version: 1
policy: p
title: T
controller: C
timezone: Europe/Paris
source: db
limits: {share: 100%, rows: 100000}
datasets:
  invoices:
    table: invoices
    subject: {person: payer}
    children: [{table: notes, on: {invoice: id}, then: delete}]
  notes: {table: notes, subject: {person: author}, purpose: x}
  people: {table: people, subject: {person: id}, purpose: x}
rules:
  - id: r1
    title: I
    dataset: invoices
    from: at
    approve: never
    stages:
      - {keep: 1 year, then: archive, to: old, why: disputes}
      - {keep: 5 years, then: delete}
  - {id: books, title: B, dataset: invoices, from: at, where: {kind: a}, at_least: 6 years}
  - {id: law, title: L, dataset: notes, from: at, at_least: 6 years}
`

const changeSchema = `CREATE TABLE invoices (id INTEGER PRIMARY KEY, payer INTEGER, student INTEGER, kind TEXT, at TEXT, paid TEXT);
CREATE INDEX i ON invoices(at);
CREATE TABLE notes (id INTEGER PRIMARY KEY, invoice INTEGER, author INTEGER, reader INTEGER, at TEXT, read TEXT);
CREATE INDEX n ON notes(invoice);
CREATE TABLE people (id INTEGER PRIMARY KEY, invoice INTEGER);
INSERT INTO invoices VALUES (1,100,7,'b','2015-03-03','2016-01-01'),(2,100,8,'b','2026-10-03','2026-10-03');
INSERT INTO notes VALUES (1,1,20,21,'2015-03-04','2015-03-04'),(2,2,20,21,'2026-10-03','2026-10-03');
INSERT INTO people VALUES (7,1)`

// ruleChange is what became of policies and tables since rows were sealed.
type ruleChange struct {
	name    string
	edit    []string // old and new texts of the policy
	sql     string
	subject string // of a hold; empty: of whomever
	dataset string
	want    retention.Class
}

func (c ruleChange) policy() string { return strings.NewReplacer(c.edit...).Replace(changePolicy) }

const noChild = "    children: [{table: notes, on: {invoice: id}, then: delete}]\n"

func changes() []ruleChange {
	undeclared := []string{noChild, ""}
	renamed := []string{"invoices:\n    table: invoices", "bills:\n    table: bills", "dataset: invoices", "dataset: bills"}
	remarks := []string{"table: notes", "table: remarks", "  notes:", "  remarks:", "dataset: notes", "dataset: remarks"}
	return []ruleChange{
		{name: "nothing", want: retention.Due},
		{name: "hold on nobody", subject: "person:9999", want: retention.Due},
		{name: "titles and periods", edit: []string{"title: B", "title: Books", "at_least: 6 years", "at_least: 7 years"}, want: retention.Due},
		{name: "a longer minimum", edit: []string{"where: {kind: a}, at_least: 6", "where: {kind: a}, at_least: 20"}, want: retention.Due},
		{name: "a longer minimum of children", edit: []string{"dataset: notes, from: at, at_least: 6", "dataset: notes, from: at, at_least: 20"}, want: retention.Blocked},

		{name: "subject has another column", edit: []string{"person: payer", "person: [payer, student]"}, subject: "person:7", want: retention.Held},
		{name: "subject has another column, hold on its dataset", edit: []string{"person: payer", "person: [payer, student]"}, subject: "person:7", dataset: "p/invoices", want: retention.Held},
		{name: "subject has another column, hold on others", edit: []string{"person: payer", "person: [payer, student]"}, dataset: "p/people", want: retention.Due},
		{name: "subject is related", edit: []string{"subject: {person: payer}", "subject: {person: {table: people, on: {invoice: id}, column: id}}"}, subject: "person:7", want: retention.Held},
		{name: "subject of children", edit: []string{"person: author", "person: [author, reader]"}, subject: "person:21", want: retention.Held},
		{name: "one parent more", edit: []string{"people: {table: people, subject: {person: id}, purpose: x}", "people: {table: people, subject: {person: id}, purpose: x, children: [{table: notes, on: {invoice: invoice}, then: delete}]}"}, subject: "person:7", want: retention.Held},

		{name: "minimum widened", edit: []string{"{kind: a}, at_least: 6", "{kind: {in: [a, b]}}, at_least: 20"}, want: retention.Protected},
		{name: "minimum from another clock", edit: []string{"from: at, where: {kind: a}", "from: paid, where: {kind: a}"}, want: retention.Protected},
		{name: "minimum of children from another clock", edit: []string{"dataset: notes, from: at", "dataset: notes, from: read"}, want: retention.Blocked},
		{name: "minimum in another zone", edit: []string{"Europe/Paris", "Europe/Helsinki"}, want: retention.Unresolved},

		{name: "child undeclared", edit: undeclared, want: retention.Due},
		{name: "child undeclared, its minimum runs", edit: append([]string{"dataset: notes, from: at, at_least: 6", "dataset: notes, from: at, at_least: 20"}, undeclared...), want: retention.Blocked},
		{name: "child undeclared, a minimum came", edit: append([]string{"{id: law,", "{id: law2,"}, undeclared...), want: retention.Blocked},
		{name: "child undeclared, hold on its dataset", edit: undeclared, dataset: "p/notes", want: retention.Held},
		{name: "child undeclared, its subject has another column", edit: append([]string{"person: author", "person: [author, reader]"}, undeclared...), subject: "person:21", want: retention.Held},
		{name: "child undeclared, hold on nobody", edit: undeclared, subject: "person:9999", want: retention.Due},

		{name: "renamed", edit: renamed, sql: "ALTER TABLE invoices RENAME TO bills", want: retention.Due},
		{name: "renamed, hold", edit: renamed, sql: "ALTER TABLE invoices RENAME TO bills", dataset: "p/bills", want: retention.Held},
		{name: "child renamed, hold", edit: remarks, sql: "ALTER TABLE notes RENAME TO remarks", dataset: "p/remarks", want: retention.Held},
		{name: "child renamed, its minimum", edit: remarks, sql: "ALTER TABLE notes RENAME TO remarks", want: retention.Blocked},
		{name: "child renamed and undeclared, hold", edit: append(undeclared, remarks...), sql: "ALTER TABLE notes RENAME TO remarks", dataset: "p/remarks", want: retention.Held},

		{name: "another clock", edit: []string{"    from: at\n", "    from: paid\n"}, want: retention.Unresolved},
	}
}

// TestSegmentsAfterChanges: what was noted of sealed rows under other rules than those
// of now is not known, and the unknown protects (L1 to L4).
func TestSegmentsAfterChanges(t *testing.T) {
	t.Parallel()
	y := newYard(t, "sqlite")
	for _, c := range changes() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h, err := build(t.Context(), y, t.TempDir(), &world{AsOf: time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC), Vault: "sealed"}, []string{changePolicy}, changeSchema)
			defer h.close()
			if err != nil {
				t.Fatal(err)
			}
			if n := h.acts(t, retention.Archive); n != 1 {
				t.Fatalf("%d rows were archived", n)
			}
			h.changes(t, c)
			want := retention.Classes{Total: 1}
			*want.Of(c.want) = 1
			if got := h.sealedClasses(t); got != want {
				t.Errorf("%+v, want it %s", got, c.want)
			}
			if n := h.acts(t, retention.Delete); (n == 1) != (c.want == retention.Due) {
				t.Errorf("%d segments ended", n)
			}
			inv, err := h.engine.Inventory(t.Context(), time.Time{})
			if err != nil || (inv.Unexplained > 0) != (c.want == retention.Unresolved) {
				t.Errorf("inventory: %d unexplained (%v), %+v", inv.Unexplained, err, inv.Datasets)
			}
		})
	}
}

func (h *house) changes(t *testing.T, c ruleChange) {
	t.Helper()
	if _, err := h.app.ExecContext(context.Background(), c.sql+";"); err != nil {
		t.Fatal(err)
	}
	h.now = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	h.engine.Policies = nil
	if err := h.govern([]string{c.policy()}); err != nil {
		t.Fatal(err)
	}
	if c.subject == "" && c.dataset == "" {
		return
	}
	req := engine.HoldRequest{Matter: "m", Reason: "a dispute", By: "lawyer", AllowUnmatched: true}
	if id, ok := retention.ParseSubject(c.subject); ok {
		req.Subjects = append(req.Subjects, id)
	}
	if c.dataset != "" {
		req.Datasets = []string{c.dataset}
	}
	if placed, err := h.engine.PlaceHold(t.Context(), req); err != nil || placed.State != retention.HoldInForce {
		t.Fatalf("%+v %v", placed, err)
	}
}

// acts runs, and says how many rows went by the action, from their table or the vault.
func (h *house) acts(t *testing.T, kind retention.ActionKind) (n int64) {
	t.Helper()
	report, err := h.engine.Run(t.Context(), engine.RunRequest{AcceptClock: true, Approve: true, By: "tester", Reason: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range report.Steps {
		if s.Action == kind {
			n += s.Done
		}
	}
	return n
}

func (h *house) sealedClasses(t *testing.T) (out retention.Classes) {
	t.Helper()
	plan, err := h.engine.Plan(t.Context(), engine.PlanRequest{AcceptClock: true, NoSave: true})
	if err != nil || slices.ContainsFunc(plan.Refusals, func(r retention.Refusal) bool { return !r.Approvable }) {
		t.Fatalf("%+v %v", plan.Refusals, err)
	}
	for _, s := range plan.Steps {
		if s.Archived {
			out = s.Classes
		}
	}
	return out
}

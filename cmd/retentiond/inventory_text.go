package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/engine"
)

// inventoryText writes the inventory for people: a table a policy.
func (a *app) inventoryText(h *house, inv engine.Inventory) error {
	p := a.printer()
	p.heading("Inventory as of %s", instant(inv.AsOf))
	var policies []string
	for _, i := range inv.Datasets {
		if !slices.Contains(policies, i.Policy) {
			policies = append(policies, i.Policy)
		}
	}
	for _, policy := range policies {
		p.blank()
		p.heading("%s", h.title(policy))
		if g := inventoryGrid(p, h, policy, inv.Datasets); len(g.rows) > 0 {
			p.grid(g)
		}
		p.reasons(policy, inv.Datasets)
		p.undecided(policy, inv.Datasets)
	}
	p.inventoryNotes(inv.Datasets)
	p.blank()
	switch {
	case len(policies) == 0:
		p.line("No table is governed: no policy with a dataset is loaded.")
	case inv.Unexplained > 0:
		a.unexplained(p, inv)
	default:
		p.line("%s", p.paint(green, "Nothing overdue is unexplained."))
	}
	return p.err
}

// unexplained says what to do about the items that nothing explains.
func (a *app) unexplained(p *printer, inv engine.Inventory) {
	var blind, broken, left int64
	for _, i := range inv.Datasets {
		switch {
		case i.NotCounted && i.Dataset == "" && i.Policy != "":
			broken++
		case i.NotCounted:
			blind++
		case !i.Explained && i.Policy == "": // archived rows
			left++
		}
	}
	if n := inv.Unexplained - blind - broken - left; n > 0 {
		p.line("%s %s with overdue rows that nothing explains. A run takes them:  %s", p.paint(red, "Unexplained:"), plural(n, "item", "items"), a.retry("run"))
	}
	if left > 0 {
		p.line("%s %s with archived rows that no rule ends: mend what is said above.", p.paint(red, "Left behind:"), plural(left, "item", "items"))
	}
	if blind > 0 {
		p.line("%s %s: nobody could look at the rows. Make the source answer, or mend what is said above:  %s", p.paint(red, "Not counted:"), plural(blind, "item", "items"), a.retry("check"))
	}
	if broken > 0 {
		p.line("%s %s not load: its rules do not run, and its tables are not counted. Mend it:  %s", p.paint(red, "Not counted:"), plural(broken, "policy does", "policies do"), a.retry("policy validate"))
	}
}

func inventoryGrid(p *printer, h *house, policy string, items []engine.InventoryItem) *grid {
	g := &grid{cols: []gridColumn{col("dataset"), col("rule"), col("table"), num("due"), numOpt("held"), numOpt("protected"), numOpt("blocked"),
		numOpt("active"), numOpt("open"), numOpt("unresolved"), numOpt("done"), numOpt("excluded"), num("total"), colOpt("oldest clock")}}
	for _, i := range items {
		if i.Policy != policy || isUndecided(i) {
			continue
		}
		c := i.Classes
		i.Table = h.inventoryTable(i)
		if i.NotCounted {
			if i.Dataset != "" {
				g.add(i.Dataset, ruleOrNone(i), i.Table, "not counted", "", "", "", "", "", "", "", "", "", "")
			}
			continue
		}
		g.add(i.Dataset, ruleOrNone(i), i.Table, count(c.Due), count(c.Held), count(c.Protected), count(c.Blocked), count(c.Active),
			count(c.Open), count(c.Unresolved), count(c.Done), count(c.Excluded), count(c.Total), oldest(i.OldestDue, c.Due, h.zone(policy)))
	}
	return g
}

// inventoryTable names the table, and tells what is sealed of it from the table itself,
// as a plan does.
func (h *house) inventoryTable(i engine.InventoryItem) string {
	if h.sealed[i.Vault] != nil && i.Action == string(retention.Delete) {
		return i.Table + " (archive)"
	}
	return i.Table
}

// reasons writes under a policy's table why its items are as they are.
func (p *printer) reasons(policy string, items []engine.InventoryItem) {
	for _, i := range items {
		if i.Policy != policy || isUndecided(i) {
			continue
		}
		name := joined("/", i.Dataset, i.Rule)
		if i.Stage > 1 {
			name = ruleName(name, i.Stage, true)
		}
		if name = cmp.Or(name, policy, i.Table, i.Vault, i.Source); i.Vault != "" && i.Policy == "" {
			name = "vault " + i.Vault
		}
		if s := because(p, i); s != "" {
			p.line("  %s %s", p.paint(dim, name+":"), s)
		}
	}
}

// isUndecided reports whether an item only says that its dataset has no rule.
func isUndecided(i engine.InventoryItem) bool {
	return i.Rule == "" && i.Error == "" && i.Explained && i.Classes.Due == 0 && strings.HasPrefix(i.Because, "undecided:")
}

// undecided writes the datasets of a policy that have no rule, on one line.
func (p *printer) undecided(policy string, items []engine.InventoryItem) {
	var names []string
	for _, i := range items {
		if i.Policy != policy || !isUndecided(i) {
			continue
		}
		s := i.Dataset + " " + count(i.Classes.Total)
		if i.Classes.Held > 0 {
			s += " (" + count(i.Classes.Held) + " held)"
		}
		names = append(names, s)
	}
	if len(names) > 0 {
		p.wrapped("  "+p.paint(dim, "undecided, a purpose and no rule, "+plural(int64(len(names)), "table", "tables")+" and their rows:")+" ", names)
	}
}

// inventoryNotes says once what holds for every line.
func (p *printer) inventoryNotes(items []engine.InventoryItem) {
	var unresolved, some, unknown bool
	for _, i := range items {
		unresolved = unresolved || i.Classes.Unresolved > 0
		some = some || i.OldestDue != nil
		unknown = unknown || i.OldestDue == nil && i.Classes.Due > 0
	}
	notes := clockNotes(some, unknown)
	if unresolved {
		notes = append([]string{unresolvedNote}, notes...)
	}
	if len(notes) > 0 {
		p.blank()
	}
	for _, n := range notes {
		p.line("  %s", p.paint(dim, n))
	}
}

func ruleOrNone(i engine.InventoryItem) string {
	if i.Rule == "" {
		return "(no rule)"
	}
	return ruleName(i.Rule, i.Stage, i.Stage > 1)
}

// because is why an item is as it is. Where nothing is due the columns say it, but for
// archives that are late.
func because(p *printer, i engine.InventoryItem) string {
	switch {
	case i.NotCounted:
		return p.paint(red, joined(": ", "not counted", p.typed(inWords(cmp.Or(i.Error, i.Because)))))
	case i.Error != "":
		return p.paint(red, p.typed(inWords(i.Error)))
	case !i.Explained:
		return p.paint(red, joined(": ", "not explained", p.typed(inWords(i.Because))))
	case i.Rule != "" && i.Classes.Due == 0 && i.LateSince == nil && strings.HasPrefix(i.Because, "nothing due"):
		return ""
	}
	return p.typed(inWords(i.Because))
}

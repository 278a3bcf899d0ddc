package main

import (
	"slices"
	"strings"

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
		p.grid(inventoryGrid(p, h, policy, inv.Datasets))
	}
	p.blank()
	switch {
	case len(policies) == 0:
		p.line("No table is governed: no policy with a dataset is loaded.")
	case inv.Unexplained > 0:
		p.line("%s %s with overdue rows that nothing explains. A run takes them:  %s",
			p.paint(red, "Unexplained:"), plural(inv.Unexplained, "item", "items"), a.retry("run"))
	default:
		p.line("%s", p.paint(green, "Nothing overdue is unexplained."))
	}
	return p.err
}

func inventoryGrid(p *printer, h *house, policy string, items []engine.InventoryItem) *grid {
	g := &grid{cols: []gridColumn{col("dataset"), col("rule"), col("table"), num("due"), num("held"), numOpt("protected"), numOpt("blocked"),
		num("active"), numOpt("open"), numOpt("unresolved"), numOpt("done"), numOpt("excluded"), num("total"), colOpt("oldest due"), colOpt("because")}}
	for _, i := range items {
		if i.Policy != policy {
			continue
		}
		c := i.Classes
		g.add(i.Dataset, ruleOrNone(i), i.Table, count(c.Due), count(c.Held), count(c.Protected), count(c.Blocked), count(c.Active),
			count(c.Open), count(c.Unresolved), count(c.Done), count(c.Excluded), count(c.Total), dateOf(i.OldestDue, h.zone(policy)), because(p, i))
	}
	return g
}

func ruleOrNone(i engine.InventoryItem) string {
	if i.Rule == "" {
		return "(no rule)"
	}
	return ruleName(i.Rule, i.Stage, i.Stage > 1)
}

// because is why an item is as it is. Where nothing is due the columns say it.
func because(p *printer, i engine.InventoryItem) string {
	switch {
	case i.Error != "":
		return p.paint(red, i.Error)
	case !i.Explained:
		return p.paint(red, joined(": ", "not explained", i.Because))
	case i.Rule != "" && i.Classes.Due == 0 && strings.HasPrefix(i.Because, "nothing due"):
		return ""
	}
	return i.Because
}

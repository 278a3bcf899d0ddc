package main

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"html"
	"strconv"
	"strings"
	"time"
)

// write writes the list as md, html or csv.
func (d *destructionDoc) write(format, lang string) (string, error) {
	w := destructionWordsOf(lang)
	switch format {
	case "html":
		return d.html(w, lang), nil
	case "csv":
		return d.csv(w)
	}
	return d.markdown(w), nil
}

// head is what stands above the list: names and values.
func (d *destructionDoc) head(w destructionWords) [][2]string {
	visa := cmp.Or(d.Visa, w.noVisa)
	if d.Visa == "" && !d.VisaNeeded {
		visa = w.noVisa + " (" + w.none + ")"
	}
	return [][2]string{{w.controller, strings.Join(d.Controllers, ", ")}, {w.plan, d.Plan}, {w.digest, d.Digest},
		{w.asOf, instant(d.AsOf)}, {w.planned, d.PlannedBy + ", " + instant(d.PlannedAt)}, {w.visa, visa}}
}

// cells are the list's lines as texts.
func (d *destructionDoc) cells(w destructionWords) [][]string {
	var out [][]string
	for _, l := range d.Lines {
		title := cmp.Or(l.Title, l.Rule)
		if l.Title != "" {
			title += " (" + l.Policy + "/" + l.Rule + ")"
		}
		newest := dayOf(l.Newest, l.zone)
		if newest == "" {
			newest = w.before + " " + dayOf(l.Cutoff, l.zone)
		}
		out = append(out, []string{title, l.Dataset, l.Source + ":" + l.Table, l.Reference, l.Basis, l.Period, dayOf(l.Cutoff, l.zone),
			cmp.Or(dayOf(l.Oldest, l.zone), w.from), newest, strconv.FormatInt(l.Rows, 10), strconv.FormatInt(l.Children, 10), l.Action})
	}
	return out
}

func dayOf(t *time.Time, zone *time.Location) string {
	if t == nil {
		return ""
	}
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format(time.DateOnly)
}

// foot is what stands below the list, a sentence each.
func (d *destructionDoc) foot(w destructionWords) []string {
	var out []string
	if len(d.Lines) == 0 {
		out = append(out, w.empty)
	} else {
		out = append(out, fmt.Sprintf(w.total, count(d.Rows), count(d.Children)))
	}
	if d.Archived > 0 {
		out = append(out, fmt.Sprintf(w.archived, count(d.Archived)))
	}
	if d.Refused > 0 {
		out = append(out, fmt.Sprintf(w.refused, count(d.Refused)))
	}
	if d.VisaNeeded {
		out = append(out, w.law)
	}
	return out
}

// given are the approvals so far, a line each.
func (d *destructionDoc) given() []string {
	var out []string
	for _, a := range d.Approvals {
		line := a.By + ", " + instant(a.At)
		if a.Visa != "" {
			line += ", " + a.Visa
		}
		out = append(out, line)
	}
	return out
}

func (d *destructionDoc) markdown(w destructionWords) string {
	var b strings.Builder
	row := func(cells []string) {
		for i, c := range cells {
			cells[i] = strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(c)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	rule := func(n int) { row(strings.Split(strings.TrimSuffix(strings.Repeat("--- ", n), " "), " ")) }
	fmt.Fprintf(&b, "# %s\n\n", w.title)
	for _, h := range d.head(w) {
		fmt.Fprintf(&b, "- %s: %s\n", h[0], h[1])
	}
	b.WriteString("\n")
	if len(d.Lines) > 0 {
		row(w.header)
		rule(len(w.header))
		for _, c := range d.cells(w) {
			row(c)
		}
		b.WriteString("\n")
	}
	for _, f := range d.foot(w) {
		fmt.Fprintf(&b, "%s\n\n", f)
	}
	if g := d.given(); len(g) > 0 {
		fmt.Fprintf(&b, "## %s\n\n- %s\n\n", w.approvals, strings.Join(g, "\n- "))
	}
	fmt.Fprintf(&b, "## %s\n\n", w.signatures)
	row([]string{"", w.name, w.date, w.signature})
	rule(4)
	for _, s := range w.signers {
		row([]string{s, "", "", ""})
	}
	return b.String()
}

const destructionStyle = `body{font:14px sans-serif;margin:2em}table{border-collapse:collapse;margin:1em 0}` +
	`td,th{border:1px solid #666;padding:.3em .5em;text-align:left;vertical-align:top}.s td{height:4em;min-width:10em}@page{size:A4 landscape}`

func (d *destructionDoc) html(w destructionWords, lang string) string {
	var b strings.Builder
	esc := html.EscapeString
	row := func(tag string, cells []string) {
		b.WriteString("<tr>")
		for _, c := range cells {
			fmt.Fprintf(&b, "<%s>%s</%s>", tag, esc(c), tag)
		}
		b.WriteString("</tr>\n")
	}
	fmt.Fprintf(&b, "<!doctype html>\n<html lang=\"%s\">\n<head><meta charset=\"utf-8\"><title>%s</title><style>%s</style></head>\n<body>\n<h1>%s</h1>\n<ul>\n",
		lang, esc(w.title), destructionStyle, esc(w.title))
	for _, h := range d.head(w) {
		fmt.Fprintf(&b, "<li>%s: %s</li>\n", esc(h[0]), esc(h[1]))
	}
	b.WriteString("</ul>\n<table>\n")
	row("th", w.header)
	for _, c := range d.cells(w) {
		row("td", c)
	}
	b.WriteString("</table>\n")
	for _, f := range d.foot(w) {
		fmt.Fprintf(&b, "<p>%s</p>\n", esc(f))
	}
	if g := d.given(); len(g) > 0 {
		fmt.Fprintf(&b, "<h2>%s</h2>\n", esc(w.approvals))
		for _, line := range g {
			fmt.Fprintf(&b, "<p>%s</p>\n", esc(line))
		}
	}
	fmt.Fprintf(&b, "<h2>%s</h2>\n<table class=\"s\">\n", esc(w.signatures))
	row("th", []string{"", w.name, w.date, w.signature})
	for _, s := range w.signers {
		row("td", []string{s, "", "", ""})
	}
	b.WriteString("</table>\n</body>\n</html>\n")
	return b.String()
}

// csv is the lines alone, with plan and visa in each: a table has no head.
func (d *destructionDoc) csv(w destructionWords) (string, error) {
	var b strings.Builder
	c := csv.NewWriter(&b)
	_ = c.Write(append([]string{w.plan, w.visa}, w.header...)) // a strings.Builder takes everything
	for _, cells := range d.cells(w) {
		for i, x := range cells {
			cells[i] = plainCell(x)
		}
		_ = c.Write(append([]string{d.Plan, d.Visa}, cells...))
	}
	c.Flush()
	return b.String(), c.Error()
}

// plainCell keeps a spreadsheet from reading a text of the policy as a formula.
func plainCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// printer writes text for people. The first write error is kept.
type printer struct {
	w      io.Writer
	colour bool
	retype func(string) string // see [app.typed]; nil: texts stay
	err    error
}

func (a *app) printer() *printer { return a.printerTo(a.Out) }

func (a *app) printerTo(w io.Writer) *printer {
	return &printer{w: w, colour: a.colour(w), retype: a.typed}
}

// typed rewrites the commands in a text, so that they can be copied.
func (p *printer) typed(text string) string {
	if p.retype == nil {
		return text
	}
	return p.retype(text)
}

// line writes one line.
func (p *printer) line(format string, args ...any) {
	p.write(fmt.Sprintf(format, args...) + "\n")
}

func (p *printer) blank() { p.write("\n") }

func (p *printer) write(s string) {
	if p.err == nil {
		if _, err := io.WriteString(p.w, s); err != nil {
			p.err = fmt.Errorf("write the result: %w", err)
		}
	}
}

// Styles, as SGR codes; without colour they are left out.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (p *printer) paint(sgr, s string) string {
	if !p.colour || s == "" {
		return s
	}
	return "\x1b[" + sgr + "m" + s + "\x1b[0m"
}

func (p *printer) heading(format string, args ...any) {
	p.line("%s", p.paint(bold, fmt.Sprintf(format, args...)))
}

// fault writes one error with its place and its hint.
func (p *printer) fault(f *fault) {
	msg := f.Message
	if f.At != "" && !strings.HasPrefix(msg, f.At) {
		msg = f.At + ": " + msg
	}
	p.line("%s %s", p.paint(red, "error:"), msg)
	if f.Hint != "" {
		p.line("%s %s", p.paint(bold, "hint:"), f.Hint)
	}
}

// grid is a table for people: columns without any value may be left out.
type grid struct {
	cols []gridColumn
	rows [][]string
}

type gridColumn struct {
	title    string
	right    bool
	optional bool // left out where every cell is empty or 0
	wrap     int  // most characters on a line; 0: no end
}

func col(title string) gridColumn    { return gridColumn{title: title} }
func num(title string) gridColumn    { return gridColumn{title: title, right: true} }
func numOpt(title string) gridColumn { return gridColumn{title: title, right: true, optional: true} }
func colOpt(title string) gridColumn { return gridColumn{title: title, optional: true} }

func (g *grid) add(cells ...string) { g.rows = append(g.rows, cells) }

func (g *grid) used(i int) bool {
	if !g.cols[i].optional {
		return true
	}
	for _, r := range g.rows {
		if r[i] != "" && r[i] != "0" {
			return true
		}
	}
	return false
}

// wraps reports whether some cell takes several lines: then a rule parts the rows.
func (g *grid) wraps() bool {
	for _, r := range g.rows {
		for i, c := range g.cols {
			if c.wrap > 0 && utf8.RuneCountInString(r[i]) > c.wrap {
				return true
			}
		}
	}
	return false
}

// grid writes the table, aligned, with a rule under its header.
func (p *printer) grid(g *grid) {
	t := table.NewWriter()
	style := plainStyle()
	style.Options.SeparateRows = g.wraps()
	t.SetStyle(style)
	var use []int
	var header table.Row
	var configs []table.ColumnConfig
	for i, c := range g.cols {
		if !g.used(i) {
			continue
		}
		use = append(use, i)
		header = append(header, p.paint(bold, c.title))
		configs = append(configs, table.ColumnConfig{Number: len(use), Align: align(c), AlignHeader: align(c), WidthMax: c.wrap, WidthMaxEnforcer: text.WrapSoft})
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(configs)
	for _, r := range g.rows {
		var row table.Row
		for _, i := range use {
			row = append(row, r[i])
		}
		t.AppendRow(row)
	}
	for _, l := range strings.Split(t.Render(), "\n") {
		p.line("%s", strings.TrimRight(l, " "))
	}
}

func align(c gridColumn) text.Align {
	if c.right {
		return text.AlignRight
	}
	return text.AlignLeft
}

func plainStyle() table.Style {
	box := table.StyleBoxLight
	box.PaddingLeft, box.PaddingRight = "", "  "
	return table.Style{
		Name: "plain", Box: box,
		Options: table.Options{SeparateHeader: true},
	}
}

// lineWidth is the most columns that wrapped text takes.
const lineWidth = 150

// wrapped writes a list after its head, on further lines where it is long.
func (p *printer) wrapped(head string, items []string) {
	line := head
	for i, item := range items {
		if i < len(items)-1 {
			item += ","
		}
		if line != head && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(item) > lineWidth {
			p.line("%s", strings.TrimRight(line, " "))
			line = "      "
			head = line
		}
		line += item
		if i < len(items)-1 {
			line += " "
		}
	}
	p.line("%s", line)
}

// count writes a number with thin groups of three: 1,234,567.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// rowsOf writes "1 row" or "2,000 rows".
func rowsOf(n int64) string { return plural(n, "row", "rows") }

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// day writes an instant as its local date, with the time where it is not the
// start of a day.
func day(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	l := t.In(zone)
	if l.Hour() == 0 && l.Minute() == 0 && l.Second() == 0 {
		return l.Format("2006-01-02")
	}
	return l.Format("2006-01-02 15:04 MST")
}

// oldest writes the oldest clock of n due rows: n/a where it is not known.
func oldest(t *time.Time, n int64, zone *time.Location) string {
	if n > 0 && t == nil {
		return "n/a"
	}
	return dateOf(t, zone)
}

// dateOf writes an instant as its local date only.
func dateOf(t *time.Time, zone *time.Location) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.In(zone).Format("2006-01-02")
}

// instant writes a time to the minute, in UTC.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

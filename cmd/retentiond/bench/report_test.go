package bench

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

type table struct {
	title  string
	rounds int
	rows   []row
	notes  []string
}

type row struct {
	name         string
	ratio, reach float64
	effort
}

// add prints the table at once: whoever stops a long bench has seen what was done.
func add(t *table) { fmt.Println(t) }

// String is the table as people read it; a dash is a figure that a way does not
// have.
func (t *table) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n%s (%d rounds)\n", t.title, t.rounds)
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	if len(t.rows) > 0 {
		fmt.Fprintln(w, "way\tours ÷ it\tto reach\trows/s\trows\tseconds\tcommand\tbatch p99\tlog MiB\tpeak MiB\tCPU s\t")
	}
	for _, r := range t.rows {
		extrapolated := ""
		if r.part {
			extrapolated = "~"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s%.0f\t%d\t%.2f\t%s\t%s\t%s\t%s\t%s\t\n", r.name, number(r.ratio, "%.2f"), goal(r.ratio, r.reach), extrapolated, r.rate(), r.rows, r.took.Seconds(),
			number(r.whole.Seconds(), "%.2f"), span(r.p99), number(float64(r.log)/(1<<20), "%.0f"), number(float64(r.peak)/(1<<20), "%.0f"), number(r.cpu.Seconds(), "%.2f"))
	}
	_ = w.Flush() // to memory
	for _, n := range t.notes {
		fmt.Fprintln(&out, "  "+n)
	}
	return out.String()
}

func number(f float64, form string) string {
	if f == 0 {
		return "-"
	}
	return fmt.Sprintf(form, f)
}

func span(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return d.Round(100 * time.Microsecond).String()
}

func goal(ratio, reach float64) string {
	switch {
	case reach == 0:
		return "-"
	case ratio >= reach:
		return fmt.Sprintf("≥ %.2f", reach)
	}
	return fmt.Sprintf("≥ %.2f: BELOW", reach)
}

// metric is a name as `go test -bench` wants it: without spaces.
func metric(name string) string { return "×" + strings.ReplaceAll(name, " ", "_") }

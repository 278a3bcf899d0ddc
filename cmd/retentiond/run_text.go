package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// reportView makes a report ready for JSON: its lists are never null.
func reportView(r retention.RunReport) retention.RunReport {
	r.Steps, r.Refusals = list(r.Steps), list(r.Refusals)
	return r
}

// reportText writes what a run did for people.
type reportText struct {
	*app
	*printer
	house  *house
	report retention.RunReport
	past   bool // an earlier run: the log has gone on since
}

func (t reportText) write() {
	r := t.report
	t.heading("Run %s, as of %s", r.Run, instant(r.AsOf))
	if len(r.Steps) > 0 {
		t.blank()
	}
	t.steps()
	for _, s := range r.Steps {
		t.notes(s)
	}
	t.residuals()
	if len(r.Refusals) > 0 {
		t.blank()
		t.heading("Refused")
		writeRefusals(t.printer, r.Refusals)
		t.approveLine()
	}
	t.blank()
	t.line("%s", t.verdict())
	if s := t.house.logLine(); s != "" && !t.past {
		t.line("%s", s)
	}
}

func (t reportText) steps() {
	g := &grid{cols: []gridColumn{col("policy"), col("rule"), col("table"), col("action"), num("planned"), num("done"), numOpt("held"),
		numOpt("protected"), numOpt("blocked"), numOpt("changed"), numOpt("gone"), numOpt("failed"), numOpt("not reached"), numOpt("unplanned"), num("batches"), num("time")}}
	idle := 0
	for _, s := range t.report.Steps {
		if s.Planned == 0 && s.Unplanned == 0 && s.Error == "" {
			idle++
			continue
		}
		x := s.Spared
		g.add(s.Policy, ruleName(s.Rule, s.Stage, s.Stage > 1), s.Table, string(s.Action), count(s.Planned), t.paint(bold, count(s.Done)), count(x.Held),
			count(x.Protected), count(x.Blocked), count(x.Changed), count(x.Gone), count(x.Failed), count(x.NotReached), count(s.Unplanned), count(s.Batches), seconds(s.Seconds))
	}
	if len(g.rows) > 0 {
		t.grid(g)
	}
	if g.used(10) {
		t.line("  %s", t.paint(dim, "gone: no longer there: deleted with their parent, by an earlier attempt, or by the application"))
	}
	if idle > 0 {
		t.line("  %s nothing due; `plan` says why.", plural(int64(idle), "step had", "steps had"))
	}
}

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(10 * time.Millisecond).String()
}

// notes says of a step what its counts do not: children, what came too late
// for the plan, errors.
func (t reportText) notes(s retention.StepReport) {
	name := s.Policy + "/" + ruleName(s.Rule, s.Stage, s.Stage > 1)
	var with []string
	for _, table := range slices.Sorted(maps.Keys(s.Children)) {
		if n := s.Children[table]; n > 0 {
			with = append(with, ofChildren(n, table))
		}
	}
	if len(with) > 0 {
		t.note(name, "with %s", strings.Join(with, ", "))
	}
	if s.Dropped > 0 {
		t.note(name, "%s dropped as a whole", plural(s.Dropped, "partition was", "partitions were"))
	}
	if s.Unplanned > 0 {
		t.note(name, "%s qualified only since the plan was made: left for the next one", rowsOf(s.Unplanned))
	}
	switch n := s.Spared.NotReached; {
	case n > 0 && strings.HasPrefix(s.Error, "stopped before"):
		t.note(name, "stopped: %s not reached", wasWere(n))
	case s.Error != "":
		t.note(name, "%s", t.paint(red, t.printer.typed(inWords(s.Error))))
	}
}

// ofChildren is so many of what went along with rows: of a table, or files.
func ofChildren(n int64, of string) string {
	if files, ok := strings.CutPrefix(of, "files "); ok {
		return plural(n, "file", "files") + " of " + files
	}
	return rowsOf(n) + " of " + of
}

// residuals names, once a source, the copies that outlive what was done, and
// the day from which it is irreversibly gone.
func (t reportText) residuals() {
	copies, gone := map[string][]string{}, map[string]string{}
	for _, s := range t.report.Steps {
		if s.Done == 0 {
			continue
		}
		for _, r := range s.Residuals {
			if !slices.Contains(copies[s.Source], r) {
				copies[s.Source] = append(copies[s.Source], r)
			}
		}
		gone[s.Source] = max(gone[s.Source], s.GoneBy)
	}
	if len(copies) > 0 {
		t.blank()
		t.heading("Copies that remain")
	}
	same := map[string][]string{} // sources that say the same, together
	for _, source := range slices.Sorted(maps.Keys(copies)) {
		text := strings.Join(copies[source], "; ") + "\n" + gone[source]
		same[text] = append(same[text], source)
	}
	for _, text := range slices.Sorted(maps.Keys(same)) {
		what, until, _ := strings.Cut(text, "\n")
		t.line("  %s", t.paint(dim, strings.Join(same[text], ", ")+":"))
		for _, c := range strings.Split(what, "; ") {
			t.line("      %s", c)
		}
		if until != "" {
			t.line("      irreversibly gone from %s on", until)
		}
	}
}

func (t reportText) note(name, format string, args ...any) {
	t.line("  %s %s", t.paint(dim, name+":"), fmt.Sprintf(format, args...))
}

func (t reportText) approveLine() {
	if slices.ContainsFunc(t.report.Refusals, func(r retention.Refusal) bool { return r.Approvable }) {
		t.line("  Look first, then approve:  %s   then   %s", t.retry("plan"), t.retry(`approve PLAN --by NAME --reason "…"`))
	}
}

// verdict is the report's verdict in a sentence.
func (t reportText) verdict() string {
	var done, spared, missed int64
	for _, s := range t.report.Steps {
		done += s.Done
		spared += s.Spared.Sum() - s.Spared.NotReached
		missed += s.Spared.NotReached
	}
	what := fmt.Sprintf("%s done, %s spared.", rowsOf(done), count(spared))
	if missed > 0 {
		what = fmt.Sprintf("%s done, %s spared, %s not reached.", rowsOf(done), count(spared), count(missed))
	}
	switch {
	case t.report.Interrupted:
		return t.paint(yellow, "Interrupted.") + " Stopped between batches: " + what + " What was committed is audited; run again to go on."
	case t.report.Verdict == retention.VerdictOK:
		return t.paint(green, "OK.") + " " + what
	case t.report.Verdict == retention.VerdictPartial:
		return t.paint(yellow, "Partial.") + " " + what + t.partly()
	case t.report.Verdict == retention.VerdictRefused && done > 0:
		return t.paint(red, "Refused.") + " Stopped between batches: " + what + " What was committed is audited."
	case t.report.Verdict == retention.VerdictRefused:
		return t.paint(red, "Refused.") + " Every step that had something to do was refused; nothing was changed."
	}
	return t.paint(red, "Failed.") + " " + what + " The errors are above; each intent is settled by the next run."
}

// partly says what a partial report leaves open.
func (t reportText) partly() string {
	if len(t.report.Steps)+len(t.report.Refusals) == 1 {
		return " The step did not do everything that it should have: see above."
	}
	return " Some step failed or was refused, another was not."
}

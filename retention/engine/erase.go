package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/calendar"
	"go.uber.org/zap"
)

// erasure is one thing to do in a source once rows are gone; it is done once a
// run, whatever the number of rules that ask for it.
type erasure struct {
	source string
	level  retention.Erase
}

// erased is for whom: the tables, and the reports that tell of it.
type erased struct {
	tables []retention.TableName
	steps  []int // indexes into the report's steps
	policy *retention.Policy
}

// emptied remembers that the last reported step took rows, or that a run before
// it did and died.
func (w *work) emptied(sw *stepWork, unerased bool) {
	if sw.source == nil || sw.bound.Sealed || sw.report.Done == 0 && !unerased {
		return
	}
	e := w.erasure(sw.step.Source, sw.bound.Dataset.Erase, sw.bound.Policy)
	e.tables = append(e.tables, sw.bound.Tables...)
	e.steps = append(e.steps, len(w.report.Steps)-1)
}

// emptiedFiles remembers that files went, whose rows the reported step took.
func (w *work) emptiedFiles(source string, step int) {
	name := w.report.Steps[step].Policy
	i := slices.IndexFunc(w.Policies, func(p *retention.Policy) bool { return p.Name == name })
	if i < 0 {
		return
	}
	e := w.erasure(source, retention.EraseLogical, w.Policies[i])
	if !slices.Contains(e.steps, step) {
		e.steps = append(e.steps, step)
	}
}

// erasure is the one of a source and a level.
func (w *work) erasure(source string, level retention.Erase, p *retention.Policy) *erased {
	if w.erase == nil {
		w.erase = map[erasure]*erased{}
	}
	k := erasure{source, level}
	if w.erase[k] == nil {
		w.erase[k] = &erased{policy: p}
	}
	return w.erase[k]
}

// unerased reports whether a run died since the step last ended well: it may have
// taken rows, and erased nothing. Where that cannot be read, erasing again harms
// nothing.
func (sw *stepWork) unerased(ctx context.Context) bool {
	if l := sw.bound.Dataset.Erase; l == "" || l == retention.EraseLogical {
		return false
	}
	const far = 100
	runs, err := sw.Store.ListRuns(ctx, "", far)
	if err != nil {
		return true
	}
	alive, err := sw.Store.Leases(ctx)
	for _, r := range runs {
		switch {
		case slices.ContainsFunc(alive, func(l retention.Lease) bool { return l.Attempt == r.Attempt }): // at work, on other rules
		case r.Report == nil:
			return true
		case r.Report.Ends(sw.report):
			return false
		}
	}
	return err != nil
}

// erases does in the engines what the datasets ask once rows are gone, and names
// the copies that remain.
func (w *work) erases(ctx context.Context) {
	keys := make([]erasure, 0, len(w.erase))
	for k := range w.erase {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		return keys[i].source < keys[j].source || keys[i].source == keys[j].source && keys[i].level < keys[j].level
	})
	var owned []ownedCopies
	for _, k := range keys {
		e := w.erase[k]
		names, stays, cut := w.residuals(ctx, k, e)
		backups, until := w.backups(k.source, e.policy)
		for _, i := range e.steps {
			s := &w.report.Steps[i]
			if stays {
				until = ""
			}
			if s.Source != k.source {
				owned = append(owned, ownedCopies{s, k.source, slices.Concat(names, []string{backups}), until})
				continue
			}
			s.Residuals = append(append(droppedFiles(s), names...), backups)
			s.Unerased, s.GoneBy = cut, until
		}
	}
	for _, o := range owned {
		o.tell()
	}
}

// ownedCopies are what is left of files, and until when, whose rows a step took.
type ownedCopies struct {
	step   *retention.StepReport
	source string
	copies []string
	until  string
}

// tell adds them to the step: what it took is gone once both are.
func (o ownedCopies) tell() {
	for _, what := range o.copies {
		o.step.Residuals = append(o.step.Residuals, fmt.Sprintf("files in %s: %s", o.source, what))
	}
	if o.until == "" || o.step.GoneBy == "" {
		o.step.GoneBy = ""
		return
	}
	o.step.GoneBy = max(o.step.GoneBy, o.until)
}

// droppedFiles says what is left of partitions that were dropped: their files are
// gone, and what these held on the disk is not written over at once.
func droppedFiles(s *retention.StepReport) []string {
	if s.Dropped == 0 {
		return []string{}
	}
	return []string{fmt.Sprintf("disk blocks of the files of %d dropped partitions of %s, until they are written over", s.Dropped, s.Table)}
}

// residuals erases, and names what is left. A stop request, and in an unattended
// run the end of the source's window, cut it short: the next run does it again.
func (w *work) residuals(ctx context.Context, k erasure, e *erased) (names []string, stays, cut bool) {
	ctx, done := context.WithCancel(ctx)
	defer done()
	defer context.AfterFunc(w.stop, done)()
	src, err := w.source(ctx, k.source)
	var left []retention.Residual
	switch at := w.opensAt(k.source, e.policy, w.now()); {
	case err != nil || k.level == retention.EraseLogical || k.level == "":
	case w.stop.Err() != nil:
		err = errors.New("a stop was asked for")
	case w.req.Unattended && at.After(w.now()):
		w.resumes(at)
		err, cut = fmt.Errorf("the source's window is closed until %s", stamp(at)), true
	}
	if err == nil {
		left, err = src.Erase(ctx, e.tables, k.level)
	}
	if err != nil {
		cut = cut || w.stop.Err() != nil
		w.Log.Warn("erase did not finish", zap.String("source", k.source), zap.Error(err))
		left = append(left, retention.Residual{What: fmt.Sprintf("erase: %s did not finish: %v", k.level, err), Stays: true})
	}
	for _, r := range left {
		names = append(names, r.What)
		stays = stays || r.Stays
	}
	return names, stays, cut
}

// backups names the source's backups, and the day from which the last of them
// that holds the data is gone; empty where that is not declared.
func (w *work) backups(source string, p *retention.Policy) (what, until string) {
	declared := w.Sources[source].Backups
	if declared == "" {
		return "backups: how long they are kept is not declared (backups: in the configuration)", ""
	}
	period, err := calendar.ParsePeriod(declared)
	if err != nil { // the configuration was checked when it was loaded
		return "backups: " + err.Error(), ""
	}
	_, at := calendar.Due(w.report.Started, period, p.Zone, calendar.Round{})
	return "backups, for " + declared, calendar.DateOf(at, p.Zone).String()
}

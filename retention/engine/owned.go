package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/retentiond/retentiond/retention"
	"go.uber.org/zap"
)

// A row's files go after it. While its batch is open, their names are written down
// beside the files' own gate; once it is known that the rows are gone, and before
// that is audited, the names are made ready; each run removes what is ready, under
// intents of their own, until it is gone. So the files of a row that went are never
// forgotten, and those of a row that stayed are never touched, whoever dies when.

// owner is the source of files that rows own.
func (e *Engine) owner(ctx context.Context, name string) (retention.FileOwner, error) {
	src, err := e.source(ctx, name)
	if err != nil {
		return nil, err
	}
	o, ok := src.(retention.FileOwner)
	if !ok {
		return nil, fmt.Errorf("source %q keeps no files that rows own", name)
	}
	return o, nil
}

// owning is what a batch writes down of the files of each owner's rows: a part of its
// intent for each kind of files.
func (sw *stepWork) owning(in retention.Intent) func(ctx context.Context, o retention.Owner, rows []retention.OwnerRow) error {
	part := 0
	return func(ctx context.Context, o retention.Owner, rows []retention.OwnerRow) error {
		for _, row := range rows {
			if path := o.Astray(row.Values); path != "" { // tested before: it changed since
				return fmt.Errorf("files %q: a value leads out of their folder: nothing was done", path)
			}
		}
		for _, c := range o.Dataset.FileChildren {
			f := filesOf(o, c, rows)
			if len(f.Files) == 0 {
				continue
			}
			src, err := sw.owner(ctx, c.Source)
			if err != nil {
				return err
			}
			f.Intent, f.Part, f.Policy, f.Rule, f.Stage = in.ID, part, in.Policy, in.Rule, in.Stage
			part++
			if err := src.Note(ctx, f); err != nil {
				return fmt.Errorf("source %q: %w", c.Source, err)
			}
		}
		return nil
	}
}

// filesOf are the files of one kind that rows name.
func filesOf(o retention.Owner, c retention.FileChild, rows []retention.OwnerRow) retention.OwnedFiles {
	col := c.Columns()[0]
	f := retention.OwnedFiles{
		Dataset: o.Policy.Name + "/" + o.Dataset.Name, Table: c.Path, Datasets: o.Datasets, Tables: tablesOf(o.Reach, nil),
		From: retention.FileRow{Source: o.Dataset.Source, Table: o.Table, On: retention.Pair{Theirs: col}, Column: col},
	}
	for _, row := range rows {
		value := o.Values(row.Values)
		if path, ok := c.Of(value); ok {
			f.Files = append(f.Files, retention.OwnedFile{Path: []byte(path), Named: *value[col], About: about(o.Dataset, value, row.About)})
		}
	}
	return f
}

// tablesOf adds the tables by which holds find rows, without their schemas.
func tablesOf(r *retention.Reach, to []string) []string {
	if r == nil {
		return to
	}
	if !slices.Contains(to, r.Table.Name) {
		to = append(to, r.Table.Name)
	}
	for _, p := range r.Parents {
		to = tablesOf(p.Reach, to)
	}
	return to
}

// about is whom the row's own columns, and others, tell.
func about(d *retention.Dataset, value map[string]*string, others map[string][]string) map[string][]string {
	out := map[string][]string{}
	for typ, ids := range others {
		out[typ] = slices.Clone(ids)
	}
	for _, s := range d.Subjects {
		for _, c := range s.Columns {
			if v := value[c]; v != nil {
				out[s.Type] = append(out[s.Type], *v)
			}
		}
	}
	return out
}

// confirm tells every source of files how a batch of rows ended, before that is
// audited: afterwards nobody would ask again.
func (e *Engine) confirm(ctx context.Context, intent string, gone bool) error {
	for _, name := range e.sourceNames() {
		if !e.Sources[name].keepsFiles() {
			continue
		}
		o, err := e.owner(ctx, name)
		if err == nil {
			err = o.Confirm(ctx, intent, gone)
		}
		if err != nil {
			return fmt.Errorf("%w: source %q has to know first: %w", retention.ErrUnsettled, name, err)
		}
	}
	return nil
}

// confirmed does so for the batches of a step whose rows own files; where a source
// does not take it, the intent stays open, and is settled later. Of a batch of children
// the row stays, and the files of child rows go.
func (sw *stepWork) confirmed(ctx context.Context, in retention.Intent, gone bool) error {
	if len(sw.act.Owns) == 0 {
		return nil
	}
	return sw.confirm(ctx, in.ID, gone)
}

// installOwners makes the gates of the files that a step's rows own: a hold passes
// them from then on.
func (w *work) installOwners(ctx context.Context, owners []retention.Owner) error {
	var all []retention.FileChild
	for _, o := range owners {
		all = append(all, o.Dataset.FileChildren...)
	}
	for _, c := range all {
		src, err := w.source(ctx, c.Source)
		if err != nil {
			return err
		}
		g, err := w.gate(ctx, c.Source, src)
		if err != nil {
			return err
		}
		if err := w.Store.RegisterSource(ctx, retention.SourceRecord{Name: c.Source, UUID: g.SourceUUID}); err != nil {
			return fmt.Errorf("registering source %q: %w", c.Source, err)
		}
	}
	return nil
}

// sweepOwned removes the files whose rows are gone. What does not go now goes with a
// later run, and stops none of the others (L13).
func (w *work) sweepOwned(ctx context.Context) {
	for _, name := range w.sourceNames() {
		if !w.Sources[name].keepsFiles() || w.over() {
			continue
		}
		o, err := w.owner(ctx, name)
		var noted []retention.OwnedFiles
		if err == nil {
			noted, err = o.Noted(ctx)
		}
		if err != nil {
			w.unswept(name, retention.OwnedFiles{}, err)
		}
		w.sweepNoted(ctx, name, o, noted)
		if len(noted) > 0 && !w.over() {
			if _, err := o.Noted(ctx); err != nil { // forgets what is gone
				w.Log.Warn("files of rows that are gone cannot be forgotten yet", zap.String("source", name), zap.Error(err))
			}
		}
	}
}

func (w *work) sweepNoted(ctx context.Context, name string, o retention.FileOwner, noted []retention.OwnedFiles) {
	odd := oddities{}
	for i := 0; i < len(noted) && !w.over(); i++ {
		err := w.unnamed(ctx, name, o, &noted[i], odd)
		if err == nil && len(noted[i].Files) > 0 {
			err = w.sweep(ctx, name, o, noted[i], i)
		}
		if err != nil {
			w.unswept(name, noted[i], err)
		}
		if r := (*retention.Refusal)(nil); errors.Is(err, retention.ErrUnsettled) || errors.As(err, &r) && r.Code == retention.RefuseSourceDown {
			return // no batch of this source can be done, or told of, now
		}
	}
}

// over is whether no batch may begin any more.
func (w *work) over() bool { return w.stop.Err() != nil || w.lost() != nil }

// unswept makes the run partial: a person has to look. One line tells of all files of
// a kind, and why the first of them are there.
func (w *work) unswept(source string, f retention.OwnedFiles, err error) {
	w.Log.Warn("files of rows that are gone are still there; the next run tries again", zap.String("source", source), zap.String("files", f.Table), zap.Error(err))
	s := retention.StepReport{
		Policy: f.Policy, Rule: f.Rule, Stage: f.Stage, Table: f.Table, Source: source, Action: retention.Delete,
		Error: "files of rows that are gone are still there: " + err.Error(),
	}
	locked(&w.mu, func() {
		for _, t := range w.report.Steps {
			if t.Policy == s.Policy && t.Rule == s.Rule && t.Stage == s.Stage && t.Table == s.Table && t.Source == source && t.Error != "" {
				return
			}
		}
		w.report.Steps = append(w.report.Steps, s)
	})
}

func (w *work) sweep(ctx context.Context, name string, o retention.FileOwner, f retention.OwnedFiles, n int) error {
	src, err := w.source(ctx, name)
	if err != nil {
		return err
	}
	srv, err := src.Server(ctx)
	if err != nil {
		return err
	}
	rec := retention.SourceRecord{Name: name, UUID: srv.Gate.SourceUUID}
	in := retention.Intent{
		ID: fmt.Sprintf("%s/files-%s/%d", w.report.Run, name, n+1), Run: w.report.Run, Attempt: w.lease.Attempt, Source: name, SourceUUID: rec.UUID,
		Policy: f.Policy, Rule: f.Rule, Stage: f.Stage, Action: retention.Delete, Table: f.Table, Planned: int64(len(f.Files)),
	}
	if in.At, err = w.Store.Now(ctx); err != nil {
		return err
	}
	if err := w.Store.Intend(ctx, in); err != nil {
		return fmt.Errorf("%w: no audit, no action: %w", retention.ErrUnsettled, err)
	}
	w.reach(retention.PointIntended)
	t := &retention.Table{Name: retention.TableName{Name: f.Table}}
	out, err := src.Apply(ctx, retention.Batch{
		Intent: in.ID, Selection: retention.Selection{Table: t, Schema: &retention.Schema{}}, Action: retention.Act{Kind: retention.Delete},
		AsOf: w.plan.AsOf, Outside: o.Outside(in.ID, f, w.namedNow(name)), Reached: w.Reached,
		Admit: func(ctx context.Context, g retention.Gate) (*retention.HoldSet, error) {
			return w.Store.Admit(ctx, rec, in.Attempt, g)
		},
		Seal: func(int64, []retention.Key) string { return "" },
	})
	if err != nil {
		if _, settling := w.settle(ctx, in); settling != nil {
			return fmt.Errorf("%w: %w (%w)", retention.ErrUnsettled, err, settling)
		}
		return err
	}
	if err := w.Store.Conclude(ctx, in.ID, out, false); err != nil {
		return fmt.Errorf("%w: %w", retention.ErrUnsettled, err)
	}
	w.reach(retention.PointConcluded)
	locked(&w.mu, func() { w.countOwned(name, f, out) })
	if n := out.Spared.Failed; n > 0 {
		return fmt.Errorf("%d of them are no plain files, or lie behind a link: it is not followed", n)
	}
	return nil
}

// countOwned adds the files to the step whose rows owned them, and those that stay, by
// why (L11).
func (w *work) countOwned(source string, f retention.OwnedFiles, out retention.Outcome) {
	at := slices.IndexFunc(w.report.Steps, func(s retention.StepReport) bool {
		return s.Policy == f.Policy && s.Rule == f.Rule && s.Stage == f.Stage && s.Children != nil
	})
	if at < 0 {
		at = len(w.report.Steps)
		w.report.Steps = append(w.report.Steps, retention.StepReport{
			Policy: f.Policy, Rule: f.Rule, Stage: f.Stage, Source: source, Table: f.Table, Action: retention.Delete, Children: map[string]int64{},
		})
	}
	children, name := w.report.Steps[at].Children, "files "+f.Table
	children[name] += out.Done
	if out.Done > 0 {
		w.emptiedFiles(source, at)
	}
	for why, n := range map[string]int64{
		"held": out.Spared.Held, "protected": out.Spared.Protected, "named by a row again": out.Spared.Blocked, "changed since their row went": out.Spared.Changed, "no plain files": out.Spared.Failed,
	} {
		if n > 0 {
			children[name+" that stay, "+why] += n
		}
	}
}

package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// waiting lists the files that are still there though their rows are gone, and what
// they wait for: nothing else tells of them (L11).
func (e *Engine) waiting(ctx context.Context) []InventoryItem {
	var out []InventoryItem
	for _, name := range e.sourceNames() {
		if !e.Sources[name].keepsFiles() {
			continue
		}
		o, err := e.owner(ctx, name)
		var all []retention.FilesWaiting
		if err == nil {
			all, err = o.Waiting(ctx, func(ctx context.Context) (*retention.HoldSet, error) { return e.heldAt(ctx, name) })
		}
		for _, f := range all {
			if n := f.Held + f.Changed + f.Odd + f.Ready; n > 0 {
				out = append(out, waitingItem(name, f, n))
			}
		}
		if err != nil {
			out = append(out, InventoryItem{Source: name, Because: "not counted", Error: "files of rows that are gone: " + err.Error(), NotCounted: true})
		}
	}
	return out
}

// heldAt are the holds that reach a source.
func (e *Engine) heldAt(ctx context.Context, name string) (*retention.HoldSet, error) {
	src, err := e.source(ctx, name)
	if err != nil {
		return nil, err
	}
	srv, err := src.Server(ctx)
	if err != nil {
		return nil, err
	}
	return e.Store.HoldSet(ctx, retention.SourceRecord{Name: name, UUID: srv.Gate.SourceUUID})
}

func waitingItem(source string, f retention.FilesWaiting, n int64) InventoryItem {
	var why []string
	for _, x := range []struct {
		n    int64
		text string
	}{
		{f.Held, "held"}, {f.Changed, "changed since their row went, and never touched"},
		{f.Odd, "no plain files, or behind a link"}, {f.Ready, "left to the next run, or named by another row"},
	} {
		if x.n > 0 {
			why = append(why, fmt.Sprintf("%d %s", x.n, x.text))
		}
	}
	_, dataset, _ := strings.Cut(f.Dataset, "/")
	return InventoryItem{
		Policy: f.Policy, Dataset: dataset, Rule: f.Rule, Stage: f.Stage, Source: source, Table: "files " + f.Table, Action: string(retention.Delete), Explained: true,
		Classes: retention.Classes{Total: n, Held: f.Held, Excluded: f.Changed, Blocked: f.Odd, Due: f.Ready},
		Because: fmt.Sprintf("files whose rows are gone: %s", strings.Join(why, ", ")),
	}
}

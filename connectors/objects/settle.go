package objects

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/retentiond/retentiond/retention"
)

// progressEnd ends the name of a batch's progress: a mark at the place of each object
// that was removed. What a process wrote outlives it, whoever kills it.
const progressEnd = ".done"

const removed = 'x'

// progress is that of a batch. A mark that cannot be written is not: what is gone from
// its own folder counts without.
type progress struct{ f *os.File }

func (j journal) progress(intent string) (progress, error) {
	f, err := os.OpenFile(j.file(intent)+progressEnd, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return progress{}, fmt.Errorf("journal: %w", err)
	}
	return progress{f}, nil
}

func (p progress) mark(i int) { _, _ = p.f.WriteAt([]byte{removed}, int64(i)) }

// marked are the objects, of n, that were removed.
func (j journal) marked(intent string, n int) ([]bool, error) {
	out := make([]bool, n)
	b, err := os.ReadFile(j.file(intent) + progressEnd)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("journal: %w", err)
	}
	for i := range min(n, len(b)) {
		out[i] = b[i] == removed
	}
	return out, nil
}

// tag names an intent in names of files.
func (j journal) tag(intent string) string { return filepath.Base(j.file(intent))[:12] }

// noteDown writes what will go into the journal, with where it lies. Durable on return.
func (e *engine) noteDown(ctx context.Context, h entry, of []Object) error {
	var err error
	if h.Place, err = e.place(ctx); err != nil {
		return err
	}
	dirs, err := e.folders(paths(of))
	if err != nil {
		return err
	}
	return e.journal.write(h, of, dirs)
}

// remove removes what is in the journal of the intent.
func (e *engine) remove(ctx context.Context, intent string, of []Object, ended func(i int, err error)) error {
	p, err := e.journal.progress(intent)
	if err != nil {
		return err
	}
	note := func(i int, err error) {
		if err == nil {
			p.mark(i)
		}
		ended(i, err)
	}
	if r, ok := e.tree.(Rooted); ok {
		err = r.RemoveAs(ctx, e.journal.tag(intent), of, note)
	} else {
		err = e.tree.Remove(ctx, of, note)
	}
	return errors.Join(err, p.f.Close())
}

func paths(of []Object) []string {
	out := make([]string, len(of))
	for i := range of {
		out[i] = of[i].Path
	}
	return out
}

// Settled is what a batch did whose receipt is missing. What is there is not done;
// what is not counts where the batch marked it, or, after a power cut, where its
// folder is the one that it was in. A tree in place of the one that the batch was at
// is asked nothing: the intent stays open, until a person adopts that tree; then what
// the batch marked counts.
func (e *engine) Settled(ctx context.Context, intent string) (retention.Receipt, error) {
	out := retention.Receipt{Intent: intent, State: retention.ReceiptAbandoned}
	h, of, dirs, ok, err := e.journal.read(intent)
	if err != nil || !ok {
		return out, err
	}
	elsewhere := e.samePlace(ctx, h)
	r, rooted := e.tree.(Rooted)
	if elsewhere != nil && !(rooted && retention.IsAdopting(ctx) && errors.Is(elsewhere, retention.ErrUnsettled)) {
		return out, elsewhere
	}
	if h.Action == retention.Redact {
		if elsewhere != nil { // in a tree that was put there since, nothing tells the files apart
			return out, nil
		}
		return e.settledRewrite(ctx, h, of)
	}
	if rooted {
		if err := r.PutBack(e.journal.tag(intent), of); err != nil {
			return out, err
		}
	}
	account := e.account
	if elsewhere != nil {
		account = e.accountMarks
	}
	done, left, err := account(ctx, intent, of, dirs)
	if err == nil && done == 0 && h.Action == retention.Archive {
		err = e.untouched(ctx, of, &h)
	}
	if err != nil || done == 0 && len(h.Segments) == 0 {
		return out, err
	}
	out.State, out.Rows, out.Spared, out.Segments = retention.ReceiptDone, done, h.Spared, h.Segments
	out.Spared.Add(left)
	if len(h.Segments) > 0 {
		out.Copied = left.Sum()
	}
	if done == int64(len(of)) {
		out.Digest = h.Digest
	}
	return out, nil
}

// untouched lets the segments of an archive go where each object is exactly what it was.
// Of one that is not, older versions may be gone already, or somebody put another in its
// place in the instant: what the archive has of it may be nowhere else (L9).
func (e *engine) untouched(ctx context.Context, of []Object, h *entry) error {
	same := 0
	err := e.tree.Look(ctx, paths(of), func(i int, o Object) {
		if o.Same(of[i]) {
			same++
		}
	})
	if err == nil && same == len(of) {
		h.Segments = nil
	}
	return err
}

func (e *engine) samePlace(ctx context.Context, h entry) error {
	now, err := e.place(ctx)
	if _, ok := e.tree.(Owned); ok && err == nil && now == "" && h.Place != "" {
		return fmt.Errorf("%w: %s is not, or no longer, bound to its gate: is it the place that the batch was at? If so, put its object .retentiond-gate back, with the text %s", retention.ErrUnsettled, e.tree.Name(), h.Place)
	}
	if err == nil && now != h.Place {
		err = fmt.Errorf("%w: %s is not the place that the batch was at: mount it, or put it back", retention.ErrUnsettled, e.tree.Name())
	}
	return err
}

// accountMarks counts what a batch marked, and nothing else: the tree that it was at is
// gone.
func (e *engine) accountMarks(_ context.Context, intent string, of []Object, _ []string) (done int64, left retention.Spared, err error) {
	marked, err := e.journal.marked(intent, len(of))
	for _, m := range marked {
		if m {
			done++
		} else {
			left.Failed++
		}
	}
	return done, left, err
}

// account counts what a batch removed, and what else became of its objects.
func (e *engine) account(ctx context.Context, intent string, of []Object, dirs []string) (done int64, left retention.Spared, err error) {
	marked, err := e.journal.marked(intent, len(of))
	if err != nil {
		return 0, left, err
	}
	now := make([]Object, len(of))
	if err := e.tree.Look(ctx, paths(of), func(i int, o Object) { now[i] = o }); err != nil {
		return 0, left, err
	}
	where := dirs
	if slices.Contains(marked, false) {
		if where, err = e.folders(paths(of)); err != nil {
			return 0, left, err
		}
	}
	for i, o := range now {
		switch {
		case o.Path != "" && o.Same(of[i]), errors.Is(e.fate(of[i], o), ErrRemains):
			left.Failed++
		case marked[i], o.Path == "" && where[i] == dirs[i], o.Path != "" && e.fate(of[i], o) == nil:
			done++
		case o.Path != "":
			left.Changed++
		default:
			left.Gone++
		}
	}
	return done, left, nil
}

// fate is what became of an object that was to go, from what its name has now.
func (e *engine) fate(was, now Object) error {
	v, ok := e.tree.(Versioned)
	switch {
	case ok:
		return v.Fate(was, now)
	case now.Path != "":
		return ErrChanged
	}
	return nil
}

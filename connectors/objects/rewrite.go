package objects

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// mostRewritten is how many bytes of files one batch writes anew, where they are more
// than one.
const mostRewritten = 64 << 20

// rewrite gives the due files their new form. What they are is in the journal, durable,
// before the first is touched, and what each becomes before it takes its place.
func (e *engine) rewrite(ctx context.Context, q sqlwork.Session, s *set, b *retention.Batch, due []retention.Key, so retention.Outcome) (done []retention.Key, left retention.Spared, err error) {
	tree, ok := e.tree.(Rewriter)
	if !ok || len(b.Action.Changes) != 1 || b.Action.Changes[0].Func != retention.MaskIP {
		return nil, left, fmt.Errorf("files %s: they cannot be redacted on this system", s.name)
	}
	of, err := e.objects(ctx, q, s, due)
	if err != nil {
		return nil, left, err
	}
	if err := e.noteDown(ctx, entry{Intent: b.Intent, Action: retention.Redact, Digest: b.Seal(int64(len(of)), due), Spared: so.Spared}, of); err != nil {
		return nil, left, err
	}
	b.Reach(retention.PointJournalled)
	p, err := e.journal.progress(b.Intent)
	if err != nil {
		return nil, left, err
	}
	change, now, failed := b.Action.Changes[0], []Object{}, causes{}
	way, end := sqlwork.GivingWay(context.WithoutCancel(ctx), b)
	defer end()
	err = tree.Rewrite(context.WithoutCancel(ctx), e.journal.tag(b.Intent), of, yielding{mask{change.Bits[0], change.Bits[1]}, way},
		p.soon, func(i int, o Object, told Rewritten, err error) {
			if err == nil {
				done, now = append(done, retention.Key{of[i].Path}), append(now, o)
				e.left.Add(told.Left)
			} else {
				spareOne(&left, &failed, err)
			}
			if i == len(of)/2 {
				b.Reach(retention.PointRemoving)
			}
		})
	if err = errors.Join(err, p.f.Close()); err == nil {
		err = e.remember(ctx, q, s, retention.ContentForm(change), now)
	}
	failed.tell(b, "files could not be redacted")
	return done, left, errors.Join(err, yielded(b, len(done), left))
}

// yielded is an error where a hold came to wait before anything was done: the batch is
// tried again. Otherwise the next run does what is left.
func yielded(b *retention.Batch, done int, left retention.Spared) error {
	if left.NotReached > 0 && done == 0 {
		return fmt.Errorf("batch %s: %w", b.Intent, retention.ErrGaveWay)
	}
	b.Tell(left.NotReached, "files were not reached, since a hold waited to pass: the next run takes them up")
	return nil
}

// objects are the due files, as they were looked at.
func (e *engine) objects(ctx context.Context, q sqlwork.Session, s *set, due []retention.Key) ([]Object, error) {
	list, err := e.listed(ctx, q, s, due)
	if err != nil {
		return nil, err
	}
	if len(list) != len(due) {
		return nil, fmt.Errorf("files %s: %d of %d files are in the listing", s.name, len(list), len(due))
	}
	of, by := make([]Object, len(list)), map[string]Object{}
	for i := range list {
		of[i] = list[i].Object
		by[of[i].Path] = of[i]
	}
	return of, fitting(s.name, due, by, mostRewritten)
}

// spareOne counts a file that was left.
func spareOne(left *retention.Spared, failed *causes, err error) {
	switch {
	case errors.Is(err, ErrGone):
		left.Gone++
	case errors.Is(err, retention.ErrGaveWay):
		left.NotReached++
	case errors.Is(err, ErrChanged):
		left.Changed++
	default:
		left.Failed++
		failed.add(err)
	}
}

// nextSize is the room that one file has in a batch's progress.
const nextSize = 128

// soon writes down what a file becomes, durably.
func (p progress) soon(i int, next Object) error {
	text := fmt.Sprintf("%s %d %d %d .", next.ID, next.Size, next.Nanos, next.Far)
	_, err := p.f.WriteAt([]byte(text+strings.Repeat(" ", max(0, nextSize-len(text)))), int64(i)*nextSize)
	if err == nil {
		err = p.f.Sync()
	}
	return err
}

// soon are the files that were to take the places of those of a batch.
func (j journal) soon(intent string, of []Object) ([]Object, error) {
	next := make([]Object, len(of))
	b, err := os.ReadFile(j.file(intent) + progressEnd)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("journal: %w", err)
	}
	for i := range next {
		if len(b) < (i+1)*nextSize {
			break
		}
		var end string
		var o Object
		if n, _ := fmt.Sscanf(string(b[i*nextSize:(i+1)*nextSize]), "%s %d %d %d %s", &o.ID, &o.Size, &o.Nanos, &o.Far, &end); n == 5 && end == "." {
			o.Path = of[i].Path
			next[i] = o
		}
	}
	return next, nil
}

// settledRewrite is what a batch did whose receipt is missing: the files that have
// their new form, and of which nothing is left beside them.
func (e *engine) settledRewrite(ctx context.Context, h entry, of []Object) (retention.Receipt, error) {
	out := retention.Receipt{Intent: h.Intent, State: retention.ReceiptAbandoned}
	tree, ok := e.tree.(Rewriter)
	if !ok {
		return out, fmt.Errorf("%w: files that were being redacted can be settled on Linux only", retention.ErrUnsettled)
	}
	next, err := e.journal.soon(h.Intent, of)
	if err != nil {
		return out, err
	}
	done, err := tree.Undo(ctx, e.journal.tag(h.Intent), of, next)
	if err != nil {
		return out, err
	}
	now, left := make([]Object, len(of)), retention.Spared{}
	if err := e.tree.Look(ctx, paths(of), func(i int, o Object) { now[i] = o }); err != nil {
		return out, err
	}
	for i, o := range now {
		switch {
		case done[i]:
			out.Rows++
		case o.Path == "":
			left.Gone++
		case o.Same(of[i]):
			left.Failed++
		default:
			left.Changed++
		}
	}
	if out.Rows == 0 {
		return out, nil
	}
	out.State, out.Spared = retention.ReceiptDone, h.Spared
	out.Spared.Add(left)
	if out.Rows == int64(len(of)) {
		out.Digest = h.Digest
	}
	return out, nil
}

// unmasked tells of lines that are as they were.
func (e *engine) unmasked() []retention.Residual {
	if n := e.left.Swap(0); n > 0 {
		return []retention.Residual{{What: fmt.Sprintf("%d lines of redacted files were not understood (zero bytes, more than 1 MiB, or addresses written as \\u00..) and are as they were", n), Stays: true}}
	}
	return nil
}

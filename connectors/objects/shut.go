package objects

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/retentiond/retentiond/retention"
)

// shutAdvice tells of objects that a rule is to archive and that cannot be read: the
// first of each set is tried. A tree that is a [Prober] is asked otherwise.
func (s *Source) shutAdvice(ctx context.Context, needs []retention.Need) (out []retention.Advice, err error) {
	from, ok := s.e.tree.(Opener)
	if _, probes := s.e.tree.(Prober); !ok || probes {
		return nil, nil
	}
	for _, n := range needs {
		if !n.Content || n.Missing {
			continue
		}
		paths, err := s.after(ctx, n.Table, "")
		if err != nil {
			return nil, fmt.Errorf("files %s: %w", n.Table, err)
		}
		if len(paths) == 0 {
			continue
		}
		var why *Why
		err = s.tries(ctx, from, paths[0])
		switch {
		case errors.As(err, &why):
			out = append(out, retention.Advice{Error: !errors.Is(err, ErrUnanswered), Code: retention.AdvicePrivilegeMissing,
				Message: fmt.Sprintf("%s: the first object of %q cannot be read, and is to be archived: %s", s.e.tree.Name(), n.Table.Name, why.Text),
				Hint:    "what cannot be read stays, and is told as failed in each run"})
		case err != nil && !errors.Is(err, ErrGone) && !errors.Is(err, ErrChanged):
			return nil, fmt.Errorf("files %s: %w", n.Table, err)
		}
	}
	return out, nil
}

// tries opens the newest content of what is at the path, and closes it.
func (s *Source) tries(ctx context.Context, from Opener, path string) error {
	var o Object
	if err := s.e.tree.Look(ctx, []string{path}, func(_ int, now Object) { o = plainly(now) }); err != nil || o.Path == "" {
		return err
	}
	next := from.Open(ctx, o)
	for {
		_, r, err := next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case r != nil:
			return r.Close()
		}
	}
}

package objects

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlite"
	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Source is an open tree. It implements [retention.Source]; its methods may be
// called by several goroutines.
type Source struct {
	*sqlwork.Source
	e *engine
}

var (
	_ retention.Source  = (*Source)(nil)
	_ retention.Lister  = (*Source)(nil)
	_ retention.Advisor = (*Source)(nil)
	_ retention.Remote  = (*Source)(nil)
	_ retention.Apart   = (*Source)(nil)
)

// Open makes a source of a tree. Its gate file, its receipts and its journal are in
// the folder dir, which is made when the gate is installed.
func Open(ctx context.Context, t Tree, dir string) (*Source, error) {
	gate := filepath.Join(dir, "gate.db")
	e := &engine{tree: t, journal: journal{filepath.Join(dir, "journal")}}
	var err error
	if e.line, err = newLine(ctx, gate); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	if e.own, err = newLine(ctx, gate); err != nil {
		return nil, errors.Join(err, e.line.close(), t.Close())
	}
	return &Source{sqlwork.New(e), e}, nil
}

// Declare says what datasets ask for. Files are listed when they are described.
func (s *Source) Declare(files []retention.Files, rows func(ctx context.Context, source string) (retention.RowReader, error)) error {
	var every []retention.FileColumn
	if _, ok := s.e.tree.(Labeller); ok {
		every = append(every, retention.FileColumn{Name: retention.FileLocked, Locked: true})
	}
	all, err := newSets(files, every...)
	if err != nil {
		return fmt.Errorf("%s: %w", s.e.tree.Name(), err)
	}
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	for _, d := range all { // until they are listed again, what was found of them holds
		if had := s.e.declared.find(d.name); had != nil {
			d.unsafe, d.odd, d.files, d.lost = had.unsafe, had.odd, had.files, had.lost
		}
	}
	s.e.declared, s.e.rows = all, rows
	return nil
}

// Describe lists the tree, where a table of it is asked for.
func (s *Source) Describe(ctx context.Context, tables []retention.TableName) (*retention.Schema, error) {
	s.e.mu.Lock()
	all, rows := s.e.declared, s.e.rows
	s.e.mu.Unlock()
	if slices.ContainsFunc(tables, func(n retention.TableName) bool { return all.find(n) != nil }) {
		if err := s.e.listOnce(ctx, all, rows); err != nil {
			return nil, err
		}
	}
	return s.e.Describe(ctx, nil, tables)
}

// Apply does a batch; see [sqlwork.Source]. Its journal is dropped once the receipt
// is durable.
func (s *Source) Apply(ctx context.Context, b retention.Batch) (retention.Outcome, error) {
	out, err := s.Source.Apply(ctx, b)
	if err == nil {
		_ = s.e.journal.drop(b.Intent) // what stays is dropped when the receipt is pruned
	}
	return out, err
}

// Settle ends an intent; what its batch removed all the same counts as done.
func (s *Source) Settle(ctx context.Context, intent string, open func(context.Context) error) (retention.Receipt, error) {
	r, err := s.Source.Settle(ctx, intent, open)
	if err == nil {
		_ = s.e.journal.drop(intent)
	}
	return r, err
}

// Prune drops receipts, and what is left of their journals.
func (s *Source) Prune(ctx context.Context, intents []string) error {
	if err := s.Source.Prune(ctx, intents); err != nil {
		return err
	}
	for _, intent := range intents {
		if err := s.e.journal.drop(intent); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	return nil
}

// Server is this machine's clock, and the gate.
func (s *Source) Server(ctx context.Context) (out retention.Server, err error) {
	err = s.e.Look(sqlwork.AtSource(ctx), func(q sqlwork.Session) error {
		var now string
		if err := q.GetContext(ctx, &now, "SELECT "+sqlite.NowSQL); err != nil {
			return err
		}
		if out.Now, err = time.Parse(time.RFC3339Nano, now); err != nil {
			return fmt.Errorf("clock %q: %w", now, err)
		}
		if out.Gate, err = s.ReadGate(ctx, q); err == nil {
			err = s.e.names(ctx, &out.Gate)
		}
		return err
	})
	if err == nil {
		out.Bound, err = s.e.claimed(ctx)
	}
	out.Name = s.e.tree.Name()
	if out.Identity = out.Gate.SourceUUID; !out.Gate.Installed {
		out.Identity = s.e.tree.Identity()
	}
	return out, err
}

// Pressure is not told.
func (s *Source) Pressure(context.Context, retention.TableName) (retention.Pressure, error) {
	return retention.Pressure{}, nil
}

// Batches are the tree's, where it says so; see [retention.Remote].
func (s *Source) Batches() (took time.Duration, rows int) {
	if r, ok := s.e.tree.(retention.Remote); ok {
		return r.Batches()
	}
	return 0, 0
}

// Erase names the copies that remain.
func (s *Source) Erase(context.Context, []retention.TableName, retention.Erase) ([]retention.Residual, error) {
	return append(s.e.tree.Residuals(), s.e.unmasked()...), nil
}

// Restore is refused: files are not restored as rows.
func (s *Source) Restore(context.Context, retention.TableName, []retention.SegmentColumn, func(insert func(row []any) error) error) (int64, error) {
	return 0, errors.New("files are restored into a folder, not into a table")
}

// IndexSQL is empty: a listing needs no index.
func (s *Source) IndexSQL(retention.TableName, []string) string { return "" }

// Advise says what a person should look at: what patterns match and is never
// touched, patterns that match nothing, and what the tree itself lacks.
func (s *Source) Advise(ctx context.Context, w retention.Wants) ([]retention.Advice, error) {
	out, err := s.e.tree.Advise(ctx)
	if err != nil {
		return nil, err
	}
	locked, err := s.lockedAdvice(ctx)
	if err != nil {
		return nil, err
	}
	probed, err := s.probeAdvice(ctx, w.Needs)
	if err != nil {
		return nil, err
	}
	shut, err := s.shutAdvice(ctx, w.Needs)
	if err != nil {
		return nil, err
	}
	out = slices.Concat(out, locked, probed, shut)
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	var odd Odd
	for _, d := range s.e.declared {
		odd = d.odd
		if d.files == 0 {
			out = append(out, retention.Advice{Code: retention.AdviceNoFiles, Message: fmt.Sprintf("%s: no file matches %q", s.e.tree.Name(), d.name.Name),
				Hint: "patterns are of paths below the root; ** stands for any folders"})
		}
		if d.lost > 0 {
			out = append(out, retention.Advice{Code: retention.AdviceOddFiles, Message: fmt.Sprintf("%s: of %d files of %q no row says whom they are about, or their versions differ: they are unresolved, and nothing acts on them", s.e.tree.Name(), d.lost, d.name.Name),
				Hint: "rows have to name files exactly as they are called, upper and lower case included; write NULL where a file is about nobody"})
		}
	}
	return append(out, odd.advice(s.e.tree.Name())...), nil
}

func (o Odd) advice(name string) (out []retention.Advice) {
	for _, x := range []struct {
		n    int64
		what string
	}{{o.Links, "symbolic links match patterns, and are neither followed nor removed"}, {o.Special, "sockets, pipes or devices match patterns, and are never touched"}, {o.Mounts, "files or folders of other file systems, or mounted there, lie below the root, and are not entered"},
		{o.Beside, "files named .retentiond-… are what a removal was cut short at while another file took the name: give them a name, or remove them"}} {
		if x.n > 0 {
			out = append(out, retention.Advice{Code: retention.AdviceOddFiles, Message: fmt.Sprintf("%s: %d %s", name, x.n, x.what)})
		}
	}
	return out
}

// Close closes the tree and the gate file.
func (s *Source) Close() error {
	return errors.Join(s.e.line.close(), s.e.own.close(), s.e.tree.Close())
}

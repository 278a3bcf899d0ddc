package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// VerifyAudit recomputes the whole log and compares it with its checkpoints,
// the checkpoint beside the key, the one in checkpointFile (where not empty) and
// what the sources' gates saw; and the holds with what it says of them.
func (s *Store) VerifyAudit(ctx context.Context, witnesses []audit.Witness, checkpointFile string) (audit.Result, error) {
	var notes []audit.Note
	if text, err := os.ReadFile(s.key.CheckpointPath()); err == nil {
		notes = append(notes, audit.Note{Name: "the checkpoint beside the key", Text: text})
	} else if !os.IsNotExist(err) {
		return audit.Result{}, fmt.Errorf("read the checkpoint beside the audit key: %w", err)
	}
	if checkpointFile != "" {
		text, err := os.ReadFile(checkpointFile)
		if err != nil {
			return audit.Result{}, fmt.Errorf("read the checkpoint to compare with: %w", err)
		}
		notes = append(notes, audit.Note{Name: checkpointFile, Text: text, Outside: true})
	}
	r, err := audit.Verify(ctx, logReader{s}, s.key, notes, witnesses)
	if err != nil || !r.OK {
		return r, err
	}
	err = s.read(ctx, func(t *tx) error { return t.compareHolds(ctx) })
	if misfit, ok := errors.AsType[*retention.Refusal](err); ok {
		r.OK, r.Reason = false, misfit.Message
		return r, nil
	}
	return r, wrap(err, "compare the holds with the audit log")
}

// ExportAudit writes the log as C2SP tlog tiles: the open year's to dir itself,
// each closed year's to dir/YEAR. It signs a checkpoint first.
func (s *Store) ExportAudit(ctx context.Context, dir string) error {
	current, err := s.Checkpoint(ctx)
	if err != nil {
		return err
	}
	r := logReader{s}
	logs, err := r.Logs(ctx)
	if err != nil {
		return wrap(err, "export the audit log")
	}
	all, err := r.Checkpoints(ctx)
	if err != nil {
		return wrap(err, "export the audit log")
	}
	for _, l := range logs {
		final := slices.IndexFunc(all, func(c audit.Checkpoint) bool { return c.Log == l.Log && c.Size == l.Size })
		if l.Dropped || l.Log == current.Log || final < 0 {
			continue
		}
		if err := audit.Export(ctx, r, s.key, all[final], filepath.Join(dir, l.Log)); err != nil {
			return err
		}
	}
	return audit.Export(ctx, r, s.key, current, dir)
}

// VerifierKey is the note verifier key of the open year's log.
func (s *Store) VerifierKey(ctx context.Context) (vkey string, err error) {
	err = s.read(ctx, func(t *tx) error {
		h, err := t.log().Head(ctx)
		if h.Log == "" {
			h.Log = t.now.Format("2006")
		}
		if err == nil {
			vkey, err = s.key.VerifierKey(h.Log)
		}
		return err
	})
	return vkey, wrap(err, "read the audit log's verifier key")
}

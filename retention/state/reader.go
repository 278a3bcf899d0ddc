package state

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/retentiond/retentiond/retention/audit"
)

// logReader reads the log page by page, each in a short transaction: it only grows.
type logReader struct{ s *Store }

var (
	_ audit.Reader   = logReader{}
	_ audit.Exporter = logReader{}
)

func (r logReader) all(ctx context.Context, dest any, query string, args ...any) error {
	return r.s.read(ctx, func(t *tx) error { return t.all(ctx, dest, query, args...) })
}

type checkpointRow struct {
	Log  string `db:"log"`
	Size int64  `db:"size"`
	Root string `db:"root"`
	Note []byte `db:"note"`
}

// Checkpoints lists the stored checkpoints, Total not filled in.
func (r logReader) Checkpoints(ctx context.Context) ([]audit.Checkpoint, error) {
	var rows []checkpointRow
	if err := r.all(ctx, &rows, "SELECT log, size, root, note FROM audit_checkpoints ORDER BY log, size"); err != nil {
		return nil, err
	}
	out := make([]audit.Checkpoint, 0, len(rows))
	for _, c := range rows {
		out = append(out, audit.Checkpoint{Log: c.Log, Size: c.Size, Root: c.Root, Note: c.Note})
	}
	return out, nil
}

// Logs lists the logs, oldest first.
func (r logReader) Logs(ctx context.Context) ([]audit.LogInfo, error) {
	var out []audit.LogInfo
	return out, r.all(ctx, &out, "SELECT log, base, size, mac, dropped FROM audit_logs ORDER BY log")
}

type lineRow struct {
	Log  string `db:"log"`
	N    int64  `db:"n"`
	At   int64  `db:"at"`
	Kind string `db:"kind"`
	Run  string `db:"run"`
	Line []byte `db:"line"`
}

// Lines returns a log's entries after a number.
func (r logReader) Lines(ctx context.Context, log string, after int64, limit int) ([]audit.Stored, error) {
	var rows []lineRow
	if err := r.all(ctx, &rows, "SELECT log, n, at, kind, run, line FROM audit_entries WHERE log = ? AND n > ? ORDER BY n LIMIT ?", log, after, limit); err != nil {
		return nil, err
	}
	out := make([]audit.Stored, 0, len(rows))
	for _, l := range rows {
		out = append(out, audit.Stored{N: l.N, At: instant(l.At), Kind: audit.Kind(l.Kind), Run: l.Run, Line: l.Line})
	}
	return out, nil
}

// StoredHashes returns a range of a log's hashes. One of a wrong length comes
// back as zeros: it fits nothing.
func (r logReader) StoredHashes(ctx context.Context, log string, from, to int64) ([]audit.StoredHash, error) {
	var rows []hashRow
	if err := r.all(ctx, &rows, "SELECT idx, hash FROM audit_hashes WHERE log = ? AND idx >= ? AND idx < ? ORDER BY idx", log, from, to); err != nil {
		return nil, err
	}
	out := make([]audit.StoredHash, len(rows))
	for i, h := range rows {
		out[i].Index = h.Idx
		if len(h.Hash) == tlog.HashSize {
			copy(out[i].Hash[:], h.Hash)
		}
	}
	return out, nil
}

// Hashes reads stored hashes of the tree.
func (r logReader) Hashes(ctx context.Context, log string, indexes []int64) (out []tlog.Hash, err error) {
	err = r.s.read(ctx, func(t *tx) error {
		out, err = t.log().Hashes(ctx, log, indexes)
		return err
	})
	return out, err
}

package state

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// logReader reads the log page by page, without a transaction: it only grows.
type logReader struct{ db *sqlx.DB }

var (
	_ audit.Reader   = logReader{}
	_ audit.Exporter = logReader{}
)

func (r logReader) all(ctx context.Context, dest any, query string, args ...any) error {
	return explain(r.db.SelectContext(ctx, dest, r.db.Rebind(query), args...))
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
	return out, r.all(ctx, &out, "SELECT log, base, size, dropped FROM audit_logs ORDER BY log")
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

func (r logReader) Hashes(ctx context.Context, log string, indexes []int64) ([]tlog.Hash, error) {
	return readHashes(ctx, r.db, log, indexes)
}

// VerifyAudit recomputes the whole log and compares it with its checkpoints,
// the checkpoint beside the key, the one in checkpointFile (where not empty) and
// what the sources' gates saw.
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
		notes = append(notes, audit.Note{Name: checkpointFile, Text: text})
	}
	return audit.Verify(ctx, logReader{s.db}, s.key, notes, witnesses)
}

// ExportAudit writes the log as C2SP tlog tiles: the open year's to dir itself,
// each closed year's to dir/YEAR. It signs a checkpoint first.
func (s *Store) ExportAudit(ctx context.Context, dir string) error {
	current, err := s.Checkpoint(ctx)
	if err != nil {
		return err
	}
	r := logReader{s.db}
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

// Filter narrows Entries. The zero Filter is everything.
type Filter struct {
	Run   string
	Kind  audit.Kind
	Since time.Time
	Limit int // only the newest so many; 0: all
}

// entryPage is how many entries are read at a time.
const entryPage = 500

// Entries calls each for the entries that the filter lets through, oldest first.
// An error of each ends it. No transaction is open meanwhile.
func (s *Store) Entries(ctx context.Context, f Filter, each func(audit.Entry) error) error {
	log, n, err := s.firstOf(ctx, f)
	if err != nil {
		return wrap(err, "read the audit log")
	}
	for {
		rows, err := s.entries(ctx, f, "(log > ? OR log = ? AND n > ?)", "log, n", entryPage, log, log, n)
		if err != nil {
			return wrap(err, "read the audit log")
		}
		for _, r := range rows {
			if err := each(audit.Entry{Log: r.Log, N: r.N, Line: r.Line}); err != nil {
				return err
			}
			log, n = r.Log, r.N
		}
		if len(rows) < entryPage {
			return nil
		}
	}
}

// firstOf is the position before the oldest of the newest Limit entries.
func (s *Store) firstOf(ctx context.Context, f Filter) (log string, n int64, err error) {
	if f.Limit <= 0 {
		return "", 0, nil
	}
	rows, err := s.entries(ctx, f, "1 = 1", "log DESC, n DESC", f.Limit)
	if err != nil || len(rows) == 0 {
		return "", 0, err
	}
	oldest := rows[len(rows)-1]
	return oldest.Log, oldest.N - 1, nil
}

func (s *Store) entries(ctx context.Context, f Filter, where, order string, limit int, args ...any) (rows []lineRow, err error) {
	if f.Run != "" {
		where, args = where+" AND run = ? AND run <> ''", append(args, f.Run)
	}
	if f.Kind != "" {
		where, args = where+" AND kind = ?", append(args, string(f.Kind))
	}
	if !f.Since.IsZero() {
		where, args = where+" AND at >= ?", append(args, micros(f.Since))
	}
	query := "SELECT log, n, line FROM audit_entries WHERE " + where + " ORDER BY " + order + " LIMIT ?"
	return rows, logReader{s.db}.all(ctx, &rows, query, append(args, limit)...)
}

// Entry returns one entry by its id: N of the open year's log, or YEAR/N;
// retention.ErrNotFound.
func (s *Store) Entry(ctx context.Context, id string) (e audit.Entry, err error) {
	log, number, ok := strings.Cut(id, "/")
	if !ok {
		log, number = "", id
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 {
		return e, fmt.Errorf("audit entry %q: write N or YEAR/N", id)
	}
	err = s.read(ctx, func(t *tx) error {
		h, err := t.log().Head(ctx)
		if err != nil {
			return err
		}
		if log == "" {
			log = h.Log
		}
		e = audit.Entry{Log: log, N: n}
		found, err := t.get(ctx, &e.Line, "SELECT line FROM audit_entries WHERE log = ? AND n = ?", log, n)
		if err == nil && !found {
			err = retention.ErrNotFound
		}
		return err
	})
	return e, wrap(err, "audit entry %s", id)
}

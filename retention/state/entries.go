package state

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

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
	return rows, logReader{s}.all(ctx, &rows, query, append(args, limit)...)
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

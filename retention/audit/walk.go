package audit

import (
	"context"
	"crypto/hmac"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// walkPage is how many entries are read at a time.
const walkPage = 1024

// walker goes through one log, entry by entry. It grows two trees, over the
// lines and over the stored leaf hashes: they are one until something is wrong,
// and tell afterwards which of the two was changed.
type walker struct {
	log     string
	lines   tree
	stored  tree
	marks   []mark // still to come, by size
	good    int64  // size of the last mark that fitted
	agreed  int64  // size of the last one that fitted and is from outside
	suspect int64  // the first entry with something wrong; 0: none
	why     string
	broken  bool // a line is missing: the tree over lines means nothing
	last    time.Time
	result  *Result
}

// walk verifies one log. wrong is what is already known against it.
func (v *verification) walk(ctx context.Context, l LogInfo, wrong string) (Result, error) {
	w := &walker{log: l.Log, marks: v.sorted(l.Log)}
	if wrong != "" {
		w.doubt(1, wrong)
	}
	w.compare(0)
	for after := int64(0); after < l.Size && w.result == nil; after += walkPage {
		if err := w.page(ctx, v.r, after, min(after+walkPage, l.Size)); err != nil {
			return Result{}, fmt.Errorf("read audit log %s after entry %d: %w", l.Log, after, err)
		}
	}
	if err := w.beyond(ctx, v.r, l.Size); err != nil {
		return Result{}, err
	}
	w.seal(v.key, l)
	res := w.finish(l.Size)
	res.Log, res.Size = l.Log, l.Size
	if res.Root == "" {
		res.Root = w.stored.root()
	}
	return res, nil
}

// page verifies the entries after < n ≤ to.
func (w *walker) page(ctx context.Context, r Reader, after, to int64) error {
	rows, err := r.Lines(ctx, w.log, after, int(to-after))
	if err != nil {
		return err
	}
	hashes, err := r.StoredHashes(ctx, w.log, tlog.StoredHashCount(after), tlog.StoredHashCount(to))
	if err != nil {
		return err
	}
	byIndex := make(map[int64]tlog.Hash, len(hashes))
	for _, h := range hashes {
		byIndex[h.Index] = h.Hash
	}
	for n := after + 1; n <= to; n++ {
		var row *Stored
		if len(rows) > 0 && rows[0].N == n {
			row, rows = &rows[0], rows[1:]
		}
		w.entry(n, row, byIndex)
		if w.compare(n); w.result != nil {
			break
		}
	}
	return nil
}

// entry verifies one entry against its stored hashes.
func (w *walker) entry(n int64, row *Stored, stored map[int64]tlog.Hash) {
	index := tlog.StoredHashIndex(0, n-1)
	leaf, ok := stored[index]
	if row == nil {
		w.doubt(n, "the entry is missing")
		w.broken = true
	} else {
		line := tlog.RecordHash(row.Line)
		if !ok {
			w.doubt(n, "its stored hash is missing")
			leaf = line
		} else if line != leaf {
			w.doubt(n, "its line is not the one that was hashed")
		}
		if w.suspect == 0 {
			w.read(n, row)
		}
		w.lines.add(line)
	}
	for i, h := range w.stored.add(leaf) {
		if got, ok := stored[index+int64(i)]; !ok || got != h {
			w.doubt(n, "the stored hashes of the tree do not fit its entries")
		}
	}
}

// read checks what the line says of itself.
func (w *walker) read(n int64, row *Stored) {
	h, err := ParseHead(row.Line)
	switch {
	case err != nil:
		w.doubt(n, err.Error())
	case h.N != n:
		w.doubt(n, fmt.Sprintf("its line says n = %d", h.N))
	case h.Kind != row.Kind || h.Run != row.Run || !h.Time.Equal(row.At):
		w.doubt(n, "the columns that lists search by do not say what its line says")
	case w.last.Sub(h.Time) > maxStep && h.ClockBack == 0:
		w.doubt(n, fmt.Sprintf("its time is %s before the entry before, and it does not say that the clock was set back", w.last.Sub(h.Time).Round(time.Second)))
	}
	w.last = h.Time
}

func (w *walker) doubt(n int64, why string) {
	if w.suspect == 0 {
		w.suspect, w.why = n, why
	}
}

// compare checks the marks at size n. The first mark after a doubt decides
// whether the stored hashes can be believed, and so whether it is exact.
func (w *walker) compare(n int64) {
	for len(w.marks) > 0 && w.marks[0].size <= n && w.result == nil {
		m := w.marks[0]
		w.marks = w.marks[1:]
		fits := w.stored.root() == m.root
		switch {
		case w.suspect > 0 && (fits || !w.broken && w.lines.root() == m.root):
			w.fail(w.suspect, 0, w.why)
		case w.suspect > 0:
			w.fail(w.good+1, m.size, fmt.Sprintf("entries and their stored hashes were changed since %s was made; entry %d: %s", m.who, w.suspect, w.why))
		case !fits && m.size == 0:
			w.fail(1, 0, m.who+" has another root for the empty log")
		case !fits && m.outside: // what is signed here may have been signed after a rollback
			w.fail(w.agreed+1, m.size, fmt.Sprintf("the entries are not those that %s has seen, though their stored hashes fit", m.who))
		case !fits:
			w.fail(w.good+1, m.size, fmt.Sprintf("the entries are not those that %s was made of, though their stored hashes fit", m.who))
		default:
			if w.good = m.size; m.outside {
				w.agreed = m.size
			}
		}
	}
}

// seal finds entries that somebody without the key added since the newest root
// that anybody saw, or a head that was changed.
func (w *walker) seal(key *Key, l LogInfo) {
	if w.result != nil || w.suspect > 0 || len(w.marks) > 0 || hmac.Equal(l.MAC, key.Seal(TreeHead{Log: l.Log, Base: l.Base, Size: l.Size}, w.stored.root())) {
		return
	}
	if w.good == l.Size {
		w.result = &Result{Reason: fmt.Sprintf("log %s: its entries are as they were, but its head is not sealed with the log's key", l.Log)}
		return
	}
	w.fail(w.good+1, l.Size, "it was not written with the log's key: entries were added or changed after what was last signed")
}

// beyond finds entries that the head does not count.
func (w *walker) beyond(ctx context.Context, r Reader, size int64) error {
	if w.result != nil {
		return nil
	}
	rows, err := r.Lines(ctx, w.log, size, 1)
	if err != nil {
		return fmt.Errorf("read audit log %s after its end: %w", w.log, err)
	}
	if len(rows) == 0 {
		return nil
	}
	// The log may have grown since its size was read.
	logs, err := r.Logs(ctx)
	if err != nil {
		return fmt.Errorf("read the list of audit logs: %w", err)
	}
	if !slices.ContainsFunc(logs, func(l LogInfo) bool { return l.Log == w.log && l.Size >= rows[0].N }) {
		w.doubt(size+1, "there are entries after the log's end")
	}
	return nil
}

// finish is the log's result, after its last entry.
func (w *walker) finish(size int64) Result {
	if w.result == nil && w.suspect > 0 {
		w.fail(w.suspect, 0, w.why)
	}
	if w.result == nil && len(w.marks) > 0 {
		m := w.marks[len(w.marks)-1]
		w.fail(size+1, 0, fmt.Sprintf("the log was cut: %s has seen %d entries, %d are there", m.who, m.size, size))
	}
	if w.result != nil {
		return *w.result
	}
	return Result{OK: true}
}

func (w *walker) fail(first, last int64, why string) {
	r := &Result{FirstBad: &first, Reason: fmt.Sprintf("log %s, entry %d: %s", w.log, first, why)}
	if last > first {
		r.LastBad = &last
		r.Reason = fmt.Sprintf("log %s, entries %d to %d: %s", w.log, first, last, why)
	}
	w.result = r
}

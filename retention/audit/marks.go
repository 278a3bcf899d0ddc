package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// mark is a root that someone saw at a size of a log.
type mark struct {
	size int64
	root string
	who  string
	// outside: of somebody who does not go back when store and key do.
	outside bool
}

// complaint is something wrong that no entry shows.
type complaint struct {
	first  int64
	reason string
}

// verification is one Verify under way.
type verification struct {
	r      Reader
	key    *Key
	logs   []LogInfo
	closed map[string]bool // logs whose first entry holds the log before
	marks  map[string][]mark
	wrong  []complaint
}

func (v *verification) complain(first int64, format string, args ...any) {
	v.wrong = append(v.wrong, complaint{first, fmt.Sprintf(format, args...)})
}

// collect reads the checkpoints, then the logs: a log that grows meanwhile is
// never shorter than a checkpoint read before.
func (v *verification) collect(ctx context.Context, notes []Note) error {
	stored, err := v.r.Checkpoints(ctx)
	if err != nil {
		return fmt.Errorf("read the stored checkpoints: %w", err)
	}
	if v.logs, err = v.r.Logs(ctx); err != nil {
		return fmt.Errorf("read the list of audit logs: %w", err)
	}
	for _, c := range stored {
		who := fmt.Sprintf("the stored checkpoint %s/%d", c.Log, c.Size)
		got, ok := v.addNote(Note{Name: who, Text: c.Note})
		if ok && (got.Log != c.Log || got.Size != c.Size || got.Root != c.Root) {
			v.complain(0, "%s does not say what was signed", who)
		}
	}
	for _, n := range notes {
		v.addNote(n)
	}
	return v.readClosed(ctx)
}

// addNote checks a note's signature and makes it a mark.
func (v *verification) addNote(n Note) (Checkpoint, bool) {
	c, err := OpenCheckpoint(v.key, n.Text)
	if err != nil {
		v.complain(0, "%s: %v; another key, or an edited checkpoint", n.Name, err)
		return c, false
	}
	known := slices.ContainsFunc(v.logs, func(l LogInfo) bool { return l.Log == c.Log })
	if !known && c.Size > 0 {
		v.complain(1, "%s is of log %s, which the store does not have", n.Name, c.Log)
	}
	v.marks[c.Log] = append(v.marks[c.Log], mark{c.Size, c.Root, n.Name, n.Outside})
	return c, true
}

// readClosed reads from each log's first entry the checkpoint of the log before.
func (v *verification) readClosed(ctx context.Context) error {
	v.closed = map[string]bool{}
	for i, l := range v.logs {
		if i == 0 || l.Dropped {
			continue
		}
		first, err := v.r.Lines(ctx, l.Log, 0, 1)
		if err != nil {
			return fmt.Errorf("read audit log %s: %w", l.Log, err)
		}
		if len(first) == 0 {
			continue
		}
		var e struct {
			Closed closedLog `json:"closed"`
		}
		if json.Unmarshal(first[0].Line, &e) != nil || e.Closed.Checkpoint == "" {
			continue
		}
		c, ok := v.addNote(Note{Name: fmt.Sprintf("the first entry of log %s", l.Log), Text: []byte(e.Closed.Checkpoint)})
		before := v.logs[i-1]
		v.closed[l.Log] = ok && c.Log == before.Log && c.Size == before.Size
	}
	return nil
}

// follows says what is wrong with how a log continues the one before it.
func (v *verification) follows(i int) string {
	l := v.logs[i]
	if i == 0 {
		if l.Base != 0 {
			return "a log before it is missing"
		}
		return ""
	}
	before := v.logs[i-1]
	if l.Base != before.Base+before.Size {
		return fmt.Sprintf("it begins after %d entries, but the logs before it have %d", l.Base, before.Base+before.Size)
	}
	if l.Size > 0 && !v.closed[l.Log] {
		return fmt.Sprintf("its first entry does not hold the checkpoint that closed log %s at %d entries", before.Log, before.Size)
	}
	return ""
}

// place turns witnesses, who count over all years, into marks of one log.
func (v *verification) place(witnesses []Witness) {
	for _, w := range witnesses {
		if w.Total == 0 || w.Root == "" {
			continue
		}
		i := slices.IndexFunc(v.logs, func(l LogInfo) bool { return l.Base < w.Total && w.Total <= l.Base+l.Size })
		switch {
		case i >= 0:
			l := v.logs[i]
			v.marks[l.Log] = append(v.marks[l.Log], mark{w.Total - l.Base, w.Root, "source " + w.Name, true})
		case len(v.logs) == 0:
			v.complain(1, "source %s has seen %d entries, there is no log", w.Name, w.Total)
		default:
			l := v.logs[len(v.logs)-1]
			v.marks[l.Log] = append(v.marks[l.Log], mark{w.Total - l.Base, w.Root, "source " + w.Name, true})
		}
	}
}

func (v *verification) sorted(log string) []mark {
	m := v.marks[log]
	slices.SortStableFunc(m, func(a, b mark) int { return cmp.Compare(a.size, b.size) })
	return m
}

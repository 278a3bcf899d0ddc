package objects

import (
	"context"
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Labels are what an object carries beside its name.
type Labels struct {
	Metadata map[string]string // keys in lower case
	Tags     map[string]string
	// Locked is until when the store itself keeps the object, RFC 3339, [ForGood]
	// where no end is known, and empty where it does not.
	Locked string
}

// ForGood is what Locked says of an object that is kept without an end.
const ForGood = "legal hold"

// Labeller is a tree whose objects carry more than a name.
type Labeller interface {
	// Label calls f with the labels of each object that is still there, in their
	// order: metadata and tags where they are asked for, and locks always.
	Label(ctx context.Context, of []Object, metadata, tags bool, f func(i int, l Labels)) error
}

// Versioned is a tree that can tell what is left of an object.
type Versioned interface {
	// Remains is whether something of the object that had the identity was is in the
	// one that has the identity now.
	Remains(was, now string) bool
}

// Owned is a tree that several machines can reach.
type Owned interface {
	// Claim binds the tree to the gate of that identity, or refuses where it is bound
	// to another: one gate alone can make a hold wait for all who act (L3).
	Claim(ctx context.Context, gate string) error
}

// labelled is whether the column is told by labels.
func (c *column) labelled() bool { return c.Metadata != "" || c.Tag != "" || c.Locked }

// asks is what the set wants to know of its objects.
func (s *set) asks() (any, metadata, tags bool) {
	for i := range s.columns {
		c := &s.columns[i]
		any, metadata, tags = any || c.labelled(), metadata || c.Metadata != "", tags || c.Tag != ""
	}
	return any, metadata, tags
}

// from is what the labels say for the column. A clock that is missing is unreadable
// (L1): nobody knows whether it was forgotten.
func (c *column) from(l Labels) any {
	var v string
	var ok bool
	switch {
	case c.Locked:
		if l.Locked == "" {
			return nil
		}
		return l.Locked
	case c.Tag != "":
		v, ok = l.Tags[c.Tag]
	default:
		v, ok = l.Metadata[strings.ToLower(c.Metadata)]
	}
	switch v = strings.TrimSpace(v); {
	case ok && v != "" && c.Clock:
		if iso := isoOf(v); iso != unreadable {
			return iso
		}
		return v
	case c.Clock:
		return unreadable
	case !ok || v == "":
		return nil
	}
	return v
}

// label asks for what the set wants to know of the objects; what is gone meanwhile
// has no labels.
func (e *engine) label(ctx context.Context, s *set, of []Object) ([]Labels, error) {
	out := make([]Labels, len(of))
	t, ok := e.tree.(Labeller)
	asks, metadata, tags := s.asks()
	if !ok || !asks || len(of) == 0 {
		return out, nil
	}
	if err := t.Label(ctx, of, metadata, tags, func(i int, l Labels) { out[i] = l }); err != nil {
		return nil, fmt.Errorf("labels of %s: %w", s.name, err)
	}
	return out, nil
}

// relabel asks for the labels again; same: they say what they said.
func (e *engine) relabel(ctx context.Context, q sqlwork.Session, s *set, list []seen) (same bool, err error) {
	of := make([]Object, len(list))
	for i := range list {
		of[i] = list[i].Object
	}
	now, err := e.label(ctx, s, of)
	if err != nil {
		return false, err
	}
	same = true
	for i := range s.columns {
		c := &s.columns[i]
		for j := range list {
			if !c.labelled() {
				break
			}
			v := c.from(now[j])
			if v == plain(list[j].said[i]) {
				continue
			}
			same = false
			if _, err := q.ExecContext(ctx, "UPDATE main."+quote(s.name.Name)+" SET "+quote(c.Name)+" = ? WHERE "+quote(retention.FilePath)+" = ?", v, list[j].Path); err != nil {
				return false, err
			}
		}
	}
	return same, nil
}

// claim binds the tree to the gate, where other machines could act on it too.
func (s *Source) claim(ctx context.Context) error {
	t, ok := s.e.tree.(Owned)
	if !ok {
		return nil
	}
	var gate retention.Gate
	if err := s.e.Look(sqlwork.AtSource(ctx), func(q sqlwork.Session) (err error) {
		gate, err = s.ReadGate(ctx, q)
		return err
	}); err != nil || !gate.Installed {
		return err // a batch without a gate is refused by itself
	}
	return t.Claim(ctx, gate.SourceUUID)
}

// lockedAdvice tells of objects that the store itself keeps, and until when.
func (s *Source) lockedAdvice(ctx context.Context) (out []retention.Advice, err error) {
	var names []string
	s.e.mu.Lock()
	for _, d := range s.e.declared {
		if d.files > 0 && d.column(retention.FileLocked) != nil {
			names = append(names, d.name.Name)
		}
	}
	s.e.mu.Unlock()
	l := s.e.line
	if err := l.take(ctx, 0); err != nil {
		return nil, err
	}
	defer l.give()
	for _, name := range names {
		var n, held int64
		var until string
		c := quote(retention.FileLocked)
		row := l.conn.QueryRowxContext(ctx, "SELECT count("+c+"), coalesce(sum("+c+" = ?), 0), coalesce(max(nullif("+c+", ?)), '') FROM main."+quote(name), ForGood, ForGood)
		if err := row.Scan(&n, &held, &until); err != nil {
			return nil, fmt.Errorf("locks of %s: %w", name, err)
		}
		if n > 0 {
			out = append(out, retention.Advice{Code: retention.AdviceLocked, Message: s.e.tree.Name() + ": " + locked(name, n, held, until), Hint: "they are protected until then, and no rule bypasses it"})
		}
	}
	return out, nil
}

func locked(name string, n, held int64, until string) string {
	text := fmt.Sprintf("the store itself keeps %d objects of %q", n, name)
	if until != "" {
		text += ", the last of them until " + until
	}
	if held > 0 {
		text += fmt.Sprintf("; %d of them are under a legal hold, which has no end", held)
	}
	return text
}

// column is the set's column of that name, or nil.
func (s *set) column(name string) *column {
	for i := range s.columns {
		if s.columns[i].Name == name {
			return &s.columns[i]
		}
	}
	return nil
}

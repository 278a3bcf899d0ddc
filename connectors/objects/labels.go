package objects

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlwork"
	"github.com/retentiond/retentiond/retention"
)

// Labels are what an object carries beside its name.
type Labels struct {
	Metadata map[string]string // keys in lower case
	Tags     map[string]string
	Older    []Labels // of older versions, the locks left out
	// Locked is until when the store itself keeps the object, RFC 3339, [ForGood]
	// where no end is known, and empty where it does not.
	Locked string
}

// ForGood is what Locked says of an object that is kept without an end.
const ForGood = "legal hold"

// Labeller is a tree whose objects carry more than a name.
type Labeller interface {
	// Label calls f with the labels of each object that is still there, in their
	// order: metadata and tags of each version where they are asked for, and always
	// until when the version stays that stays longest.
	Label(ctx context.Context, of []Object, metadata, tags bool, f func(i int, l Labels)) error
}

// Unseen is what Locked says of an object that went while it was asked.
const Unseen = "unknown"

// Versioned is a tree whose objects are more than what their names lead to now.
type Versioned interface {
	// Fate is what became of an object that was to go, from what its name has now: nil,
	// all of it is gone; [ErrRemains]; or [ErrChanged], nobody can tell.
	Fate(was, now Object) error
}

// ErrRemains is the end of an object of which something is still there.
var ErrRemains = errors.New("something of it is still there")

// labelled is whether the column is told by labels.
func (c *column) labelled() bool { return c.Metadata != "" || c.Tag != "" || c.Locked }

// outside is whether something beside the object's name says the value.
func (c *column) outside() bool { return c.Row != nil || c.labelled() }

// outside is whether something beside names says a value of the set: other rows, what
// objects carry, or which files are redacted already.
func (s *set) outside() bool {
	return slices.ContainsFunc(s.columns, func(c column) bool { return c.outside() || c.Content != "" })
}

// asks is what the set wants to know of its objects.
func (s *set) asks() (any, metadata, tags bool) {
	for i := range s.columns {
		c := &s.columns[i]
		any, metadata, tags = any || c.labelled(), metadata || c.Metadata != "", tags || c.Tag != ""
	}
	return any, metadata, tags
}

// from is what the labels say for the column. A clock that is missing is unreadable
// (L1): nobody knows whether it was forgotten. Versions that name different persons
// leave it unsure whom the object is about: a hold on one of them would not be seen (L3).
func (c *column) from(l Labels) any {
	if c.Locked {
		if l.Locked == "" {
			return nil
		}
		return l.Locked
	}
	v := c.value(l)
	if c.Clock {
		if v == "" {
			return unreadable
		}
		if iso := isoOf(v); iso != unreadable {
			return iso
		}
		return v
	}
	for _, o := range l.Older {
		if c.value(o) != v {
			return retention.Unsure
		}
	}
	if v == "" {
		return nil
	}
	return v
}

func (c *column) value(l Labels) string {
	if c.Tag != "" {
		return strings.TrimSpace(l.Tags[c.Tag])
	}
	return strings.TrimSpace(l.Metadata[strings.ToLower(c.Metadata)])
}

// label asks for what the set wants to know of the objects. Of one that went meanwhile
// nobody knows whom it is about, or what keeps it: it is protected (L1).
func (e *engine) label(ctx context.Context, s *set, of []Object) ([]Labels, error) {
	out := make([]Labels, len(of))
	t, ok := e.tree.(Labeller)
	asks, metadata, tags := s.asks()
	if !ok || !asks || len(of) == 0 {
		return out, nil
	}
	for i := range out {
		out[i].Locked = Unseen
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
		row := l.conn.QueryRowxContext(ctx, "SELECT count("+c+"), coalesce(sum("+c+" = ?), 0), coalesce(max("+c+") FILTER (WHERE "+c+" NOT IN (?, ?)), '') FROM main."+quote(name), ForGood, ForGood, Unseen)
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

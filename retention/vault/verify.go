package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// Words with which a manifest's error begins, by kind.
const (
	foreign  = "foreign"
	replayed = "replayed"
)

// Trouble is what is wrong with a segment.
type Trouble string

// Kinds of trouble. An orphan and an unfinished file are what a batch left that
// never committed: its rows are in their table.
const (
	Damaged    Trouble = "damaged"
	Missing    Trouble = "missing"
	Foreign    Trouble = foreign
	Replayed   Trouble = replayed
	Orphan     Trouble = "orphan"
	Unfinished Trouble = "unfinished"
	Unknown    Trouble = "unknown"
)

// Harmless reports whether nothing is lost: `archive expire` removes such files.
func (t Trouble) Harmless() bool { return t == Orphan || t == Unfinished }

// Finding is one segment, or file, that is not as it should be.
type Finding struct {
	Vault   string  `json:"vault"`
	Segment string  `json:"segment"`
	Trouble Trouble `json:"trouble"`
	Message string  `json:"message"`
}

// Verify compares every file with what the state store knows, and every content
// with its hash. inWork tells of intents that have no outcome yet: their segments
// are not judged. left is that of [Vault.Sweep]. It
// returns how many segments were found good.
func (v *Vault) Verify(ctx context.Context, known []retention.KnownSegment, inWork func(intent string) bool, left func(segment, intent string) (bool, error)) (good int, out []Finding, err error) {
	files, err := v.list(ctx)
	if errors.Is(err, ErrAway) {
		return 0, []Finding{{v.o.Name, "", Missing, err.Error()}}, nil
	}
	if err != nil {
		return 0, nil, err
	}
	c := &check{Vault: v, known: map[string]retention.KnownSegment{}, there: map[string]bool{}, inWork: inWork, left: left}
	for _, k := range known {
		c.known[k.Name] = k
	}
	for _, f := range files {
		c.there[f] = true
	}
	for _, f := range files {
		if err := c.file(ctx, f); err != nil {
			return c.good, c.out, err
		}
	}
	for _, k := range known {
		switch {
		case k.Expired:
		case !c.there[k.Name+manifestFile] && !c.there[k.Name+rowsFile]:
			c.add(k.Name, Missing, "neither its rows nor its manifest are there: restore them from a copy of the vault")
		case !c.there[k.Name+manifestFile]:
			c.add(k.Name, Missing, "its manifest is not there: restore it from a copy of the vault")
		}
	}
	return c.good, c.out, nil
}

type check struct {
	*Vault
	known  map[string]retention.KnownSegment
	there  map[string]bool
	inWork func(string) bool
	left   func(segment, intent string) (bool, error)
	good   int
	out    []Finding
}

func (c *check) add(name string, t Trouble, format string, args ...any) {
	c.out = append(c.out, Finding{c.o.Name, name, t, fmt.Sprintf(format, args...)})
}

// file judges one file; a segment by its manifest.
func (c *check) file(ctx context.Context, file string) error {
	finished, temp := isUnfinished(file)
	name, manifest, ours := segmentOf(finished)
	k, known := c.known[name]
	switch {
	case finished == identityFile, finished == seenFolder, strings.HasPrefix(finished, seenFolder+"/"):
	case temp && (c.busy(name) || !ours && strings.HasPrefix(finished, "check.")):
	case temp && ours:
		c.add(file, Unfinished, "a file that was never finished; `retentiond archive expire` removes it")
	case !ours:
		c.add(file, Foreign, "no file of this vault: move it away")
	case manifest:
		return c.segment(ctx, name)
	case c.there[name+manifestFile], known && !k.Expired, c.busy(name): // told elsewhere, or in work
	case known:
		c.add(name, Replayed, "the segment ended, and its rows are there again: remove them")
	default:
		c.add(name, Unfinished, "rows without a manifest, of a batch that never committed; `retentiond archive expire` removes them")
	}
	return nil
}

// busy reports whether the segment is of a batch that has no outcome yet.
func (c *check) busy(name string) bool { return c.inWork(IntentOf(name)) }

// IntentOf is the intent that a segment's name ends with.
func IntentOf(name string) string {
	_, rest, _ := strings.Cut(name, ".")
	return strings.ReplaceAll(rest, ".", "/")
}

func (c *check) segment(ctx context.Context, name string) error {
	s, err := c.Vault.segment(ctx, name)
	if errors.Is(err, retention.ErrNotFound) {
		return nil // it ended meanwhile
	}
	if err != nil {
		return err
	}
	k, known := c.known[name]
	switch {
	case strings.HasPrefix(s.Bad, foreign) && !known:
		c.add(name, Foreign, "%s", s.Bad)
	case strings.HasPrefix(s.Bad, replayed):
		c.add(name, Replayed, "%s", s.Bad)
	case s.Bad != "":
		c.add(name, Damaged, "%s", s.Bad)
	case known && k.Expired:
		c.add(name, Replayed, "the segment ended, and is there again: remove it")
	case !known && c.busy(name):
	case !known:
		return c.unnamed(name)
	case k.Manifest != s.Manifest:
		c.add(name, Damaged, "its manifest is not the one that was sealed")
	default:
		return c.content(ctx, s)
	}
	return nil
}

// unnamed judges a segment that no outcome names: its batch came to nothing, or the
// store is older than it, and then its rows may be nowhere else.
func (c *check) unnamed(name string) error {
	nothing, err := c.left(name, IntentOf(name))
	switch {
	case err != nil:
		return err
	case nothing:
		c.add(name, Orphan, "no outcome in the state store names it: its batch never committed")
	default:
		c.add(name, Unknown, "the state store does not know what came of its batch: it is older than the vault, and the rows may be nowhere else; restore the newest state store, or read the segment with `age -d` and `zstd -d`")
	}
	return nil
}

// content compares the ciphertext with its hash.
func (c *check) content(ctx context.Context, s *retention.Segment) error {
	r, err := c.store.get(ctx, s.Name+rowsFile)
	if errors.Is(err, fs.ErrNotExist) {
		c.add(s.Name, Missing, "its rows are not there: restore them from a copy of the vault")
		return nil
	}
	if err != nil {
		return c.fail(err)
	}
	h := hashing(r)
	_, err = io.Copy(io.Discard, h)
	err = errors.Join(err, r.Close())
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		c.add(s.Name, Damaged, "its rows cannot be read: %v", err)
		return nil
	}
	if !h.is(s.Cipher) {
		c.add(s.Name, Damaged, "its rows are not those that were sealed (%d bytes, %d were sealed): restore them from a copy of the vault", h.n, s.Cipher.Bytes)
		return nil
	}
	c.good++
	return nil
}

// Sweep removes what batches left that never committed. left is asked, of each file
// of this vault, whether its batch has its outcome and that does not name the
// segment: only then it is removed.
func (v *Vault) Sweep(ctx context.Context, left func(segment, intent string) (bool, error)) (removed []string, err error) {
	files, err := v.list(ctx)
	if err == nil {
		err = v.Fits(ctx)
	}
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		finished, temp := isUnfinished(f)
		if !temp {
			finished = f
		}
		name, _, ours := segmentOf(finished)
		if !ours {
			continue
		}
		if orphan, err := left(name, IntentOf(name)); err != nil {
			return removed, err
		} else if !orphan {
			continue
		}
		if err := v.store.remove(ctx, f); err != nil {
			return removed, v.fail(err)
		}
		removed = append(removed, f)
	}
	return removed, nil
}

package objects

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/retentiond/retentiond/retention"
)

// journal is a folder with a file for each batch on its way: what it is about to
// remove. It is private, and gone with the batch.
type journal struct{ dir string }

// entry heads a batch's file; the objects follow, one a line.
type entry struct {
	Intent string
	Action retention.ActionKind
	Digest string // of the receipt, where all of it is done
	Spared retention.Spared
	// Segments have the objects of an archive already.
	Segments []retention.SealedRef `json:",omitempty"`
	Place    string                // of the tree
	Count    int
}

// line of an object. Paths are bytes, not text.
type named struct {
	Path        []byte
	ID          string
	Size, Nanos int64
	Far         int64  `json:",omitempty"` // as [Object.Far]
	Dir         string // tells its folder from another
}

func (j journal) file(intent string) string {
	sum := sha256.Sum256([]byte(intent))
	return filepath.Join(j.dir, hex.EncodeToString(sum[:16]))
}

// write is durable on return.
func (j journal) write(h entry, of []Object, dirs []string) error {
	if err := os.MkdirAll(j.dir, 0o700); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	name := j.file(h.Intent)
	f, err := os.OpenFile(name+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	h.Count = len(of)
	w := bufio.NewWriterSize(f, 1<<16)
	enc := json.NewEncoder(w)
	err = enc.Encode(h)
	for i := 0; err == nil && i < len(of); i++ {
		err = enc.Encode(named{Path: []byte(of[i].Path), ID: of[i].ID, Size: of[i].Size, Nanos: of[i].Nanos, Far: of[i].Far, Dir: dirs[i]})
	}
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	if err == nil {
		err = syncDir(j.dir)
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// read returns what a batch was about to do; ok is false where it never was.
func (j journal) read(intent string) (h entry, of []Object, dirs []string, ok bool, err error) {
	b, err := os.ReadFile(j.file(intent))
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil, nil, false, nil
	}
	if err != nil {
		return h, nil, nil, false, fmt.Errorf("journal: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(&h); err != nil {
		return h, nil, nil, false, fmt.Errorf("journal of intent %s: %w", intent, err)
	}
	for range h.Count {
		var n named
		if err := dec.Decode(&n); err != nil {
			return h, nil, nil, false, fmt.Errorf("journal of intent %s: %w", intent, err)
		}
		of = append(of, Object{Path: string(n.Path), ID: n.ID, Size: n.Size, Nanos: n.Nanos, Far: n.Far})
		dirs = append(dirs, n.Dir)
	}
	if h.Intent != intent {
		return h, nil, nil, false, fmt.Errorf("journal of intent %s is of %s", intent, h.Intent)
	}
	return h, of, dirs, true, nil
}

// any is whether it has a batch, settled or not.
func (j journal) any() (bool, error) {
	names, err := os.ReadDir(j.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("journal: %w", err)
	}
	return len(names) > 0, nil
}

// drop forgets a batch whose receipt is durable. What is left of one is dropped
// when it is settled, or its receipt is pruned.
func (j journal) drop(intent string) error {
	for _, name := range []string{j.file(intent), j.file(intent) + progressEnd} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	return err
}

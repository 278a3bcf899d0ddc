package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// KeptCheckpoint reads the checkpoint beside the key; ok = false: none yet.
func (k *Key) KeptCheckpoint() (c Checkpoint, ok bool, err error) {
	msg, err := os.ReadFile(k.CheckpointPath())
	if errors.Is(err, fs.ErrNotExist) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("read the checkpoint beside the audit key: %w", err)
	}
	if c, err = OpenCheckpoint(k, msg); err != nil {
		return c, false, fmt.Errorf("%s: %w; restore it from a copy, or run audit verify and then move it away", k.CheckpointPath(), err)
	}
	return c, true, nil
}

// KeepCheckpoint writes the checkpoint beside the key, durable on return: a
// witness that does not live in the store.
func (k *Key) KeepCheckpoint(c Checkpoint) error {
	if had, err := os.ReadFile(k.CheckpointPath()); err == nil && bytes.Equal(had, c.Note) {
		return nil
	}
	if err := replaceFile(k.CheckpointPath(), c.Note); err != nil {
		return fmt.Errorf("keep the checkpoint beside the audit key: %w", err)
	}
	return nil
}

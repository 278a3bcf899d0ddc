package audit

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Hasher reads stored hashes of a log by tlog.StoredHashIndex.
type Hasher interface {
	Hashes(ctx context.Context, log string, indexes []int64) ([]tlog.Hash, error)
}

// RootAt computes the root of a log's first size entries, base64.
func RootAt(ctx context.Context, r Hasher, log string, size int64) (string, error) {
	h, err := tlog.TreeHash(size, tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) { return r.Hashes(ctx, log, ix) }))
	if err != nil {
		return "", fmt.Errorf("compute the root of audit log %s at %d entries: %w", log, size, err)
	}
	return h.String(), nil
}

// Sign makes the signed checkpoint of a head. It stores nothing.
func Sign(ctx context.Context, r Hasher, key *Key, h TreeHead) (Checkpoint, error) {
	root, err := RootAt(ctx, r, h.Log, h.Size)
	if err != nil {
		return Checkpoint{}, err
	}
	signer, err := key.signer(h.Log)
	if err != nil {
		return Checkpoint{}, err
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", key.LogOrigin(h.Log), h.Size, root)
	msg, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("sign checkpoint of audit log %s: %w", h.Log, err)
	}
	return Checkpoint{Log: h.Log, Size: h.Size, Root: root, Note: msg, Total: h.Total()}, nil
}

// ErrBadCheckpoint says that the text is no checkpoint that this key signed.
var ErrBadCheckpoint = errors.New("not a checkpoint signed by this log's key")

// OpenCheckpoint checks a signed note against the key and reads it. Total is
// not in a note and stays 0.
func OpenCheckpoint(key *Key, msg []byte) (Checkpoint, error) {
	origin, _, _ := strings.Cut(string(msg), "\n")
	log, ok := strings.CutPrefix(origin, key.Origin()+"/")
	if !ok {
		return Checkpoint{}, fmt.Errorf("%w: its origin is %q, not %s/YEAR", ErrBadCheckpoint, origin, key.Origin())
	}
	verifier, err := key.Verifier(log)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: origin %q: %w", ErrBadCheckpoint, origin, err)
	}
	n, err := note.Open(msg, note.VerifierList(verifier))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrBadCheckpoint, err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 {
		return Checkpoint{}, fmt.Errorf("%w: it has %d lines", ErrBadCheckpoint, len(lines)-1)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return Checkpoint{}, fmt.Errorf("%w: size %q", ErrBadCheckpoint, lines[1])
	}
	if root, err := base64.StdEncoding.DecodeString(lines[2]); err != nil || len(root) != tlog.HashSize {
		return Checkpoint{}, fmt.Errorf("%w: root %q", ErrBadCheckpoint, lines[2])
	}
	return Checkpoint{Log: log, Size: size, Root: lines[2], Note: msg}, nil
}

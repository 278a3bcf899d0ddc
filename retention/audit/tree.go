package audit

import (
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// tree is a Merkle tree of which only the roots of complete subtrees are kept:
// it grows leaf by leaf in memory that does not grow with it.
type tree struct {
	n     int64
	roots []tlog.Hash // of complete subtrees, largest first
}

// add appends a leaf and returns the hashes to store for it: its own, then
// those of the subtrees that it completes.
func (t *tree) add(leaf tlog.Hash) []tlog.Hash {
	out := []tlog.Hash{leaf}
	for range bits.TrailingZeros64(uint64(t.n + 1)) {
		last := len(t.roots) - 1
		leaf = tlog.NodeHash(t.roots[last], leaf)
		t.roots = t.roots[:last]
		out = append(out, leaf)
	}
	t.roots = append(t.roots, leaf)
	t.n++
	return out
}

// root is the tree's root, base64.
func (t *tree) root() string {
	if t.n == 0 {
		return emptyRoot()
	}
	last := len(t.roots) - 1
	h := t.roots[last]
	for _, left := range slices.Backward(t.roots[:last]) {
		h = tlog.NodeHash(left, h)
	}
	return h.String()
}

// emptyRoot is the root of a tree without leaves: SHA-256 of nothing (RFC 6962 §2.1).
func emptyRoot() string { return "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" }

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"
)

// The demo's trees of files: recordings whose date is in a database, and documents
// that rows own.
const (
	videosOf = "webinaire-videos"
	piecesOf = "cartesia-pieces"
)

// trees are the folders of files of the world, by the names of their sources with a
// hyphen.
func trees() []string { return []string{piecesOf, videosOf} }

// keptFiles is how many files a system has at most: rows beyond name files that are
// not there, and the disk stays small.
const keptFiles = 2000

// keep writes a file of the system into a tree of the world.
func (f *filler) keep(tree, path string, content []byte) {
	if f.err != nil || f.kept == keptFiles {
		return
	}
	f.kept++
	name := filepath.Join(f.dir, tree, filepath.FromSlash(path))
	if f.err = os.MkdirAll(filepath.Dir(name), 0o755); f.err == nil {
		f.err = os.WriteFile(name, content, 0o644)
	}
}

// document is what stands for a scanned document.
func document(kind string) []byte {
	return []byte("%PDF-1.4\n% demo: " + kind + "\n%%EOF\n")
}

// video is what stands for a recording: an empty film's head, and noise.
func (d *dice) video(size int) []byte {
	var b bytes.Buffer
	b.WriteString("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")
	for b.Len() < size {
		fmt.Fprintf(&b, "%016x", d.Uint64())
	}
	return b.Bytes()[:size]
}

// The private key of the sealed archives lies outside of the daemon's folder, with
// what was restored: they are a person's.
const (
	identityName = "identity.txt"
	restoredName = "restored.jsonl"
)

// keysOf is the folder of the person who has the key, beside the demo's.
func keysOf(dir string) string {
	abs, err := filepath.Abs(dir)
	if dir = filepath.Clean(dir); err != nil || filepath.Base(dir) == filepath.Base(abs) {
		return dir + "-dpo"
	}
	return abs + "-dpo" // "." has no name to add to
}

// makeIdentity writes a new private key, and returns its public one.
func makeIdentity(file string) (recipient string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	text := "# public key: " + id.Recipient().String() + "\n" + id.String() + "\n"
	return id.Recipient().String(), os.WriteFile(file, []byte(text), 0o600)
}

// sealedIn reports whether the policy's archives are sealed; others are tables.
func sealedIn(policy string) bool { return policy == "conservatoire" || policy == "cned" }

const vaultsIntro = `
# Archived rows are out of daily work until their end: sealed, which means encrypted to a person
# whose private key retentiond never has, or in tables of their own.
vaults:
`

// madeHere reports whether a demo makes a folder of that name.
func madeHere(name string) bool {
	policy, sealed := strings.CutPrefix(name, "vault-")
	return slices.Contains(trees(), name) || sealed && sealedIn(policy)
}

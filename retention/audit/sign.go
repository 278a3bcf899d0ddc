package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// What else the log's key signs: texts of an archive, under a name of their own
// that no year's log can have.
const archiveName = "archive"

// ErrBadNote says that a text was not signed by this key.
var ErrBadNote = errors.New("not signed by this key")

// SignArchive signs a text of an archive as a C2SP note. The text ends with a
// newline.
func (k *Key) SignArchive(text string) ([]byte, error) {
	signer, err := k.signer(archiveName)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(text, "\n") {
		return nil, fmt.Errorf("a text to be signed ends with a newline")
	}
	msg, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return nil, fmt.Errorf("sign with the audit key: %w", err)
	}
	return msg, nil
}

// OpenArchive checks a signed text of an archive: [ErrBadNote].
func (k *Key) OpenArchive(msg []byte) (string, error) {
	v, err := k.Verifier(archiveName)
	if err != nil {
		return "", err
	}
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadNote, err)
	}
	return n.Text, nil
}

// Derive is a secret for another purpose, which tells nothing of the key.
func (k *Key) Derive(purpose string) []byte {
	m := hmac.New(sha256.New, k.seed)
	m.Write([]byte("retentiond derived v1\x00" + purpose))
	return m.Sum(nil)
}

package audit

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"
)

// algEd25519 is the key type byte of a C2SP signed note.
const algEd25519 = 1

// Key is the log's Ed25519 signing key. Each year's log has an origin of its
// own, origin/year, and signs under that name with the same key.
type Key struct {
	path   string
	kept   string // where the newest checkpoint is kept; empty: beside the key
	origin string
	seed   []byte
	public ed25519.PublicKey
}

// ErrKey says that there is no key that fits the log: the file is missing, holds
// none, or holds another one.
var ErrKey = errors.New("the audit key is not the log's")

// LoadKey reads the note signer key file at path, of that origin. Where there is
// none, the error is fs.ErrNotExist too; none is made.
func LoadKey(path, origin string) (*Key, error) {
	if err := checkOrigin(origin); err != nil {
		return nil, err
	}
	return loadKey(path, origin)
}

// LoadOrCreateKey reads the note signer key file at path, or creates it (mode
// 0600, durable on return) where there is none. The file must be of that
// origin. A file that is there and cannot be read is an error, never replaced.
func LoadOrCreateKey(path, origin string) (*Key, error) {
	k, err := LoadKey(path, origin)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	skey, _, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return nil, fmt.Errorf("make an audit key: %w", err)
	}
	if err := createFile(path, []byte(skey+"\n")); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("create audit key file %s: %w", path, err)
	}
	return loadKey(path, origin)
}

func checkOrigin(origin string) error {
	bad := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '+' }
	if origin == "" || strings.ContainsFunc(origin, bad) || strings.HasSuffix(origin, "/") {
		return fmt.Errorf("audit origin %q: write a name like example.org/retention, without spaces, '+' or a final '/'", origin)
	}
	return nil
}

func loadKey(path, origin string) (*Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read audit key file %s: %w", path, err)
	}
	skey := strings.TrimSpace(string(text))
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, fmt.Errorf("%w: audit key file %s holds no note signer key (%w); restore it from a copy, never replace it: the state store knows the key", ErrKey, path, err)
	}
	if signer.Name() != origin {
		return nil, fmt.Errorf("audit key file %s is of origin %s, the configuration says %s; set audit.origin back", path, signer.Name(), origin)
	}
	// PRIVATE+KEY+name+hash+base64, in which '+' may occur again.
	parts := strings.SplitN(skey, "+", 5)
	raw, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, fmt.Errorf("%w: audit key file %s holds no Ed25519 key", ErrKey, path)
	}
	public, ok := ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: audit key file %s holds no Ed25519 key", ErrKey, path)
	}
	return &Key{path: path, origin: origin, seed: raw[1:], public: public}, nil
}

// Origin is the configured origin, without a year.
func (k *Key) Origin() string { return k.origin }

// LogOrigin is the origin of one year's log.
func (k *Key) LogOrigin(log string) string { return k.origin + "/" + log }

// CheckpointPath is where the newest checkpoint is kept: beside the key file, or as KeptAt says.
func (k *Key) CheckpointPath() string {
	if k.kept != "" {
		return k.kept
	}
	return k.path + ".checkpoint"
}

// Open says, for people, that others than this process's user may use the key file;
// empty: they may not, or nobody can tell. A file of another user that this process
// may read by its group alone, as a container's secrets are mounted, is as closed as it
// can be.
func (k *Key) Open() string {
	info, err := os.Stat(k.path)
	if err != nil || runtime.GOOS == "windows" || closed(info.Mode().Perm(), lentByGroup(info)) {
		return ""
	}
	return fmt.Sprintf("audit key file %s has mode %04o: others than its owner may use it, and sign a log as if it were this one; chmod 600 it", k.path, info.Mode().Perm())
}

// closed reports whether a mode lets nobody else use the file; lent: its group is how
// this process reads it.
func closed(mode fs.FileMode, lent bool) bool {
	if lent {
		mode &^= 0o050
	}
	return mode&0o077 == 0
}

// KeptAt is the same key with its newest checkpoint at path, for a key file whose
// directory cannot be written to; empty: beside the key file.
func (k *Key) KeptAt(path string) *Key {
	c := *k
	c.kept = path
	return &c
}

// Fingerprint names the public key, whatever the origin.
func (k *Key) Fingerprint() string {
	sum := sha256.Sum256(k.public)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// VerifierKey is the note verifier key of one year's log, as public tools take it.
func (k *Key) VerifierKey(log string) (string, error) {
	return note.NewEd25519VerifierKey(k.LogOrigin(log), k.public)
}

// Verifier verifies the signatures of one year's log.
func (k *Key) Verifier(log string) (note.Verifier, error) {
	vkey, err := k.VerifierKey(log)
	if err != nil {
		return nil, err
	}
	return note.NewVerifier(vkey)
}

func (k *Key) signer(log string) (note.Signer, error) {
	v, err := k.Verifier(log)
	if err != nil {
		return nil, err
	}
	priv := base64.StdEncoding.EncodeToString(append([]byte{algEd25519}, k.seed...))
	return note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", k.LogOrigin(log), v.KeyHash(), priv))
}

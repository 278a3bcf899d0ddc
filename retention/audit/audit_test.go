package audit

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

func TestEncode(t *testing.T) {
	at := time.Date(2026, 3, 1, 13, 0, 0, 123456000, time.FixedZone("", 3600))
	tests := []struct {
		name string
		n    int64
		e    Event
		want string
	}{
		{"head only", 1, Event{Kind: ConfigLoaded}, `{"n":1,"time":"2026-03-01T12:00:00.123456Z","kind":"config.loaded"}`},
		{"everything, data sorted", 7, Event{BatchIntent, "r", "shop", "carts", map[string]any{"z": 1, "a": "é<&>", "m": map[string]any{"y": 2, "b": nil}}},
			`{"n":7,"time":"2026-03-01T12:00:00.123456Z","kind":"batch.intent","run":"r","policy":"shop","rule":"carts","a":"é<&>","m":{"b":null,"y":2},"z":1}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := encode(tt.n, at, tt.e)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Error(diff)
			}
			h, err := ParseHead(got)
			if err != nil || h.N != tt.n || h.Kind != tt.e.Kind || !h.Time.Equal(at) {
				t.Errorf("ParseHead = %+v, %v", h, err)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	tests := []struct {
		name, want string
		e          Event
	}{
		{"no kind", "has no kind", Event{}},
		{"too long for a bundle", "at most 65535", Event{Kind: Access, Data: map[string]any{"x": strings.Repeat("x", MaxLine)}}},
		{"not JSON", `field "x"`, Event{Kind: Access, Data: map[string]any{"x": func() {}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := encode(1, time.Time{}, tt.e); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	for _, k := range reserved() {
		if checkEvent(Event{Kind: Access, Data: map[string]any{k: 1}}) == nil {
			t.Errorf("an event may name its field %q", k)
		}
	}
}

func newKey(t *testing.T, origin string) *Key {
	t.Helper()
	k, err := LoadOrCreateKey(filepath.Join(t.TempDir(), "audit.key"), origin)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.key")
	made, err := LoadOrCreateKey(path, "example.org/r")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	again, err := LoadOrCreateKey(path, "example.org/r")
	if err != nil || again.Fingerprint() != made.Fingerprint() {
		t.Fatalf("read again: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.tmp")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := LoadOrCreateKey(path, "example.org/other"); err == nil || !strings.Contains(err.Error(), "set audit.origin back") {
		t.Errorf("another origin: %v", err)
	}
	before := []byte("half a ke")
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrCreateKey(path, "example.org/r"); err == nil || !strings.Contains(err.Error(), "restore it from a copy") {
		t.Errorf("garbled: %v", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("a garbled key file was replaced")
	}
	for _, bad := range []string{"", "a b", "a+b", "a/"} {
		if _, err := LoadOrCreateKey(filepath.Join(t.TempDir(), "k"), bad); err == nil {
			t.Errorf("origin %q is taken", bad)
		}
	}
}

// A key file that others may use is told of.
func TestOpenKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.key")
	key, err := LoadOrCreateKey(path, "example.org/retention")
	if err != nil {
		t.Fatal(err)
	}
	for mode, told := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if got := key.Open(); (got != "") != told || told && !strings.Contains(got, path) {
			t.Errorf("mode %o: %q", mode, got)
		}
	}
}

func TestVerifierKeyIsANoteKey(t *testing.T) {
	k := newKey(t, "example.org/r")
	vkey, err := k.VerifierKey("2026")
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil || v.Name() != "example.org/r/2026" {
		t.Fatalf("verifier %v, %v", v, err)
	}
	s, err := k.signer("2026")
	if err != nil {
		t.Fatal(err)
	}
	msg, err := note.Sign(&note.Note{Text: "hello\n"}, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(msg, note.VerifierList(v)); err != nil {
		t.Error(err)
	}
}

func TestOpenCheckpointRefuses(t *testing.T) {
	k, other := newKey(t, "example.org/r"), newKey(t, "example.org/r")
	sign := func(k *Key, text string) []byte {
		s, err := k.signer("2026")
		if err != nil {
			t.Fatal(err)
		}
		msg, err := note.Sign(&note.Note{Text: text}, s)
		if err != nil {
			t.Fatal(err)
		}
		return msg
	}
	good := "example.org/r/2026\n0\n" + emptyRoot() + "\n"
	if c, err := OpenCheckpoint(k, sign(k, good)); err != nil || c.Log != "2026" || c.Root != emptyRoot() {
		t.Fatalf("good: %+v, %v", c, err)
	}
	for name, msg := range map[string][]byte{
		"another key":  sign(other, good),
		"another log":  sign(k, "example.org/s/2026\n0\n"+emptyRoot()+"\n"),
		"bad size":     sign(k, "example.org/r/2026\n-1\n"+emptyRoot()+"\n"),
		"bad root":     sign(k, "example.org/r/2026\n1\nxyz\n"),
		"no root":      sign(k, "example.org/r/2026\n1\n"),
		"edited":       []byte(strings.Replace(string(sign(k, good)), "\n0\n", "\n9\n", 1)),
		"not a note":   []byte("hello"),
		"empty":        nil,
		"odd log name": sign(k, "example.org/r/20 26\n0\n"+emptyRoot()+"\n"),
	} {
		if _, err := OpenCheckpoint(k, msg); err == nil {
			t.Errorf("%s is taken for a checkpoint", name)
		}
	}
}

func TestTreeIsTlogs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stored []tlog.Hash
		read := tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) {
			out := make([]tlog.Hash, len(ix))
			for i, x := range ix {
				out[i] = stored[x]
			}
			return out, nil
		})
		var tr tree
		for n := range rapid.Int64Range(0, 70).Draw(t, "n") {
			leaf := tlog.RecordHash([]byte{byte(n)})
			want, err := tlog.StoredHashesForRecordHash(n, leaf, read)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, tr.add(leaf)); diff != "" {
				t.Fatal(diff)
			}
			stored = append(stored, want...)
		}
		want, err := tlog.TreeHash(tr.n, read)
		if err != nil || want.String() != tr.root() {
			t.Fatalf("root of %d: %s, want %s (%v)", tr.n, tr.root(), want, err)
		}
	})
}

func TestTilePath(t *testing.T) {
	for _, tt := range []struct {
		level    string
		n, width int64
		want     string
	}{
		{"0", 0, 256, "tile/0/000"},
		{"1", 7, 3, "tile/1/007.p/3"},
		{"entries", 1234067, 256, "tile/entries/x001/x234/067"},
		{"0", 1000, 1, "tile/0/x001/000.p/1"},
	} {
		if got := tilePath(tt.level, tt.n, tt.width); got != tt.want {
			t.Errorf("tilePath(%s, %d, %d) = %s, want %s", tt.level, tt.n, tt.width, got, tt.want)
		}
	}
}

func TestDigestsTellNothingWithoutTheirSecret(t *testing.T) {
	a, b := []byte("secret a"), []byte("secret b")
	if first := Keyed(a, "2026", "person:42"); first != Keyed(a, "2026", "person:42") {
		t.Error("the same subject has two digests under one key")
	}
	digests := []string{Keyed(a, "2026", "person:42"), Keyed(b, "2026", "person:42"), Keyed(a, "2027", "person:42"), Keyed(a, "2026", "person:43"), Salted(a, "person:42")}
	seen := map[string]bool{}
	for _, d := range digests {
		if seen[d] || strings.Contains(d, "42") && strings.Contains(d, "person") {
			t.Errorf("digest %s", d)
		}
		seen[d] = true
	}
}

func TestEmptyRoot(t *testing.T) {
	h, err := tlog.TreeHash(0, nil)
	if err != nil || h.String() != emptyRoot() {
		t.Errorf("empty root %s, want %s, %v", emptyRoot(), h, err)
	}
	if _, err := base64.StdEncoding.DecodeString(emptyRoot()); err != nil {
		t.Error(err)
	}
}

package audit

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// FuzzParseHead: a line is read without a crash; what encode writes is read back.
func FuzzParseHead(f *testing.F) {
	for _, s := range []string{
		`{"n":1,"time":"2026-03-01T12:00:00.123456Z","kind":"config.loaded"}`, `{"n":7,"time":"2026-03-01T12:00:00Z","kind":"batch.intent","run":"r","clock_back_ms":5}`,
		``, `{}`, `null`, `[]`, `{"n":1e400}`, `{"n":"1"}`, `{"time":"0000-00-00"}`, "\xff", `{"n":1}{"n":2}`, `{"kind":"\u0000"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		h, err := ParseHead(line)
		if err != nil || h.Kind == "" || h.Time.Year() < 1 || h.Time.Year() > 9999 {
			return
		}
		h.Time = h.Time.UTC().Truncate(time.Microsecond)
		again, err := encode(h.N, h.Time, Event{Kind: h.Kind, Run: h.Run, Policy: h.Policy, Rule: h.Rule})
		if err != nil {
			return // too long
		}
		h.ClockBack = 0
		if back, err := ParseHead(again); err != nil || !back.Time.Equal(h.Time) || back.N != h.N || back.Kind != h.Kind || back.Run != h.Run || back.Policy != h.Policy || back.Rule != h.Rule {
			t.Fatalf("%s is %+v, then %+v (%v)", line, h, back, err)
		}
	})
}

// bytesLog is a log of lines as an attacker left it: verification reads it.
type bytesLog struct {
	lines  [][]byte
	hashes []tlog.Hash
	notes  []Checkpoint
	size   int64
	mac    []byte
}

func (b *bytesLog) Checkpoints(context.Context) ([]Checkpoint, error) { return b.notes, nil }
func (b *bytesLog) Logs(context.Context) ([]LogInfo, error) {
	return []LogInfo{{Log: "2026", Size: b.size, MAC: b.mac}}, nil
}

func (b *bytesLog) Lines(_ context.Context, _ string, after int64, limit int) (out []Stored, err error) {
	for n := after + 1; n <= int64(len(b.lines)) && len(out) < limit; n++ {
		h, _ := ParseHead(b.lines[n-1])
		out = append(out, Stored{N: n, At: h.Time, Kind: h.Kind, Run: h.Run, Line: b.lines[n-1]})
	}
	return out, nil
}

func (b *bytesLog) StoredHashes(_ context.Context, _ string, from, to int64) (out []StoredHash, err error) {
	for i := from; i < to && i < int64(len(b.hashes)); i++ {
		out = append(out, StoredHash{i, b.hashes[i]})
	}
	return out, nil
}

func (b *bytesLog) Hashes(_ context.Context, _ string, ix []int64) (out []tlog.Hash, err error) {
	for _, i := range ix {
		if i >= int64(len(b.hashes)) {
			return nil, fmt.Errorf("no hash %d", i)
		}
		out = append(out, b.hashes[i])
	}
	return out, nil
}

// grown is a log of n entries, signed at its end.
func grown(f *testing.F, key *Key, n int64) *bytesLog {
	f.Helper()
	b := &bytesLog{size: n}
	read := tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) { return b.Hashes(context.Background(), "", ix) })
	for i := range n {
		line, err := encode(i+1, time.Date(2026, 1, 1, 0, 0, int(i), 0, time.UTC), Event{Kind: Access, Run: "r", Data: map[string]any{"i": i}})
		if err != nil {
			f.Fatal(err)
		}
		hashes, err := tlog.StoredHashes(i, line, read)
		if err != nil {
			f.Fatal(err)
		}
		b.lines, b.hashes = append(b.lines, line), append(b.hashes, hashes...)
	}
	c, err := Sign(context.Background(), b, key, TreeHead{Log: "2026", Size: n})
	if err != nil {
		f.Fatal(err)
	}
	b.notes, b.mac = []Checkpoint{c}, key.Seal(TreeHead{Log: "2026", Size: n}, c.Root)
	return b
}

// FuzzVerify: a line that is not the one that was signed never verifies, with
// its hashes as they were or redone; and nothing crashes.
func FuzzVerify(f *testing.F) {
	key, err := LoadOrCreateKey(f.TempDir()+"/audit.key", "example.org/r")
	if err != nil {
		f.Fatal(err)
	}
	whole := grown(f, key, 9)
	for i, s := range []string{`{"n":1}`, ``, `null`, "\xff", string(whole.lines[3]), string(whole.lines[0])} {
		f.Add(uint8(i), []byte(s), i%2 == 0)
	}
	// Every field that a list shows is as it was.
	f.Add(uint8(3), bytes.Replace(whole.lines[3], []byte(`"i":3`), []byte(`"i":7`), 1), false)
	f.Fuzz(func(t *testing.T, at uint8, line []byte, rehash bool) {
		b := &bytesLog{lines: append([][]byte{}, whole.lines...), hashes: whole.hashes, notes: whole.notes, size: whole.size, mac: whole.mac}
		n := int(at) % len(b.lines)
		same := bytes.Equal(b.lines[n], line)
		b.lines[n] = line
		if rehash {
			b.hashes = nil
			for i, l := range b.lines {
				more, err := tlog.StoredHashes(int64(i), l, tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) { return b.Hashes(t.Context(), "", ix) }))
				if err != nil {
					t.Fatal(err)
				}
				b.hashes = append(b.hashes, more...)
			}
		}
		r, err := Verify(t.Context(), b, key, nil, nil)
		if err != nil || r.OK != same {
			t.Fatalf("line %d is %q: %+v, %v", n+1, line, r, err)
		}
		if !same && (r.FirstBad == nil || *r.FirstBad > int64(n+1) || !rehash && *r.FirstBad != int64(n+1)) {
			t.Fatalf("line %d is %q: %+v", n+1, line, r)
		}
	})
}

// FuzzOpenCheckpoint: no text that the key did not sign is a checkpoint.
func FuzzOpenCheckpoint(f *testing.F) {
	key, err := LoadOrCreateKey(f.TempDir()+"/audit.key", "example.org/r")
	if err != nil {
		f.Fatal(err)
	}
	signed := grown(f, key, 3).notes[0]
	verifier, err := key.Verifier("2026")
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{string(signed.Note), "", "example.org/r/2026\n0\n\n", "example.org/r/2026\n-1\nx\n\n— example.org/r/2026 AAAA\n", "example.org/r/\n", string(signed.Note) + "\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		c, err := OpenCheckpoint(key, msg)
		if err != nil {
			return
		}
		n, err := note.Open(msg, note.VerifierList(verifier))
		if err != nil || n.Text != fmt.Sprintf("example.org/r/2026\n%d\n%s\n", c.Size, c.Root) || c.Root != signed.Root {
			t.Fatalf("%q is taken for %+v (%v)", msg, c, err)
		}
	})
}

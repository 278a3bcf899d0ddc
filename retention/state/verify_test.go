package state

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/audit"
)

// fill appends n entries, some of them with a run.
func (b *bench) fill(n int) {
	b.t.Helper()
	for i := range n {
		_, err := b.Record(b.t.Context(), audit.Event{Kind: audit.SlotMissed, Run: fmt.Sprint("r", i%3), Data: map[string]any{"i": i}})
		must(b.t, err)
		b.pass(time.Second)
	}
}

func (b *bench) verify(ws ...audit.Witness) audit.Result {
	b.t.Helper()
	r, err := b.VerifyAudit(b.t.Context(), ws, "")
	must(b.t, err)
	return r
}

// rehash stores new hashes for a log's lines as they are now, as one who forges
// with care would.
func (b *bench) rehash(log string) {
	b.t.Helper()
	rows, err := logReader{b.Store}.Lines(b.t.Context(), log, 0, 1<<20)
	must(b.t, err)
	b.sql("DELETE FROM audit_hashes WHERE log = ?", log)
	for i, r := range rows {
		hashes, err := tlog.StoredHashes(int64(i), r.Line, tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) {
			return logReader{b.Store}.Hashes(b.t.Context(), log, ix)
		}))
		must(b.t, err)
		for j, h := range hashes {
			b.sql("INSERT INTO audit_hashes (log, idx, hash) VALUES (?, ?, ?)", log, tlog.StoredHashIndex(0, int64(i))+int64(j), h[:])
		}
	}
}

func TestVerifySaysWhere(t *testing.T) { onEach(t, testVerifySaysWhere) }

func testVerifySaysWhere(t *testing.T, on ground) {
	// 30 entries, checkpoints at 10 and 20 and 30.
	tests := []struct {
		name        string
		tamper      func(b *bench)
		first, last int64 // last 0: exact
		reason      string
	}{
		{"edited line", func(b *bench) { b.sql(`UPDATE audit_entries SET line = replace(line, '"i":6', '"i":9') WHERE n = 7`) }, 7, 0, "not the one that was hashed"},
		{"cut out of the middle", func(b *bench) { b.sql(`DELETE FROM audit_entries WHERE n = 12`) }, 12, 0, "missing"},
		{"two swapped", func(b *bench) {
			b.sql(`UPDATE audit_entries SET n = -4 WHERE n = 4`)
			b.sql(`UPDATE audit_entries SET n = 4 WHERE n = 5`)
			b.sql(`UPDATE audit_entries SET n = 5 WHERE n = -4`)
		}, 4, 0, "not the one that was hashed"},
		{"one inserted, the rest moved up", func(b *bench) {
			b.sql(`UPDATE audit_entries SET n = -n - 1 WHERE n >= 15`)
			b.sql(`UPDATE audit_entries SET n = -n WHERE n < 0`)
			b.sql(`INSERT INTO audit_entries SELECT log, 15, at, kind, run, line FROM audit_entries WHERE n = 14`)
		}, 15, 0, "not the one that was hashed"},
		{"one cut, the rest moved down, hashes redone", func(b *bench) {
			b.sql(`DELETE FROM audit_entries WHERE n = 15`)
			b.sql(`UPDATE audit_entries SET n = 1 - n WHERE n > 15`)
			b.sql(`UPDATE audit_entries SET n = -n WHERE n < 0`)
			b.rehash("2026")
			b.sql(`UPDATE audit_logs SET size = 29`)
		}, 11, 20, "entry 15: its line says n = 16"},
		{"edited with its hashes", func(b *bench) {
			b.sql(`UPDATE audit_entries SET line = replace(line, '"i":2', '"i":99') WHERE n = 13`)
			b.rehash("2026")
		}, 11, 20, "though their stored hashes fit"},
		{"a stored leaf hash changed", func(b *bench) {
			b.sql(`UPDATE audit_hashes SET hash = zeroblob(32) WHERE idx = ?`, tlog.StoredHashIndex(0, 20))
		}, 21, 0, "not the one that was hashed"},
		{"a stored inner hash changed", func(b *bench) {
			b.sql(`UPDATE audit_hashes SET hash = zeroblob(32) WHERE idx = ?`, tlog.StoredHashIndex(1, 2))
		}, 6, 0, "do not fit"},
		{"a stored hash removed", func(b *bench) {
			b.sql(`DELETE FROM audit_hashes WHERE idx = ?`, tlog.StoredHashIndex(0, 8))
		}, 9, 0, "stored hash is missing"},
		{"truncated", func(b *bench) {
			b.sql(`DELETE FROM audit_entries WHERE n > 25`)
			b.sql(`UPDATE audit_logs SET size = 25`)
		}, 26, 0, "30 entries, 25 are there"},
		{"truncated to an older checkpoint", func(b *bench) {
			b.sql(`DELETE FROM audit_entries WHERE n > 20`)
			b.sql(`DELETE FROM audit_hashes WHERE idx >= ?`, tlog.StoredHashCount(20))
			b.sql(`DELETE FROM audit_checkpoints WHERE size > 20`)
			b.sql(`UPDATE audit_logs SET size = 20`)
		}, 21, 0, "beside the key"},
		{"everything dropped", func(b *bench) {
			for _, table := range []string{"audit_entries", "audit_hashes", "audit_checkpoints", "audit_logs", "audit_head"} {
				b.sql("DELETE FROM " + table)
			}
		}, 1, 0, "which the store does not have"},
		{"head set back only", func(b *bench) { b.sql(`UPDATE audit_logs SET size = 22`) }, 23, 0, "after the log's end"},
		{"kind column changed", func(b *bench) { b.sql(`UPDATE audit_entries SET kind = 'access' WHERE n = 3`) }, 3, 0, "columns"},
		{"run column changed", func(b *bench) { b.sql(`UPDATE audit_entries SET run = '' WHERE n = 3`) }, 3, 0, "columns"},
		{"time column changed", func(b *bench) { b.sql(`UPDATE audit_entries SET at = at + 1 WHERE n = 3`) }, 3, 0, "columns"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := setup(t, on)
			for range 3 {
				b.fill(10)
				_, err := b.Checkpoint(t.Context())
				must(t, err)
			}
			if r := b.verify(); !r.OK || r.Size != 30 || r.FirstBad != nil {
				t.Fatalf("before: %+v", r)
			}
			tt.tamper(b)
			r := b.verify()
			if r.OK || r.FirstBad == nil || *r.FirstBad != tt.first || !strings.Contains(r.Reason, tt.reason) {
				t.Fatalf("got %+v (first %v), want first bad %d because %q", r, deref(r.FirstBad), tt.first, tt.reason)
			}
			if deref(r.LastBad) != tt.last {
				t.Errorf("last bad %d, want %d", deref(r.LastBad), tt.last)
			}
		})
	}
}

func deref(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}

func TestVerifyFindsForeignSignatures(t *testing.T) { onEach(t, testVerifyFindsForeignSignatures) }

func testVerifyFindsForeignSignatures(t *testing.T, on ground) {
	b := setup(t, on)
	b.fill(3)
	_, err := b.Checkpoint(t.Context())
	must(t, err)
	b.sql("UPDATE audit_checkpoints SET root = 'x'")
	if r := b.verify(); r.OK || !strings.Contains(r.Reason, "does not say what was signed") {
		t.Errorf("columns beside the note: %+v", r)
	}
	other := setup(t, on)
	other.fill(3)
	c, err := other.Checkpoint(t.Context())
	must(t, err)
	b.sql("UPDATE audit_checkpoints SET root = ?, note = ?", c.Root, c.Note)
	if r := b.verify(); r.OK || !strings.Contains(r.Reason, "another key") {
		t.Errorf("another key's note: %+v", r)
	}
}

func TestRollbackIsFound(t *testing.T) { onEach(t, testRollbackIsFound) }

func testRollbackIsFound(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	b.fill(5)
	old, err := b.Checkpoint(ctx)
	must(t, err)
	b.fill(5)
	c, err := b.Checkpoint(ctx)
	must(t, err)
	// The store goes back to the old checkpoint and grows again, otherwise.
	b.sql("DELETE FROM audit_entries WHERE n > 5")
	b.sql("DELETE FROM audit_hashes WHERE idx >= ?", tlog.StoredHashCount(5))
	b.sql("DELETE FROM audit_checkpoints WHERE size > 5")
	b.sql("UPDATE audit_logs SET size = 5")
	if _, err := b.Record(ctx, audit.Event{Kind: audit.Access}); !errors.Is(err, audit.ErrTail) {
		t.Errorf("an append to a log that was cut without the key: %v", err)
	}
	if _, err := b.Checkpoint(ctx); err == nil || !strings.Contains(err.Error(), "has 5 entries, the checkpoint beside the key has 10") {
		t.Errorf("checkpoint of a shorter log: %v", err)
	}
	b.reseal() // a store that was restored has the seal of then
	b.fill(8)
	if _, err := b.Checkpoint(ctx); err == nil || !strings.Contains(err.Error(), "not those of the checkpoint") {
		t.Errorf("checkpoint of another log: %v", err)
	}
	if r := b.verify(); r.OK || deref(r.FirstBad) != 6 || deref(r.LastBad) != 10 {
		t.Errorf("beside the key: %+v", r)
	}
	// Without the file, the source's gate and an auditor's copy still know.
	must(t, os.Remove(b.key.CheckpointPath()))
	if r := b.verify(); !r.OK {
		t.Errorf("nobody knows: %+v", r)
	}
	if r := b.verify(audit.Witness{Name: "crm", Total: c.Total, Root: c.Root}); r.OK || !strings.Contains(r.Reason, "source crm") {
		t.Errorf("gate: %+v", r)
	}
	if r := b.verify(audit.Witness{Name: "crm", Total: old.Total, Root: old.Root}); !r.OK {
		t.Errorf("gate that saw less: %+v", r)
	}
	file := filepath.Join(b.dir, "mine")
	must(t, os.WriteFile(file, c.Note, 0o600))
	if r, err := b.VerifyAudit(ctx, nil, file); err != nil || r.OK || !strings.Contains(r.Reason, file) {
		t.Errorf("auditor's checkpoint: %+v, %v", r, err)
	}
	l := b.begin("r1")
	src := retention.SourceRecord{Name: "crm"}
	_, err = b.Admit(ctx, src, l.Attempt, retention.Gate{Installed: true, StoreUUID: b.UUID(), LogSize: c.Total, LogRoot: c.Root})
	refused(t, err, retention.RefuseStateMismatch, "grew again")
	_, err = b.Admit(ctx, src, l.Attempt, retention.Gate{Installed: true, StoreUUID: b.UUID(), LogSize: 99, LogRoot: c.Root})
	refused(t, err, retention.RefuseStateMismatch, "check --adopt")
}

func TestYears(t *testing.T) { onEach(t, testYears) }

func testYears(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	b.at = time.Date(2026, 12, 31, 23, 59, 0, 0, time.UTC)
	l := b.begin("r1")
	must(t, b.Intend(ctx, intent("i1", l)))
	c26, err := b.Checkpoint(ctx)
	must(t, err)
	b.pass(2 * time.Minute)
	n, err := b.Record(ctx, audit.Event{Kind: audit.SlotMissed})
	must(t, err)
	if n != 3 {
		t.Fatalf("with an open intent the old year goes on: entry %d", n)
	}
	must(t, b.Conclude(ctx, "i1", retention.Outcome{Done: 10}, false))
	if e, err := b.Entry(ctx, "4"); err != nil || e.ID() != "2026/4" {
		t.Fatalf("the outcome belongs to its intent's year: %s, %v", e.ID(), err)
	}
	n, err = b.Record(ctx, audit.Event{Kind: audit.SlotMissed})
	must(t, err)
	if n != 2 {
		t.Fatalf("first of the new year after its opening: %d", n)
	}
	first, err := b.Entry(ctx, "2027/1")
	must(t, err)
	if !bytes.Contains(first.Line, []byte(`"closed":{"log":"2026","size":4`)) {
		t.Fatalf("first entry: %s", first.Line)
	}
	c27, err := b.Checkpoint(ctx)
	must(t, err)
	if c27.Log != "2027" || c27.Size != 2 || c27.Total != 6 {
		t.Fatalf("checkpoint: %+v", c27)
	}
	ws := []audit.Witness{{Name: "a", Total: c26.Total, Root: c26.Root}, {Name: "b", Total: c27.Total, Root: c27.Root}}
	if r := b.verify(ws...); !r.OK || r.Log != "2027" || r.Size != 2 || r.Root != c27.Root {
		t.Fatalf("verify: %+v", r)
	}
	// A gate that saw the old year does not take the new one for a rollback.
	l2, err := b.Lease(ctx, "next", []string{"rule:shop/carts"})
	must(t, err)
	_, err = b.Admit(ctx, retention.SourceRecord{}, l2.Attempt, retention.Gate{Installed: true, StoreUUID: b.UUID(), LogSize: c26.Total, LogRoot: c26.Root})
	must(t, err)
	t.Run("a closed year cut is found", func(t *testing.T) {
		b.sql("UPDATE audit_entries SET line = x'7b7d' WHERE log = '2026' AND n = 2")
		if r := b.verify(); r.OK || r.Log != "2026" || deref(r.FirstBad) != 2 {
			t.Errorf("verify: %+v", r)
		}
	})
	t.Run("a year removed is found", func(t *testing.T) {
		b.sql("DELETE FROM audit_logs WHERE log = '2026'")
		if r := b.verify(); r.OK || r.FirstBad == nil {
			t.Errorf("verify: %+v", r)
		}
	})
}

func TestClockSetBackIsDeclared(t *testing.T) { onEach(t, testClockSetBackIsDeclared) }

func testClockSetBackIsDeclared(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	b.fill(2)
	b.pass(-time.Hour)
	b.fill(1)
	e, err := b.Entry(ctx, "3")
	must(t, err)
	if !bytes.Contains(e.Line, []byte(`"clock_back_ms":`)) {
		t.Errorf("entry after the step: %s", e.Line)
	}
	if r := b.verify(); !r.OK {
		t.Errorf("a declared step: %+v", r)
	}
}

// Any sequence of appends verifies, and any single changed byte of a stored line
// is found at exactly its entry.
func TestAnyByteIsFound(t *testing.T) { onEach(t, testAnyByteIsFound) }

func testAnyByteIsFound(t *testing.T, on ground) {
	rapid.Check(t, func(rt *rapid.T) {
		b := &bench{t: t, on: on, dir: t.TempDir(), at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		s, err := Open(t.Context(), b.options())
		must(t, err)
		b.Store = s
		defer s.Close()
		var n int64
		for range rapid.IntRange(1, 8).Draw(rt, "transactions") {
			events := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) audit.Event {
				return audit.Event{Kind: audit.Access, Run: rapid.SampledFrom([]string{"", "r"}).Draw(rt, "run"),
					Data: map[string]any{"text": rapid.String().Draw(rt, "text"), "n2": rapid.Int64().Draw(rt, "n2")}}
			}), 1, 5).Draw(rt, "events")
			n, err = s.Record(t.Context(), events...)
			must(t, err)
			if rapid.Bool().Draw(rt, "sign") {
				_, err := s.Checkpoint(t.Context())
				must(t, err)
			}
		}
		if r := b.verify(); !r.OK || r.Size != n {
			rt.Fatalf("untouched: %+v", r)
		}
		at := rapid.Int64Range(1, n).Draw(rt, "entry")
		e, err := s.Entry(t.Context(), fmt.Sprint(at))
		must(t, err)
		line := slices.Clone(e.Line)
		i := rapid.IntRange(0, len(line)-1).Draw(rt, "byte")
		line[i] ^= byte(rapid.IntRange(1, 255).Draw(rt, "bits"))
		b.sql("UPDATE audit_entries SET line = ? WHERE n = ?", line, at)
		if r := b.verify(); r.OK || deref(r.FirstBad) != at || r.LastBad != nil {
			rt.Fatalf("byte %d of entry %d: %+v", i, at, r)
		}
	})
}

func TestExport(t *testing.T) { onEach(t, testExport) }

func testExport(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	b.fill(5)
	b.at = b.at.AddDate(1, 0, 0)
	b.fill(600)
	dir := filepath.Join(b.dir, "out")
	if d := os.Getenv("RETENTIOND_EXPORT_DIR"); d != "" {
		dir = d // kept, so that public tools can look at it
	}
	must(t, b.ExportAudit(ctx, dir))
	for _, name := range []string{"checkpoint", "log.vkey", "entries.jsonl", "tile/0/000", "tile/0/001", "tile/0/002.p/89", "tile/1/000.p/2",
		"tile/entries/000", "tile/entries/002.p/89", "2026/checkpoint", "2026/tile/entries/000.p/5", "2026/entries.jsonl"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	lines, err := os.ReadFile(filepath.Join(dir, "entries.jsonl"))
	must(t, err)
	if n := bytes.Count(lines, []byte("\n")); n != 601 {
		t.Errorf("%d lines", n)
	}
	checkTiles(t, dir, bytes.Split(bytes.TrimSpace(lines), []byte("\n")))
}

// checkTiles recomputes the root from the level 0 tiles and compares it with the
// signed checkpoint, as any public tool does.
func checkTiles(t *testing.T, dir string, lines [][]byte) {
	t.Helper()
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(ix))
		for i, x := range ix {
			out[i] = stored[x]
		}
		return out, nil
	})
	var leaves []byte
	for _, name := range []string{"000", "001", "002.p/89"} {
		data, err := os.ReadFile(filepath.Join(dir, "tile/0", name))
		must(t, err)
		leaves = append(leaves, data...)
	}
	for i, line := range lines {
		leaf := tlog.RecordHash(line)
		if !bytes.Equal(leaf[:], leaves[i*32:(i+1)*32]) {
			t.Fatalf("leaf %d is not its line's hash", i)
		}
		hashes, err := tlog.StoredHashesForRecordHash(int64(i), leaf, read)
		must(t, err)
		stored = append(stored, hashes...)
	}
	root, err := tlog.TreeHash(int64(len(lines)), read)
	must(t, err)
	f, err := os.Open(filepath.Join(dir, "checkpoint"))
	must(t, err)
	defer f.Close()
	text, err := io.ReadAll(f)
	must(t, err)
	if want := fmt.Sprintf("example.org/retention/2027\n%d\n%s\n", len(lines), root); !strings.HasPrefix(string(text), want) {
		t.Errorf("checkpoint:\n%s\nwant:\n%s", text, want)
	}
}

// Verification beside a log that grows and is signed meanwhile raises no alarm.
func TestVerifyBesideAppends(t *testing.T) { onEach(t, testVerifyBesideAppends) }

func testVerifyBesideAppends(t *testing.T, on ground) {
	b := setup(t, on)
	b.fill(50)
	other := b.open()
	stop, done := make(chan struct{}), make(chan error)
	go func() {
		var err error
		for more := true; more && err == nil; {
			select {
			case <-stop:
				more = false
			default:
				_, err = other.Record(t.Context(), audit.Event{Kind: audit.Access})
				if err == nil {
					_, err = other.Checkpoint(t.Context())
				}
			}
		}
		done <- err
	}()
	for range 30 {
		if r := b.verify(); !r.OK {
			t.Errorf("verify: %+v", r)
		}
	}
	close(stop)
	must(t, <-done)
}

func TestVerifierKeyAndSalts(t *testing.T) { onEach(t, testVerifierKeyAndSalts) }

func testVerifierKeyAndSalts(t *testing.T, on ground) {
	b, ctx := setup(t, on), t.Context()
	for _, year := range []string{"2026", "2027"} {
		at, err := time.Parse("2006", year)
		must(t, err)
		b.at = at
		_, err = b.Record(ctx, audit.Event{Kind: audit.Access})
		must(t, err)
		vkey, err := b.VerifierKey(ctx)
		must(t, err)
		if !strings.HasPrefix(vkey, "example.org/retention/"+year+"+") {
			t.Errorf("verifier key of %s: %s", year, vkey)
		}
	}
	one, err := b.Salted(ctx, "the same text")
	must(t, err)
	two, err := b.Salted(ctx, "the same text")
	must(t, err)
	if one == two {
		t.Error("one text has one digest: it can be guessed")
	}
	var salt []byte
	must(t, b.one(&salt, "SELECT salt FROM audit_salts WHERE digest = ?", one))
	if audit.Salted(salt, "the same text") != one {
		t.Error("the salt that is kept does not show what the text was")
	}
}

// reseal seals the log's head as it is, as the key's owner did.
func (b *bench) reseal() {
	b.t.Helper()
	ctx := b.t.Context()
	must(b.t, b.write(ctx, func(t *tx) error {
		c, err := b.sign(ctx, t)
		if err != nil {
			return err
		}
		return t.reseal(ctx, c)
	}))
}

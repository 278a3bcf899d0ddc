package main

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/retention/audit"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

// history is a site with several runs, holds and checkpoints; size is its log's.
// A copy of the store as it once was, with its checkpoint, is in old.
func history(t *testing.T) (s site, size int64) {
	t.Helper()
	s = newSite(t)
	s.approve()
	hold := s.hold("person:3")
	for id := 10; id < 13; id++ {
		s.due(id)
		s.do(exitOK, "run")
	}
	s.save("old", "state.db", "audit.key.checkpoint")
	s.do(exitOK, "hold", "release", hold, "--reason", "over", "--by", "Ada")
	s.do(exitOK, "plan")
	s.due(20)
	s.do(exitOK, "run")
	r := s.do(exitOK, "audit", "verify", "--output", "json").is("ok", "true", "first_bad", "null", "not_compared", "[]")
	size, err := strconv.ParseInt(r.get("size"), 10, 64)
	if err != nil || size < 25 {
		t.Fatalf("a log of %d entries: %v", size, err)
	}
	s.exec("state.db", "PRAGMA wal_checkpoint(TRUNCATE)")
	return s, size
}

// copyOf is the same site once more, in a directory of its own.
func (s site) copyOf(t *testing.T) site {
	t.Helper()
	c := site{T: t, dir: t.TempDir()}
	for _, f := range withSiblings([]string{"retentiond.yaml", "policies/shop.yaml", "crm.db", "state.db", "audit.key", "audit.key.checkpoint",
		"old/state.db", "old/audit.key.checkpoint"}) {
		if b, err := os.ReadFile(s.path(f)); err == nil {
			c.write(f, string(b))
		}
	}
	return c
}

// bad wants the log not to verify, first at an entry from lo to hi.
func (r reply) bad(lo, hi int64) {
	r.t.Helper()
	r.is("ok", "false")
	first, err := strconv.ParseInt(r.get("first_bad"), 10, 64)
	if err != nil || first < lo || first > hi {
		r.t.Errorf("first_bad is %d, want %d to %d: %s", first, lo, hi, r.out)
	}
}

func (s site) verify(args ...string) reply {
	s.Helper()
	return s.do(exitVerify, append([]string{"audit", "verify", "--output", "json"}, args...)...)
}

// rehash stores new hashes for the lines as they are, as one who can write to
// the state store and has no key would.
func (s site) rehash() {
	s.Helper()
	s.use("state.db", func(d *sql.DB) {
		var log string
		if err := d.QueryRow("SELECT log FROM audit_head").Scan(&log); err != nil {
			s.Fatal(err)
		}
		var stored []tlog.Hash
		read := tlog.HashReaderFunc(func(ix []int64) (out []tlog.Hash, err error) {
			for _, x := range ix {
				out = append(out, stored[x])
			}
			return out, nil
		})
		rows, err := d.Query("SELECT line FROM audit_entries ORDER BY n")
		if err != nil {
			s.Fatal(err)
		}
		defer rows.Close()
		for n := int64(0); rows.Next(); n++ {
			var line []byte
			if err := rows.Scan(&line); err != nil {
				s.Fatal(err)
			}
			more, err := tlog.StoredHashes(n, line, read)
			if err != nil {
				s.Fatal(err)
			}
			stored = append(stored, more...)
		}
		rows.Close()
		for _, q := range []string{"DELETE FROM audit_hashes", "UPDATE audit_logs SET size = (SELECT count(*) FROM audit_entries)"} {
			if _, err := d.Exec(q); err != nil {
				s.Fatal(err)
			}
		}
		for i, h := range stored {
			if _, err := d.Exec("INSERT INTO audit_hashes (log, idx, hash) VALUES (?, ?, ?)", log, i, h[:]); err != nil {
				s.Fatal(err)
			}
		}
	})
}

// reseal seals the log's head as it is, as one who has the key can.
func (s site) reseal() {
	s.Helper()
	key, err := audit.LoadKey(s.path("audit.key"), "example.org/retention")
	if err != nil {
		s.Fatal(err)
	}
	s.use("state.db", func(d *sql.DB) {
		var h audit.TreeHead
		if err := d.QueryRow("SELECT log, base, size FROM audit_logs").Scan(&h.Log, &h.Base, &h.Size); err != nil {
			s.Fatal(err)
		}
		root, err := tlog.TreeHash(h.Size, tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) {
			out := make([]tlog.Hash, len(ix))
			for i, x := range ix {
				var b []byte
				if err := d.QueryRow("SELECT hash FROM audit_hashes WHERE idx = ?", x).Scan(&b); err != nil {
					return nil, err
				}
				copy(out[i][:], b)
			}
			return out, nil
		}))
		if err == nil {
			_, err = d.Exec("UPDATE audit_logs SET mac = ?", key.Seal(h, root.String()))
		}
		if err != nil {
			s.Fatal(err)
		}
	})
}

// cutTo removes what came after a size, consistently.
func (s site) cutTo(size int64) {
	s.Helper()
	s.exec("state.db", fmt.Sprintf("DELETE FROM audit_entries WHERE n > %d", size), fmt.Sprintf("DELETE FROM audit_hashes WHERE idx >= %d", tlog.StoredHashCount(size)),
		fmt.Sprintf("DELETE FROM audit_checkpoints WHERE size > %d", size), fmt.Sprintf("UPDATE audit_logs SET size = %d", size))
}

const (
	dropEntry   = "DELETE FROM audit_entries WHERE n = %[1]d"
	moveDown    = "UPDATE audit_entries SET n = 1 - n WHERE n > %[1]d; UPDATE audit_entries SET n = -n WHERE n < 0"
	moveUp      = "UPDATE audit_entries SET n = -n - 1 WHERE n > %[1]d; UPDATE audit_entries SET n = -n WHERE n < 0"
	swapEntries = `UPDATE audit_entries SET n = -1 WHERE n = %[1]d; UPDATE audit_entries SET n = %[1]d WHERE n = %[1]d + 1;
		UPDATE audit_entries SET n = %[1]d + 1 WHERE n = -1`
	insertEntry = "INSERT INTO audit_entries SELECT log, %[1]d + 1, at, kind, run, line FROM audit_entries WHERE n = %[1]d"
	editEntry   = `UPDATE audit_entries SET line = CAST(replace(line, '{"n":', '{ "n":') AS BLOB) WHERE n = %[1]d`
)

// Whoever writes to the state store and has no key is found out: at the exact
// entry while the hashes are as they were, in the range up to the next signed
// checkpoint where they were redone (L8).
func TestForgedEntries(t *testing.T) {
	t.Parallel()
	whole, size := history(t)
	for name, forge := range map[string]string{
		"edited": editEntry, "dropped": dropEntry, "dropped and closed up": dropEntry + ";" + moveDown,
		"reordered": swapEntries, "inserted": moveUp + ";" + insertEntry,
	} {
		for _, n := range []int64{1, size / 2, size - 1} {
			first := n
			if name == "inserted" {
				first++
			}
			t.Run(fmt.Sprintf("%s at %d", name, n), func(t *testing.T) {
				t.Parallel()
				s := whole.copyOf(t)
				s.exec("state.db", fmt.Sprintf(forge, n))
				s.verify().bad(first, first)
				if name == "dropped" {
					return // a gap cannot be hashed
				}
				s.rehash()
				r := s.verify()
				r.bad(1, first)
				if strings.Contains(r.out, `"last_bad"`) {
					if last, err := strconv.ParseInt(r.get("last_bad"), 10, 64); err != nil || last < first {
						t.Errorf("the range ends with %d, before entry %d: %s", last, first, r.out)
					}
				}
			})
		}
	}
}

// A changed byte of any line, anywhere, is found at its entry; with its hashes
// redone it is found as well.
func TestForgedByte(t *testing.T) {
	t.Parallel()
	s, size := history(t)
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.Int64Range(1, size).Draw(rt, "entry")
		s.use("state.db", func(d *sql.DB) {
			var line []byte
			if err := d.QueryRow("SELECT line FROM audit_entries WHERE n = ?", n).Scan(&line); err != nil {
				t.Fatal(err)
			}
			edited := bytes.Clone(line)
			edited[rapid.IntRange(0, len(line)-1).Draw(rt, "byte")] ^= byte(rapid.IntRange(1, 255).Draw(rt, "bits"))
			if _, err := d.Exec("UPDATE audit_entries SET line = ? WHERE n = ?", edited, n); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if _, err := d.Exec("UPDATE audit_entries SET line = ? WHERE n = ?", line, n); err != nil {
					t.Fatal(err)
				}
			}()
			s.verifyHere(exitVerify).bad(n, n)
		})
	})
	s.verifyHere(exitOK)
}

// verifyHere verifies in this process.
func (s site) verifyHere(want int) reply {
	s.Helper()
	var out, errs bytes.Buffer
	args := []string{"--config", s.path("retentiond.yaml"), "audit", "verify", "--output", "json"}
	code := run(s.Context(), args, streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	return reply{s.T, code, out.String(), errs.String()}.wants(want, args)
}

// A log that is cut is found: by the checkpoint beside the key, and where that
// went back as well, by the sources.
func TestForgedRollback(t *testing.T) {
	t.Parallel()
	whole, size := history(t)
	signed := strings.Fields(whole.query("state.db", "SELECT size FROM audit_checkpoints ORDER BY size"))
	older, err := strconv.ParseInt(signed[len(signed)/2], 10, 64)
	if err != nil || older >= size {
		t.Fatalf("checkpoints %v", signed)
	}
	note := whole.query("state.db", fmt.Sprintf("SELECT note FROM audit_checkpoints WHERE size = %d", older))
	t.Run("last entries", func(t *testing.T) {
		s := whole.copyOf(t)
		s.exec("state.db", fmt.Sprintf("DELETE FROM audit_entries WHERE n > %d", size-2))
		s.verify().bad(size-1, size-1)
		s.cutTo(size - 2)
		s.verify().bad(size-1, size-1)
	})
	t.Run("to an older checkpoint", func(t *testing.T) {
		s := whole.copyOf(t)
		s.cutTo(older)
		s.verify().says("the log was cut")
	})
	t.Run("with the checkpoint beside the key", func(t *testing.T) {
		s := whole.copyOf(t)
		s.cutTo(older)
		s.write("audit.key.checkpoint", note)
		r := s.verify()
		r.bad(older+1, older+1)
		r.says("source crm has seen")
		s.due(30)
		s.untouched("crm.db", func() {
			s.do(exitRefused, "run", "--output", "json").says("state_mismatch")
		})
	})
	t.Run("and grown again", func(t *testing.T) {
		s := whole.copyOf(t)
		s.restore("old", "state.db", "audit.key.checkpoint")
		for n := int64(0); n <= size; n += 2 {
			s.do(exitOK, "stop-all", "--by", "Eve", "--reason", "grow")
			s.do(exitOK, "resume", "--by", "Eve", "--reason", "grow")
		}
		r := s.verify()
		r.bad(1, size)
		r.says("source crm")
	})
}

// Whoever writes to the state store and has no key cannot add to what was last
// signed: the tail does not verify, nothing signs it, and nothing acts (L8).
func TestForgedTail(t *testing.T) {
	t.Parallel()
	s, size := history(t)
	s.exec("state.db", fmt.Sprintf(`INSERT INTO audit_entries SELECT log, n + 1, at, kind, run, CAST(replace(line, '{"n":%[1]d,', '{"n":%[2]d,') AS BLOB) FROM audit_entries WHERE n = %[1]d`, size, size+1))
	s.rehash()
	r := s.verify()
	r.bad(size+1, size+1)
	r.says("was not written with the log's key")
	s.due(40)
	s.untouched("crm.db", func() {
		s.do(exitRefused, "run", "--output", "json").says("state_mismatch", "audit verify")
		s.do(exitRefused, "hold", "place", "--matter", "M", "--subject", "person:3", "--reason", "r", "--by", "Ada", "--output", "json").says("state_mismatch", "audit verify")
	})
	s.verify().bad(size+1, size+1)
	// A person may accept it, and the log says so.
	s.do(exitOK, "check", "--adopt", "--by", "Ada", "--reason", "investigated")
	s.do(exitOK, "audit", "list", "--output", "json").says("adopted_unsealed")
	s.do(exitOK, "run")
	s.do(exitOK, "audit", "verify")
}

// resign makes a new key and signs everything anew with it, as one who has the
// whole machine would.
func (s site) resign() {
	s.Helper()
	skey, _, err := note.GenerateKey(rand.Reader, "example.org/retention")
	if err != nil {
		s.Fatal(err)
	}
	s.write("audit.key", skey+"\n")
	s.remove("audit.key.checkpoint")
	probe := site{T: s.T, dir: s.T.TempDir()} // tells the new key's fingerprint
	probe.write("retentiond.yaml", siteConfig)
	probe.write("policies/shop.yaml", sitePolicy)
	probe.exec("crm.db", siteSQL)
	probe.write("audit.key", skey+"\n")
	probe.do(exitOK, "plan")
	print := probe.query("state.db", "SELECT value FROM meta WHERE name = 'audit_key'")
	s.rehash()
	s.exec("state.db", "DELETE FROM audit_checkpoints", "UPDATE meta SET value = '"+print+"' WHERE name = 'audit_key'")
	s.reseal()
}

// Another key signs another history only where nobody looked before: the
// sources have seen the roots, and an auditor has a checkpoint.
func TestForgedKey(t *testing.T) {
	t.Parallel()
	whole, size := history(t)
	auditors := whole.read("audit.key.checkpoint")
	t.Run("edited and signed anew", func(t *testing.T) {
		s := whole.copyOf(t)
		s.exec("state.db", fmt.Sprintf(editEntry, size/2))
		s.resign()
		r := s.verify()
		r.bad(1, size/2)
		r.says("source crm")
	})
	t.Run("only signed anew", func(t *testing.T) {
		s := whole.copyOf(t)
		s.resign()
		s.write("auditor", auditors)
		s.verify("--checkpoint", "auditor").is("ok", "false")
	})
	t.Run("a stored checkpoint of another key", func(t *testing.T) {
		s := whole.copyOf(t)
		other := newSite(t)
		other.do(exitOK, "plan")
		s.exec("state.db", "UPDATE audit_checkpoints SET note = CAST('"+other.read("audit.key.checkpoint")+"' AS BLOB) WHERE size = (SELECT max(size) FROM audit_checkpoints)")
		s.verify().says("another key")
	})
}

// A witness that is edited accuses; one that is removed is named as missing.
func TestForgedWitness(t *testing.T) {
	t.Parallel()
	whole, size := history(t)
	root := strings.Repeat("A", 43) + "="
	for name, q := range map[string]string{
		"root":          "UPDATE retentiond_gate SET log_root = '" + root + "'",
		"size raised":   fmt.Sprintf("UPDATE retentiond_gate SET log_size = %d", size+7),
		"size lowered":  "UPDATE retentiond_gate SET log_size = 3",
		"size and root": "UPDATE retentiond_gate SET log_size = 3, log_root = '" + root + "'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := whole.copyOf(t)
			s.exec("crm.db", q)
			s.verify().is("ok", "false").says("source crm")
		})
	}
	t.Run("of another store", func(t *testing.T) {
		t.Parallel()
		s := whole.copyOf(t)
		s.exec("crm.db", "UPDATE retentiond_gate SET store_uuid = 'x'")
		s.verify().is("ok", "false").says("source crm has seen", "another state store (x)")
	})
	for name, q := range map[string]string{
		"removed": "DROP TABLE retentiond_gate", "row removed": "DELETE FROM retentiond_gate",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := whole.copyOf(t)
			s.exec("crm.db", q)
			s.do(exitOK, "audit", "verify", "--output", "json").is("not_compared/len", "1").says("crm")
			s.do(exitOK, "audit", "verify").says("Not compared with source crm")
			s.due(30)
			s.untouched("crm.db", func() {
				s.do(exitRefused, "run", "--output", "json").says("state_mismatch")
			})
		})
	}
}

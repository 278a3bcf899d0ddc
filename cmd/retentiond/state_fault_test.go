package main

import (
	"database/sql"
	"os"
	"strings"
	"testing"
	"time"
)

// lived is a site whose store and source know each other: one run, one hold,
// and a row that is due again.
func lived(t *testing.T) site {
	t.Helper()
	s := newSite(t)
	s.hold("person:1")
	s.approve()
	s.due(7)
	return s
}

// A store that is not the one the source knows, or an older one, acts on
// nothing until a person adopts it; the adoption is audited, and works (L3).
func TestStrangeStateActsOnNothing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(s site)
		says  string
	}{
		{"lost, key kept", func(s site) { s.remove("state.db") }, "is not the one that was signed"},
		{"lost, and the checkpoint beside the key", func(s site) { s.remove("state.db", "audit.key.checkpoint") }, "knows another state store"},
		{"lost with its key", func(s site) { s.remove("state.db", "audit.key", "audit.key.checkpoint") }, "knows another state store"},
		{"of another system", func(s site) {
			other := lived(s.T)
			for _, f := range []string{"state.db", "audit.key", "audit.key.checkpoint"} {
				s.remove(f)
				s.write(f, other.read(f))
			}
		}, "knows another state store"},
		{"older than a hold", func(s site) {
			s.save("old", "state.db", "audit.key.checkpoint")
			s.hold("person:7")
			s.restore("old", "state.db", "audit.key.checkpoint")
		}, "it is older"},
		{"older than a run", func(s site) {
			s.save("old", "state.db", "audit.key.checkpoint")
			s.do(exitOK, "run")
			s.due(8)
			s.restore("old", "state.db", "audit.key.checkpoint")
		}, "it is older"},
		{"older than the checkpoint beside the key", func(s site) {
			s.save("old", "state.db")
			s.do(exitOK, "run")
			s.due(8)
			s.restore("old", "state.db")
		}, "was signed"},
		{"older than a run, and grown again", func(s site) {
			s.save("old", "state.db", "audit.key.checkpoint")
			s.do(exitOK, "run")
			s.due(8)
			s.restore("old", "state.db", "audit.key.checkpoint")
			for range 8 {
				s.do(exitOK, "stop-all", "--by", "Ada", "--reason", "grow")
				s.do(exitOK, "resume", "--by", "Ada", "--reason", "grow")
			}
		}, "not those that the source has seen"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := lived(t)
			tt.spoil(s)
			s.untouched("crm.db", func() {
				s.do(exitRefused, "run", "--approve", "--by", "Ada", "--output", "json").says("state_mismatch", tt.says, "check --adopt --by NAME --reason TEXT")
				s.do(exitRefused, "plan", "--output", "json").says("state_mismatch")
			})
			s.do(exitUsage, "check", "--adopt").oneError("--by is missing")
			s.do(exitOK, "check", "--adopt", "--by", "Ada", "--reason", "moved")
			s.do(exitOK, "audit", "list", "--output", "json").says(`"what": "adopt"`)
			s.approve()
			if got := s.query("crm.db", "SELECT count(*) FROM prospects WHERE id IN (2, 7)"); got != "0" {
				t.Errorf("after the adoption %s due rows are left", got)
			}
			s.do(exitOK, "audit", "verify")
		})
	}
}

// A second installation with a state file of its own never acts on the source,
// and neither can it take the source over unasked.
func TestSecondStateStore(t *testing.T) {
	t.Parallel()
	s := lived(t)
	s.write("second.yaml", strings.NewReplacer("state.db", "state2.db", "audit.key", "audit2.key").Replace(siteConfig))
	s.untouched("crm.db", func() {
		s.do(exitRefused, "--config", "second.yaml", "run", "--approve", "--by", "Eve").says("state_mismatch", "second installation")
		s.do(exitRefused, "--config", "second.yaml", "check", "--install").oneError("knows another state store")
		// A hold of the second store cannot be in force where the first one acts.
		s.do(exitRefused, "--config", "second.yaml", "hold", "place", "--matter", "M", "--subject", "person:7", "--reason", "r", "--by", "Eve", "--wait", "1s").
			says("placing", "knows state store")
	})
	s.do(exitOK, "run", "--output", "json").is("steps/0/done", "1")
}

// A state file that is none is refused and stays as it is.
func TestStateThatIsNone(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, says, remedy string
		make               func(s site)
	}{
		{"garbage", "is no SQLite database", "restore it from a copy", func(s site) { s.write("state.db", strings.Repeat("garbage ", 512)) }},
		{"another database", "is a database of something else", "a file of its own", func(s site) { s.exec("state.db", "CREATE TABLE customers (id)") }},
		{"the source itself", "is a database of something else", "a file of its own", func(s site) {
			s.write("retentiond.yaml", strings.Replace(siteConfig, "./state.db", "./crm.db", 1))
		}},
		{"a damaged page", "is damaged", "restore it from a copy", func(s site) {
			s.exec("state.db", "PRAGMA wal_checkpoint(TRUNCATE)")
			b := []byte(s.read("state.db"))
			for i := 4096; i < len(b); i++ {
				b[i] ^= 0x5a
			}
			s.remove("state.db")
			s.write("state.db", string(b))
		}},
		{"of a newer version", "from a newer version", "use that version", func(s site) {
			s.exec("state.db", "INSERT INTO retentiond_state_version (version_id, is_applied) VALUES (4711, 1)")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.hold("person:1")
			if tt.name != "of a newer version" && tt.name != "a damaged page" {
				s.remove("state.db")
			}
			tt.make(s)
			s.untouched("crm.db", func() {
				for _, args := range [][]string{{"run", "--approve", "--by", "Ada"}, {"plan"}, {"status"}} {
					s.do(exitError, args...).oneError(tt.says, tt.remedy)
				}
			})
			if got := s.query("crm.db", "SELECT count(*) FROM prospects"); got != "6" {
				t.Errorf("%s rows", got)
			}
		})
	}
}

// The audit key is the log's: unreadable, garbled, swapped or of another origin
// it stops everything, and none is ever made in its place.
func TestStrangeAuditKey(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, says, remedy string
		verify             int
		spoil              func(s site)
	}{
		{"garbled", "holds no note signer key", "restore it from a copy", exitVerify, func(s site) { s.write("audit.key", "PRIVATE+KEY+half") }},
		{"empty", "holds no note signer key", "restore it from a copy", exitVerify, func(s site) { s.write("audit.key", "") }},
		{"swapped", "its audit log is signed with the key", "put the right key file back", exitVerify, func(s site) {
			s.write("audit.key", func() string { o := lived(s.T); return o.read("audit.key") }())
		}},
		{"lost", "its audit log is signed with the key", "put the right key file back", exitVerify, func(s site) { s.remove("audit.key") }},
		{"of another origin", "is of origin", "set audit.origin back", 0, func(s site) {
			s.write("retentiond.yaml", strings.Replace(siteConfig, "example.org/retention", "example.org/other", 1))
		}},
		{"a directory", "read audit key file", "", 0, func(s site) {
			s.remove("audit.key")
			if err := os.Mkdir(s.path("audit.key"), 0o700); err != nil {
				s.Fatal(err)
			}
		}},
		{"its checkpoint garbled", "audit.key.checkpoint", "", 0, func(s site) { s.write("audit.key.checkpoint", "no note") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := lived(t)
			tt.spoil(s)
			before, hadErr := os.ReadFile(s.path("audit.key"))
			s.untouched("crm.db", func() {
				code := exitError
				if tt.name == "of another origin" { // what the configuration says is what is wrong
					code = exitUsage
				}
				s.do(code, "run").oneError(tt.says, tt.remedy)
			})
			if tt.verify != 0 {
				s.do(tt.verify, "audit", "verify", "--output", "json").is("ok", "false").says(tt.says)
				s.do(tt.verify, "audit", "verify").says("BAD", tt.remedy)
			}
			after, hasErr := os.ReadFile(s.path("audit.key"))
			if (hadErr == nil) != (hasErr == nil) || string(before) != string(after) {
				t.Errorf("the key file was replaced, or made anew")
			}
		})
	}
}

// A state store that another process keeps locked: nothing acts, and it is said
// after seconds, not minutes.
func TestLockedState(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"BEGIN EXCLUSIVE", "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE meta SET value = value"} {
		t.Run(strings.Fields(how)[0], func(t *testing.T) {
			t.Parallel()
			s := lived(t)
			s.untouched("crm.db", func() {
				s.use("state.db", func(d *sql.DB) {
					if _, err := d.Exec(how); err != nil {
						t.Fatal(err)
					}
					began := time.Now()
					s.do(exitError, "run").oneError("another process has locked the file", "end it or try again")
					if took := time.Since(began); took > 15*time.Second {
						t.Errorf("it took %s to say so", took)
					}
				})
			})
			s.do(exitOK, "run")
		})
	}
}

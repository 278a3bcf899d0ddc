package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// write puts a configuration into a new directory.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "retentiond.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// env is a lookup over a fixed environment.
func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func load(t *testing.T, text string, pairs ...string) *Config {
	t.Helper()
	c, err := Load(write(t, text), env(pairs...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const full = `
state: postgres://app@db/state
policies: [a.yaml, /etc/policies]
sources:
  CRM.main: {driver: sqlite, dsn: "./crm.db?mode=rw"}
  billing: {driver: postgres, dsn: "${BILLING_DSN}", dsn_read: "x-${RO}-y", backups: 35 days, parallel: 2,
    throttle: {replica_lag: 5s, lock_timeout: 2s, window: "22:00-06:00"}}
  weblogs: {driver: files, root: logs, gate: gates}
vaults:
  sealed: {path: ./vault, recipients: [age1l87l9c307jgd3q8c8wzcuu879ca8cy5aetzfdc64scxvtma0rc3s9tupd2]}
  far: {s3: {endpoint: "https://s3.example.org", bucket: b, secret_key: "${SK}", path_style: true}, recipients: age1l87l9c307jgd3q8c8wzcuu879ca8cy5aetzfdc64scxvtma0rc3s9tupd2}
  Cold: {source: CRM.main, prefix: archive_}
audit: {origin: example.org/retention, key_file: k}
holds: {grace: 60 jours}
keep: {audit: P6Y, plans: 1 year 6 months, holds: 5 years}
http: {listen: ":80"}
log: {level: debug, format: text}
`

func TestLoadEverything(t *testing.T) {
	c := load(t, full, "BILLING_DSN", "postgres://u:p@h/b", "RO", "ro", "SK", "s3cr3t")
	dir := filepath.Dir(c.File)
	want := &Config{
		File: c.File, Variables: c.Variables, State: "postgres://app@db/state",
		Policies: []string{filepath.Join(dir, "a.yaml"), "/etc/policies"},
		Sources: map[string]Source{
			"CRM.main": {Driver: "sqlite", DSN: Secret(filepath.Join(dir, "crm.db") + "?mode=rw")},
			"billing": {
				Driver: "postgres", DSN: "postgres://u:p@h/b", DSNRead: "x-ro-y", Backups: "35 days", Parallel: 2,
				Throttle: Throttle{ReplicaLag: 5 * time.Second, LockTimeout: 2 * time.Second, Window: "22:00-06:00"},
			},
			"weblogs": {Driver: "files", Root: filepath.Join(dir, "logs"), Gate: filepath.Join(dir, "gates")},
		},
		Vaults: map[string]Vault{
			"sealed": {Path: filepath.Join(dir, "vault"), Recipients: []string{"age1l87l9c307jgd3q8c8wzcuu879ca8cy5aetzfdc64scxvtma0rc3s9tupd2"}},
			"far": {
				S3:         &S3{Endpoint: "https://s3.example.org", Bucket: "b", SecretKey: "s3cr3t", PathStyle: true},
				Recipients: []string{"age1l87l9c307jgd3q8c8wzcuu879ca8cy5aetzfdc64scxvtma0rc3s9tupd2"},
			},
			"Cold": {Source: "CRM.main", Prefix: "archive_"},
		},
		Audit: Audit{Origin: "example.org/retention", KeyFile: filepath.Join(dir, "k")},
		Holds: Holds{"60 jours"}, Keep: Keep{"P6Y", "1 year 6 months", "5 years"},
		HTTP: HTTP{":80"}, Log: Log{"debug", "text"}, Schedule: Schedule{CatchUp: "one"},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
}

func TestLoadDefaults(t *testing.T) {
	for _, text := range []string{"{}", "# nothing\n", "sources: {}\n"} {
		c := load(t, text)
		dir := filepath.Dir(c.File)
		want := &Config{
			File: c.File, Variables: c.Variables, State: Secret("sqlite:" + filepath.Join(dir, "state.db")),
			Policies: []string{filepath.Join(dir, "policies")},
			Sources:  map[string]Source{}, Vaults: map[string]Vault{},
			Audit: Audit{Origin: "retentiond.local/retention", KeyFile: filepath.Join(dir, "audit.key")},
			Holds: Holds{"30 days"}, Keep: Keep{"6 years", "1 year", "5 years"},
			HTTP: HTTP{"127.0.0.1:8600"}, Log: Log{"info", "json"}, Schedule: Schedule{CatchUp: "one"},
		}
		if diff := cmp.Diff(want, c); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestExampleLoads(t *testing.T) {
	c := load(t, string(Example()))
	if got := c.Sources["crm"].Driver; got != "sqlite" {
		t.Errorf("driver of crm is %q", got)
	}
}

func TestEnvironmentOverrides(t *testing.T) {
	c := load(t, "sources:\n  CRM-1: {driver: postgres, dsn: \"${MISSING}\", dsn_file: gone}\n",
		"RETENTIOND_STATE", "sqlite:/var/s.db",
		"RETENTIOND_POLICIES", "/a,/b",
		"RETENTIOND_HTTP_LISTEN", "0.0.0.0:1",
		"RETENTIOND_LOG_LEVEL", "warn",
		"RETENTIOND_HOLDS_GRACE", "1 day",
		"RETENTIOND_AUDIT_KEY_FILE", "/k",
		"RETENTIOND_SOURCES_CRM_1_DSN", "postgres://u:a${b@h/d",
		"RETENTIOND_SOURCES_CRM_1_PARALLEL", "3",
		"RETENTIOND_SOURCES_CRM_1_THROTTLE_REPLICA_LAG", "9s")
	got := []any{
		c.State.Reveal(), c.Policies, c.HTTP.Listen, c.Log.Level, c.Holds.Grace, c.Audit.KeyFile,
		c.Sources["CRM-1"].DSN.Reveal(), c.Sources["CRM-1"].Parallel, c.Sources["CRM-1"].Throttle.ReplicaLag,
	}
	want := []any{
		"sqlite:/var/s.db", []string{"/a", "/b"}, "0.0.0.0:1", "warn", "1 day", "/k",
		"postgres://u:a${b@h/d", 3, 9 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Every option of the tree has a variable that reaches the Config.
func TestEveryOptionHasAVariable(t *testing.T) {
	var paths [][]string
	var walk func(o option, path []string)
	walk = func(o option, path []string) {
		for _, s := range o.sub {
			at := append(append([]string{}, path...), s.key)
			switch s.kind {
			case kindSection:
				walk(s, at)
			case kindNamed:
				walk(s, append(at, "x"))
			default:
				paths = append(paths, at)
			}
		}
	}
	walk(options(), nil)
	for _, p := range paths {
		asked := false
		path := write(t, "sources: {x: {driver: files, root: /r}}\nvaults: {x: {path: /v, recipients: [age1l87l9c307jgd3q8c8wzcuu879ca8cy5aetzfdc64scxvtma0rc3s9tupd2]}}\n")
		_, _ = Load(path, func(name string) (string, bool) {
			asked = asked || name == envName(p)
			return "", false
		})
		if !asked {
			t.Errorf("%s is never asked for", envName(p))
		}
	}
}

func TestDSNFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	if err := os.WriteFile(file, []byte("user:pw@tcp(h)/d \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := load(t, "sources: {shop: {driver: mysql, dsn_file: "+file+"}}")
	if got := c.Sources["shop"].DSN.Reveal(); got != "user:pw@tcp(h)/d " {
		t.Errorf("dsn is %q", got)
	}
}

func TestResolveSQLite(t *testing.T) {
	for in, want := range map[string]string{
		"crm.db": "/d/crm.db", "./a/crm.db?x=1": "/d/a/crm.db?x=1", "/abs.db": "/abs.db",
		":memory:": ":memory:", "file:crm.db?mode=ro": "file:/d/crm.db?mode=ro",
		"file:/abs.db": "file:/abs.db", "sqlite:./crm.db": "sqlite:/d/crm.db", "postgres://u:p@h/d": "postgres://u:p@h/d", "file::memory:?cache=shared": "file::memory:?cache=shared", "": "",
	} {
		if got := resolveSQLite("/d", in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestMissingFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"), env())
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "retentiond init") {
		t.Errorf("got %v", err)
	}
	_, err = find([]string{filepath.Join(t.TempDir(), "none.yaml")})
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "retentiond init") {
		t.Errorf("got %v", err)
	}
}

func TestFindTakesTheFirst(t *testing.T) {
	a, b := write(t, ""), write(t, "")
	got, err := find([]string{filepath.Join(t.TempDir(), "none"), a, b})
	if err != nil || got != a {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSecretNeverPrints(t *testing.T) {
	c := load(t, full, "BILLING_DSN", "postgres://u:hunter2@h/b", "RO", "hunter2", "SK", "hunter2")
	json, err := c.Sources["billing"].DSN.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", *c), fmt.Sprintf("%#v", c.Sources), string(json)} {
		if strings.Contains(out, "hunter2") {
			t.Errorf("the secret is in %s", out)
		}
	}
}

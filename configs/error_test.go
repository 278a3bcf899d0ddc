package configs

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRefusals(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"unknown keys", "sorces: {}\nlog: {lvel: info}\n", []string{
			`:1:1: unknown key "sorces" (did you mean sources?)`,
			`:2:7: log: unknown key "lvel" (did you mean level?)`,
		}},
		{"unknown key of a source", "sources:\n  crm: {driver: sqlite, dsn: a, dsn_raed: b}\n", []string{
			`:2:33: sources.crm: unknown key "dsn_raed" (did you mean dsn_read?)`,
		}},
		{"a password cut by a comma is not shown", "sources: {crm: {driver: postgres, dsn: postgres://u:p4,ss@h/d}}", []string{
			`:1:56: sources.crm: the key (not shown) has no value (write a value, or leave the key out)`,
		}},
		{"archives in the places of sources", "sources: {tree: {driver: files, root: ./a}, bucket: {driver: s3, endpoint: http://x, bucket: b, prefix: in, access_key: k, secret_key: s}}\n" +
			"vaults:\n  one: {path: ./a/v, recipients: [age1l87l9c307jgd3q8c8wzcuu879ca8cy5aetzfdc64scxvtma0rc3s9tupd2]}\n  two: {s3: {endpoint: http://x, bucket: b, prefix: in/v, access_key: k, secret_key: s}, recipients: [age1l87l9c307jgd3q8c8wzcuu879ca8cy5aetzfdc64scxvtma0rc3s9tupd2]}\n  ok: {path: ./av, recipients: [age1l87l9c307jgd3q8c8wzcuu879ca8cy5aetzfdc64scxvtma0rc3s9tupd2]}\n", []string{
			`:3:15: vaults.one.path: lies within the place of source tree: its rules might take the archive for files of their own (a place outside of it)`,
			`:4:13: vaults.two.s3: lies within the place of source bucket: its rules might take the archive for files of their own (a place outside of it)`,
		}},
		{"duplicate keys", "log: {level: info, level: debug}\nstate: sqlite:a\nstate: sqlite:b\n", []string{
			`:1:20: log: the key "level" is there twice (first on line 1) (keep one of them)`,
			`:3:1: the key "state" is there twice (first on line 2) (keep one of them)`,
		}},
		{"nothing", " \n", []string{":1:1: the file is empty (write sources: and policies: at least, or let `retentiond init` write one in another directory)"}},
		{"no value", "http:\n", []string{`:1:1: the key "http" has no value (write a value, or leave the key out)`}},
		{"aliases", "log: &l {level: info}\n", []string{`:1:6: log: YAML aliases, anchors and tags are not allowed (write the value out)`}},
		{"names differ in case", "sources:\n  crm: {driver: files, root: a}\n  CRM: {driver: files, root: b}\n", []string{
			`:3:3: sources: two names differ only in case: CRM (rename one of them)`,
		}},
		{"names the environment cannot tell", "sources:\n  c-m: {driver: files, root: a}\n  c_m: {driver: files, root: b}\n", []string{
			`:3:3: sources.c_m: the environment cannot tell it from c-m (rename one of them)`,
		}},
		{"missing variable", "sources: {crm: {driver: postgres, dsn: \"postgres://${USER_X}:${PW_X}@h\"}}", []string{
			`:1:40: sources.crm.dsn: the variable USER_X is not set (set it in the daemon's environment)`,
			`:1:40: sources.crm.dsn: the variable PW_X is not set (set it in the daemon's environment)`,
		}},
		{"open variable", "sources: {crm: {driver: postgres, dsn: \"a${B\"}}", []string{
			`:1:40: sources.crm.dsn: a ${…} is not closed or names no variable (${NAME}, letters, digits and _)`,
		}},
		{"wrong kinds", "state: [a]\nlog: info\nsources: {crm: {driver: sqlite, dsn: a, parallel: 0, throttle: {replica_lag: 5}}}\npolicies: {a: b}\n", []string{
			`:1:8: state: must be a single value`,
			`:2:6: log: must be a mapping`,
			`:3:51: sources.crm.parallel: "0" is no whole number above 0`,
			`:3:78: sources.crm.throttle.replica_lag: "5" is no duration (such as 5s or 500ms)`,
			`:4:11: policies: must be a text or a list of texts`,
		}},
		{"values", "state: mongo\npolicies: []\naudit: {origin: a b}\nholds: {grace: forever}\nhttp: {listen: nowhere}\nlog: {level: inof, format: xml}\n", []string{
			`:1:8: state: names no state store (sqlite:./state.db or postgres://…)`,
			`:2:11: policies: names no file or directory (policies: ./policies)`,
			`:3:17: audit.origin: must be a name without spaces and + (such as example.org/retention)`,
			`:4:16: holds.grace: period "forever" has no end: where data is kept on purpose, write exempt with the reason; otherwise decide how long (such as 30 days or 6 years)`,
			`:5:16: http.listen: "nowhere" is no host:port (such as 127.0.0.1:8600)`,
			`:6:14: log.level: cannot be "inof" (did you mean info?)`,
			`:6:28: log.format: cannot be "xml" (one of: json, text)`,
		}},
		{"sources", "sources:\n  a: {dsn: x}\n  b: {driver: oracle, dsn: x}\n  c: {driver: postgres}\n  d: {driver: files}\n  e: {driver: mysql, dsn_file: gone}\n  f: {driver: sqlite, dsn: a, backups: 35 dyas, throttle: {window: 25:00-06:00}}\n", []string{
			`:2:3: sources.a: has no driver (one of: sqlite, postgres, mysql, mariadb, files, s3)`,
			`:3:15: sources.b.driver: cannot be "oracle" (one of: sqlite, postgres, mysql, mariadb, files, s3)`,
			`:4:3: sources.c: has no dsn (dsn: or dsn_file:)`,
			`:5:3: sources.d: has no root (root: the directory)`,
			`:6:32: sources.e.dsn_file: cannot be read: open DIR/gone: no such file or directory`,
			`:7:40: sources.f.backups: period "35 dyas": unknown unit "dyas"; write whole numbers and units, e.g. 13 months, 1 year 6 months, 90 days, 36 hours, 13 mois, P3Y (such as 30 days or 6 years)`,
			`:7:68: sources.f.throttle.window: "25:00-06:00" is no window (such as 22:00-06:00)`,
		}},
		{"vaults", "sources: {crm: {driver: sqlite, dsn: a}}\nvaults:\n  a: {}\n  b: {path: p}\n  c: {source: crn, prefix: x}\n  d: {source: crm}\n  e: {path: p, source: crm}\n", []string{
			`:3:3: vaults.a: must have exactly one place (path, s3 or source)`,
			`:4:3: vaults.b: a sealed vault needs recipients (recipients: [age1…], the people who may open it)`,
			`:5:15: vaults.c.source: unknown source "crn" (a source of rows from sources:)`,
			`:6:3: vaults.d: a vault of tables needs a schema or a prefix, not both (schema: archive, or prefix: archive_)`,
			`:7:3: vaults.e: must have exactly one place (path, s3 or source)`,
		}},
		{"recipients", "vaults:\n  a: {path: p, recipients: [AGE-SECRET-KEY-1X]}\n", []string{
			`:2:28: vaults.a.recipients: recipient 1 is no age public key (age1…, as age-keygen -y prints it)`,
		}},
		{"documents", "log: {}\n---\nlog: {}\n", []string{`:2:1: the file holds several YAML documents (one configuration per file)`}},
		{"no YAML", "log: {level: info\nx: *hunter2\n", []string{`:1:1: not valid YAML: did not find expected ',' or '}' (quote a value that starts with a special character)`}},
		{"an unknown anchor is not shown", "state: *hunter2\n", []string{`:1:1: not valid YAML: unknown anchor referenced (quote a value that starts with a special character)`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, tt.text)
			_, err := Load(path, env())
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			got := strings.ReplaceAll(err.Error(), path, "")
			got = strings.ReplaceAll(got, filepath.Dir(path), "DIR")
			if diff := cmp.Diff(tt.want, strings.Split(got, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"./crm.db": "./crm.db",
		"postgres://u:hunter2@h:5432/d?sslmode=disable":            "postgres://u:***@h:5432/d?sslmode=disable",
		"postgres://h/d?user=u&password=hunter2&x=1":               "postgres://h/d?user=u&password=***&x=1",
		"postgres://u:hunt%zz@h/d":                                 "postgres://***",
		"host=h user=u password=hunter2 dbname=d":                  "host=h user=u password=*** dbname=d",
		`host=h password='hun ter\'2' dbname=d`:                    "host=h password=*** dbname=d",
		"host=h user=u@x password=hunter2":                         "host=h user=u@x password=***",
		"u:hun@ter2@tcp(h:3306)/d?tls=true":                        "u:***@tcp(h:3306)/d?tls=true",
		"u@unix(/sock)/d":                                          "u@unix(/sock)/d",
		"crm.db?_auth_pass=hunter2&mode=ro":                        "crm.db?_auth_pass=***&mode=ro",
		"https://k:hunter2@s3.example.org/b?secret_access_key=abc": "https://k:***@s3.example.org/b?secret_access_key=***",
	} {
		if got := Redact(in); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
}

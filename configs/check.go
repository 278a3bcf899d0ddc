package configs

import (
	"net"
	"regexp"
	"slices"
	"strings"

	"filippo.io/age"
	"github.com/retentiond/retentiond/retention/calendar"
)

// check tests the form of the values that have one.
func (r *reader) check(c *Config) {
	state := c.State.Reveal()
	if !strings.HasPrefix(state, "sqlite:") && !strings.HasPrefix(state, "postgres://") && !strings.HasPrefix(state, "postgresql://") {
		r.fail(nil, []string{"state"}, "sqlite:./state.db or postgres://…", "names no state store")
	}
	if state == "sqlite:" {
		r.fail(nil, []string{"state"}, "sqlite:./state.db", "names no file")
	}
	if len(c.Policies) == 0 || slices.Contains(c.Policies, "") {
		r.fail(nil, []string{"policies"}, "policies: ./policies", "names no file or directory")
	}
	if !regexp.MustCompile(`^[^\s+]+$`).MatchString(c.Audit.Origin) {
		r.fail(nil, []string{"audit", "origin"}, "such as example.org/retention", "must be a name without spaces and +")
	}
	r.period(c.Holds.Grace, "holds", "grace")
	r.period(c.Keep.Audit, "keep", "audit")
	r.period(c.Keep.Plans, "keep", "plans")
	r.period(c.Keep.Holds, "keep", "holds")
	if _, _, err := net.SplitHostPort(c.HTTP.Listen); err != nil && c.HTTP.Listen != "" {
		r.fail(nil, []string{"http", "listen"}, "such as 127.0.0.1:8600", "%q is no host:port", c.HTTP.Listen)
	}
	r.oneOf(c.Log.Level, []string{"debug", "info", "warn", "error"}, "log", "level")
	r.oneOf(c.Log.Format, []string{"json", "text"}, "log", "format")
	r.oneOf(c.Schedule.CatchUp, []string{"skip", "one", "all"}, "schedule", "catch_up")
}

func (r *reader) oneOf(value string, words []string, path ...string) {
	if !slices.Contains(words, value) {
		r.fail(nil, path, didYouMean(value, words), "cannot be %q", value)
	}
}

// period refuses what is no period here: found later, it would be after rows went.
func (r *reader) period(value string, path ...string) {
	if _, err := calendar.ParsePeriod(value); err != nil {
		r.fail(nil, path, "such as 30 days or 6 years", "%v", err)
	}
}

// drivers lists the kinds of source; those of files keep no rows.
func drivers() []string { return []string{"sqlite", "postgres", "mysql", "mariadb", "files", "s3"} }

// IsSQL reports whether the source is a database of rows.
func (s Source) IsSQL() bool { return s.Driver != "files" && s.Driver != "s3" }

// checkSource tests one source.
func (r *reader) checkSource(name string, s Source) {
	at := func(key string) []string { return []string{"sources", name, key} }
	if s.Driver == "" {
		r.fail(nil, []string{"sources", name}, "one of: "+strings.Join(drivers(), ", "), "has no driver")
		return
	}
	r.oneOf(s.Driver, drivers(), at("driver")...)
	if s.IsSQL() && s.DSN == "" && s.DSNFile == "" && slices.Contains(drivers(), s.Driver) {
		r.fail(nil, []string{"sources", name}, "dsn: or dsn_file:", "has no dsn")
	}
	if s.AtOnce > 0 {
		r.fail(nil, at("at_once"), "it belongs to dsns and dsns_file", "at_once has no meaning for one database")
	}
	if s.Driver == "files" && s.Root == "" {
		r.fail(nil, []string{"sources", name}, "root: the directory", "has no root")
	}
	r.checkBucket(name, s)
	if s.Backups != "" {
		r.period(s.Backups, at("backups")...)
	}
	if rate := s.Throttle.Rate; rate != "" && rate != "unlimited" && s.Throttle.RowsPerSecond() <= 0 {
		r.fail(nil, append(at("throttle"), "rate"), "rows a second such as 20000, or unlimited", "%q is no rate", rate)
	}
	clock := `(?:[01][0-9]|2[0-3]):[0-5][0-9]`
	if w := s.Throttle.Window; w != "" && !regexp.MustCompile("^"+clock+"-"+clock+"$").MatchString(w) {
		r.fail(nil, append(at("throttle"), "window"), "such as 22:00-06:00", "%q is no window", w)
	}
}

// checkBucket tests what only a source of objects has.
func (r *reader) checkBucket(name string, s Source) {
	at := []string{"sources", name}
	if s.Driver != "s3" {
		if s.S3 != (S3{}) {
			r.fail(nil, at, "they belong to driver s3", "endpoint, region, bucket, prefix, keys and path_style have no meaning for driver %s", s.Driver)
		}
		return
	}
	if s.Endpoint == "" || s.Bucket == "" {
		r.fail(nil, at, `endpoint: "https://s3.example.org", and bucket:`, "names no bucket of a service")
	}
	if s.AccessKey == "" || s.SecretKey == "" {
		r.fail(nil, at, "access_key_file: and secret_key_file:, or access_key: and secret_key: as ${NAME} from the environment", "has no keys")
	}
	if s.Root != "" || s.DSN != "" || s.DSNFile != "" {
		r.fail(nil, at, "prefix: the objects' names begin with it", "root and dsn have no meaning for driver s3")
	}
}

// checkVault tests one vault: sealed at a path or in a bucket, or tables of a
// source.
func (r *reader) checkVault(c *Config, name string, v Vault) {
	at := []string{"vaults", name}
	kinds := 0
	for _, set := range []bool{v.Path != "", v.S3 != nil, v.Source != ""} {
		if set {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		r.fail(nil, at, "path, s3 or source", "must have exactly one place")
	case v.Source != "":
		r.checkTableVault(c, at, v)
	case len(v.Recipients) == 0:
		r.fail(nil, at, "recipients: [age1…], the people who may open it", "a sealed vault needs recipients")
	case r.recipients(at, v.Recipients):
	case v.Schema != "" || v.Prefix != "":
		r.fail(nil, at, "they belong to source", "schema and prefix have no meaning in a sealed vault")
	}
}

// recipients refuses what is no public key, which is not shown: it may be the secret one.
func (r *reader) recipients(at, keys []string) (bad bool) {
	for i, key := range keys {
		if _, err := age.ParseX25519Recipient(strings.TrimSpace(key)); err != nil {
			bad = true
			r.fail(nil, append(slices.Clone(at), "recipients"), "age1…, as age-keygen -y prints it", "recipient %d is no age public key", i+1)
		}
	}
	return bad
}

func (r *reader) checkTableVault(c *Config, at []string, v Vault) {
	s, ok := c.Sources[v.Source]
	if f := c.Fleets[v.Source]; len(f.Tenants) > 0 { // in each tenant itself
		s, ok = c.Sources[f.Tenants[0]]
	}
	switch {
	case !ok || !s.IsSQL():
		r.fail(nil, append(at, "source"), "a source of rows from sources:", "unknown source %q", v.Source)
	case (v.Schema == "") == (v.Prefix == ""):
		r.fail(nil, at, "schema: archive, or prefix: archive_", "a vault of tables needs a schema or a prefix, not both")
	case len(v.Recipients) > 0:
		r.fail(nil, at, "they belong to path or s3", "recipients have no meaning in a vault of tables")
	}
}

package configs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Fleet is a source that stands for many databases of one schema: its tenants are
// the sources FLEET/NAME.
type Fleet struct {
	Tenants []string // names of sources, sorted
	AtOnce  int      // databases open at once; 0: the engine's default
	File    string   // that lists them; empty: the configuration does
	Each    Source   // what all of them have
}

// WithTenants is the configuration with the tenants that another has of its fleets.
// A fleet of which the other says
// anything else otherwise is left as it is: that needs a restart.
func (c *Config) WithTenants(other *Config) *Config {
	out := *c
	out.Sources, out.Fleets = maps.Clone(c.Sources), maps.Clone(c.Fleets)
	for name, f := range c.Fleets {
		now, ok := other.Fleets[name]
		if !ok || now.AtOnce != f.AtOnce || now.File != f.File || !reflect.DeepEqual(now.Each, f.Each) {
			continue
		}
		maps.DeleteFunc(out.Sources, func(_ string, s Source) bool { return s.Fleet == name })
		for _, tenant := range now.Tenants {
			out.Sources[tenant] = other.Sources[tenant]
		}
		out.Fleets[name] = now
	}
	return &out
}

// Print changes whenever a list of tenants does. A list that cannot be read has a
// print of its own.
func (c *Config) Print() string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(c.Fleets)) {
		if file := c.Fleets[name].File; file != "" {
			text, err := os.ReadFile(file)
			fmt.Fprintf(sum, "%q %t %q\n", file, err == nil, text)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// isFleet reports whether the source is many databases.
func (s Source) isFleet() bool { return s.DSNsFile != "" || len(s.DSNs) > 0 }

// tenant is a line of a fleet's list.
type tenant struct {
	line int
	name string
	dsn  Secret
}

// completeFleet puts the tenants in the place of the fleet: each has its options.
func (r *reader) completeFleet(dir, name string, s Source, c *Config) {
	at := func(key string) []string { return []string{"sources", name, key} }
	delete(c.Sources, name)
	for _, bad := range []struct {
		key string
		set bool
	}{{"dsn", s.DSN != ""}, {"dsn_file", s.DSNFile != ""}, {"dsn_read", s.DSNRead != ""}, {"root", s.Root != ""}} {
		if bad.set {
			r.fail(nil, at(bad.key), "one or the other", "%s has no meaning beside a list of DSNs", bad.key)
		}
	}
	if s.DSNsFile != "" && len(s.DSNs) > 0 {
		r.fail(nil, at("dsns_file"), "one of them", "dsns and dsns_file are both set")
		return
	}
	lines, key := s.DSNs, "dsns"
	if s.DSNsFile = resolve(dir, s.DSNsFile); s.DSNsFile != "" {
		text, err := os.ReadFile(s.DSNsFile)
		if err != nil {
			r.fail(nil, at("dsns_file"), "", "%s", fmt.Errorf("cannot be read: %w", err))
			return
		}
		lines, key = nil, "dsns_file"
		for l := range strings.SplitSeq(string(text), "\n") {
			lines = append(lines, Secret(l))
		}
	}
	f := Fleet{AtOnce: s.AtOnce, File: s.DSNsFile, Each: s}
	f.Each.DSNsFile, f.Each.DSNs, f.Each.AtOnce, f.Each.Fleet = "", nil, 0, name
	for _, t := range r.tenants(s.Driver, lines, at(key)) {
		one := f.Each
		one.DSN = t.dsn
		before := len(r.problems)
		if r.completeSource(dir, name, &one); len(r.problems) > before { // of all of them: said once
			return
		}
		c.Sources[name+"/"+t.name] = one
		f.Tenants = append(f.Tenants, name+"/"+t.name)
	}
	slices.Sort(f.Tenants)
	if c.Fleets == nil {
		c.Fleets = map[string]Fleet{}
	}
	c.Fleets[name] = f
}

// tenants reads one DSN a line, as DSN or NAME=DSN; blank lines and comments are
// passed over. A mistake is told by its line, never by its text.
func (r *reader) tenants(driver string, lines []Secret, path []string) (out []tenant) {
	names, dsns := map[string]int{}, map[Secret]int{}
	for i, l := range lines {
		text := strings.TrimSpace(l.Reveal())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		t := tenant{line: i + 1}
		name, dsn := splitTenant(driver, text)
		if t.name, t.dsn = name, Secret(dsn); name == "" {
			t.name = databaseOf(driver, dsn)
		}
		folded := strings.ToLower(t.name)
		switch {
		case !nameForm().MatchString(t.name):
			r.fail(nil, path, "NAME=DSN, with letters, digits, - _ and . in the name", "line %d: the database has no name that can be its tenant's", t.line)
		case dsn == "":
			r.fail(nil, path, "NAME=DSN", "line %d: %s has no DSN", t.line, t.name)
		case names[folded] > 0:
			r.fail(nil, path, "NAME=DSN, each name once", "line %d: %s is there twice (first on line %d)", t.line, t.name, names[folded])
		case dsns[t.dsn] > 0:
			r.fail(nil, path, "keep one of them", "line %d: %s is the same database as on line %d", t.line, t.name, dsns[t.dsn])
		default:
			out = append(out, t)
		}
		names[folded], dsns[t.dsn] = t.line, t.line
	}
	if len(out) == 0 && len(names) == 0 {
		r.fail(nil, path, "one DSN a line, as DSN or NAME=DSN", "lists no database")
	}
	return out
}

// nameForm is the form of names that people choose.
func nameForm() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`) }

// splitTenant takes NAME= off a line. The first pair of a DSN of PostgreSQL's
// keywords (host=… dbname=…) is no name.
func splitTenant(driver, text string) (name, dsn string) {
	before, after, ok := strings.Cut(text, "=")
	before = strings.TrimSpace(before)
	if !ok || !nameForm().MatchString(before) || driver == "postgres" && slices.Contains(keywords(), before) && !strings.Contains(after, "://") {
		return "", text
	}
	return before, strings.TrimSpace(after)
}

// keywords begin a DSN of PostgreSQL's keywords.
func keywords() []string {
	return []string{"host", "hostaddr", "port", "dbname", "user", "password", "passfile", "sslmode", "sslrootcert", "sslcert", "sslkey",
		"application_name", "connect_timeout", "options", "search_path", "service"}
}

// databaseOf is the database's own name in a DSN; "": it cannot be told.
func databaseOf(driver, dsn string) string {
	if driver == "postgres" && !strings.Contains(dsn, "://") {
		if m := regexp.MustCompile(`(?:^|\s)dbname\s*=\s*'?([^'\s]+)`).FindStringSubmatch(dsn); m != nil {
			return m[1]
		}
		return ""
	}
	dsn, _, _ = strings.Cut(dsn, "?")
	if u, err := url.Parse(dsn); err == nil && u.Host != "" {
		return strings.TrimPrefix(u.Path, "/")
	}
	base := path.Base(dsn)
	if driver != "sqlite" {
		if !strings.Contains(dsn, "/") {
			return ""
		}
		return base
	}
	return strings.TrimSuffix(strings.TrimSuffix(base, ".db"), ".sqlite")
}

// Hider takes the parts of a DSN out of texts: hosts, files, databases, users. A word
// of the text that is also a part of the DSN goes too, which hides more than it must.
func Hider(dsn Secret) func(string) string {
	var parts []string
	for _, p := range regexp.MustCompile(`[\s/@:?&='"(),;\\]+`).Split(dsn.Reveal(), -1) {
		if decoded, err := url.PathUnescape(p); err == nil && decoded != p {
			parts = append(parts, decoded)
		}
		parts = append(parts, p)
	}
	parts = slices.DeleteFunc(parts, func(p string) bool { return len(p) < 3 || slices.Contains(commonParts(), p) })
	slices.SortFunc(parts, func(a, b string) int { return len(b) - len(a) })
	whole := regexp.MustCompile(`^\w.*\w$`)
	for i, p := range parts {
		if parts[i] = regexp.QuoteMeta(p); whole.MatchString(p) { // and no part of a longer word
			parts[i] = `\b` + parts[i] + `\b`
		}
	}
	told := regexp.MustCompile(strings.Join(append([]string{regexp.QuoteMeta(dsn.Reveal())}, parts...), "|"))
	return func(text string) string {
		if dsn == "" {
			return text
		}
		return told.ReplaceAllString(text, stars)
	}
}

// commonParts are words of DSNs that tell nothing.
func commonParts() []string {
	return append(keywords(), "tcp", "unix", "file", "sqlite", "postgresql", "postgres", "mysql", "mariadb", "disable", "require", "verify-full", "verify-ca", "prefer", "tls", "true", "false", "mode")
}

package configs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// complete reads DSN files, resolves relative paths against the file's
// directory, and checks every value.
func (r *reader) complete(c *Config) {
	dir := filepath.Dir(r.file)
	r.completeState(dir, c)
	c.State = Secret(resolveState(dir, c.State.Reveal()))
	for i, p := range c.Policies {
		c.Policies[i] = resolve(dir, p)
	}
	r.completeNotify(dir, &c.Notify)
	c.Audit.KeyFile = resolve(dir, c.Audit.KeyFile)
	c.Audit.CheckpointFile = resolve(dir, c.Audit.CheckpointFile)
	for _, name := range r.names["sources"] {
		s := c.Sources[name]
		if s.isFleet() {
			r.completeFleet(dir, name, s, c)
			continue
		}
		r.completeSource(dir, name, &s)
		c.Sources[name] = s
	}
	r.completeTrees(c)
	for _, name := range r.names["vaults"] {
		v := c.Vaults[name]
		v.Path = resolve(dir, v.Path)
		r.completeS3(dir, v.S3, "vaults", name, "s3")
		c.Vaults[name] = v
		r.checkVault(c, name, v)
		r.vaultOutside(c, name, v)
	}
	r.vaultsApart(c)
	r.check(c)
}

// completeState reads the state store's DSN from its file, where that is named.
func (r *reader) completeState(dir string, c *Config) {
	if c.StateFile == "" {
		return
	}
	if _, both := r.values["state"]; both {
		r.fail(nil, []string{"state_file"}, "one of them", "state and state_file are both set")
		return
	}
	c.StateFile = resolve(dir, c.StateFile)
	c.State = r.readSecret(c.StateFile, "state_file")
}

// completeS3 reads a bucket's keys from their files.
func (r *reader) completeS3(dir string, s *S3, place ...string) {
	if s == nil {
		return
	}
	for _, x := range []struct {
		file   *string
		secret *Secret
		key    string
	}{{&s.AccessKeyFile, &s.AccessKey, "access_key"}, {&s.SecretKeyFile, &s.SecretKey, "secret_key"}} {
		at := append(slices.Clone(place), x.key+"_file")
		switch {
		case *x.file == "":
		case *x.secret != "":
			r.fail(nil, at, "one of them", "%s and %s_file are both set", x.key, x.key)
		default:
			*x.file = resolve(dir, *x.file)
			*x.secret = r.readSecret(*x.file, at...)
		}
	}
}

// completeNotify reads the secrets of notices from their files.
func (r *reader) completeNotify(dir string, n *Notify) {
	for _, x := range []struct {
		file   *string
		secret *Secret
		at     []string
	}{
		{&n.Webhook.URLFile, &n.Webhook.URL, []string{"notify", "webhook", "url"}},
		{&n.Webhook.SecretFile, &n.Webhook.Secret, []string{"notify", "webhook", "secret"}},
		{&n.Mail.PasswordFile, &n.Mail.Password, []string{"notify", "mail", "password"}},
	} {
		*x.file = resolve(dir, *x.file)
		file := append(slices.Clone(x.at[:2]), x.at[2]+"_file")
		switch {
		case *x.file == "":
		case *x.secret != "":
			r.fail(nil, file, "one of them", "%s and %s_file are both set", x.at[2], x.at[2])
		default:
			*x.secret = r.readSecret(*x.file, file...)
		}
	}
	r.checkNotify(n)
}

// checkNotify looks for what is missing; whoever sends looks at the forms.
func (r *reader) checkNotify(n *Notify) {
	if m := n.Mail; m.Server != "" && (m.From == "" || len(m.To) == 0) {
		r.fail(nil, []string{"notify", "mail"}, "from: and to:", "a mail needs a sender and recipients")
	} else if m.Server == "" && (m.From != "" || len(m.To) > 0) {
		r.fail(nil, []string{"notify", "mail"}, "server: mail.example.org:587", "names no server")
	}
	if n.Webhook.URL == "" && n.Webhook.Secret != "" {
		r.fail(nil, []string{"notify", "webhook"}, "url: https://…", "has no url")
	}
}

// completeSource reads the DSN's file and resolves the source's paths.
func (r *reader) completeSource(dir, name string, s *Source) {
	s.DSNFile, s.Root, s.Gate = resolve(dir, s.DSNFile), resolve(dir, s.Root), resolve(dir, s.Gate)
	s.Throttle.FlagFile = resolve(dir, s.Throttle.FlagFile)
	if s.DSNFile != "" && s.DSN == "" {
		s.DSN = r.readSecret(s.DSNFile, "sources", name, "dsn_file")
	} else if s.DSNFile != "" {
		r.fail(nil, []string{"sources", name, "dsn_file"}, "one of them", "dsn and dsn_file are both set")
	}
	if s.Driver == "sqlite" {
		s.DSN = Secret(resolveSQLite(dir, s.DSN.Reveal()))
		s.DSNRead = Secret(resolveSQLite(dir, s.DSNRead.Reveal()))
	}
	r.completeS3(dir, &s.S3, "sources", name)
	r.checkSource(name, *s)
}

// readSecret reads a file that holds one secret; the newline at its end is not
// part of it.
func (r *reader) readSecret(file string, path ...string) Secret {
	text, err := os.ReadFile(file)
	if err != nil {
		r.fail(nil, path, "", "%s", fmt.Errorf("cannot be read: %w", err))
		return ""
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if secret == "" {
		r.fail(nil, path, "", "the file %s is empty", file)
	}
	return Secret(secret)
}

// resolve makes a relative path one that starts at dir; empty stays empty.
func resolve(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// resolveState resolves the path of sqlite:path; other stores have none.
func resolveState(dir, state string) string {
	if path, ok := strings.CutPrefix(state, "sqlite:"); ok {
		return "sqlite:" + resolveSQLite(dir, path)
	}
	return state
}

// resolveSQLite resolves a database's path, in front of its parameters and
// after the prefix "file:" or "sqlite:". A database in memory has no path.
func resolveSQLite(dir, dsn string) string {
	uri, rest := "", dsn
	for _, prefix := range []string{"file:", "sqlite:"} {
		if r, ok := strings.CutPrefix(dsn, prefix); ok {
			uri, rest = prefix, r
		}
	}
	if strings.Contains(rest, "://") { // of another driver: the connector refuses it
		return dsn
	}
	path, query, hasQuery := strings.Cut(rest, "?")
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return dsn
	}
	out := uri + resolve(dir, path)
	if hasQuery {
		out += "?" + query
	}
	return out
}

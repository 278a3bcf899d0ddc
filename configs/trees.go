package configs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// completeTrees gives each source of files or objects its gate's folder, and looks at
// where their roots lie.
func (r *reader) completeTrees(c *Config) {
	state, local := strings.CutPrefix(c.State.Reveal(), "sqlite:")
	names := slices.Clone(r.names["sources"])
	slices.Sort(names)
	for i, name := range names {
		s, ok := c.Sources[name]
		if !ok || s.IsSQL() {
			if ok && s.Gate != "" {
				r.fail(nil, []string{"sources", name, "gate"}, "it belongs to drivers files and s3", "gate has no meaning for driver %s", s.Driver)
			}
			continue
		}
		if s.Gate == "" && local {
			s.Gate = filepath.Join(filepath.Dir(strings.TrimPrefix(state, "file:")), "gates")
		}
		r.checkGate(name, s, local)
		c.Sources[name] = s
		for _, other := range names[:i] {
			r.checkApart(name, s, other, c.Sources[other])
		}
	}
}

// checkGate: a folder is of one machine, where its gate is; a bucket is of all.
func (r *reader) checkGate(name string, s Source, local bool) {
	at := []string{"sources", name}
	switch {
	case s.Driver == "s3" && !local:
		r.fail(nil, at, "state: sqlite:…, with one daemon for the bucket",
			"has no gate: with a state store that replicas share, several machines could act on the bucket at once, and a hold would not stop all of them")
	case s.Gate == "":
		r.fail(nil, at, "gate: a folder on this machine, outside of the root",
			"has no gate: a state store that replicas share is not where the gate of a folder of this machine can be")
	}
}

// checkApart refuses a source within another.
func (r *reader) checkApart(name string, s Source, other string, o Source) {
	at := []string{"sources", name}
	switch {
	case s.Driver == "files" && o.Driver == "files" && o.Root != "" && nested(o.Root, s.Root):
		r.fail(nil, append(at, "root"), "one source for both, with patterns below one root",
			"lies within, or around, the root of source %s: holds and minimums of the one would not protect the other's files", other)
	case s.Driver == "s3" && o.Driver == "s3" && s.Bucket == o.Bucket && around(s.Prefix, o.Prefix):
		r.fail(nil, append(at, "prefix"), "one source for both, with patterns below one prefix",
			"lies within, or around, the prefix of source %s: holds and minimums of the one would not protect the other's objects", other)
	}
}

// around is whether objects of one prefix can be of the other, and the two are not
// the same.
func around(a, b string) bool {
	folder := func(p string) string {
		if p = strings.Trim(p, "/"); p != "" {
			p += "/"
		}
		return p
	}
	a, b = folder(a), folder(b)
	return a != b && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

// vaultOutside refuses a sealed vault in the place of a source: its patterns might take
// segments for files of their own.
func (r *reader) vaultOutside(c *Config, name string, v Vault) {
	for _, source := range r.names["sources"] {
		s, key := c.Sources[source], "path"
		in := v.Path != "" && s.Driver == "files" && s.Root != "" && within(realPath(s.Root), realFolder(v.Path))
		if v.S3 != nil && s.Driver == "s3" && s.Bucket == v.S3.Bucket {
			key, in = "s3", strings.Trim(s.Prefix, "/") == strings.Trim(v.S3.Prefix, "/") || around(s.Prefix, v.S3.Prefix)
		}
		if in {
			r.fail(nil, []string{"vaults", name, key}, "a place outside of it", "lies within the place of source %s: its rules might take the archive for files of their own", source)
		}
	}
}

// vaultsApart refuses two sealed vaults at one place: each would take the other's
// segments for what batches left.
func (r *reader) vaultsApart(c *Config) {
	names := slices.Clone(r.names["vaults"])
	slices.Sort(names)
	for i, name := range names {
		for _, other := range names[:i] {
			v, o, key := c.Vaults[name], c.Vaults[other], "path"
			same := v.Path != "" && o.Path != "" && realFolder(v.Path) == realFolder(o.Path)
			if v.S3 != nil && o.S3 != nil {
				key, same = "s3", v.S3.Bucket == o.S3.Bucket && v.S3.Endpoint == o.S3.Endpoint && strings.Trim(v.S3.Prefix, "/") == strings.Trim(o.S3.Prefix, "/")
			}
			if same && v.Source == "" && o.Source == "" { // more places than one are told already
				r.fail(nil, []string{"vaults", name, key}, "one vault, or two places", "is the place of vault %s too", other)
			}
		}
	}
}

// realFolder is the path without the links on the way, also where its end is not made
// yet.
func realFolder(p string) string {
	if _, err := os.Lstat(p); err != nil && filepath.Dir(p) != p {
		return filepath.Join(realFolder(filepath.Dir(p)), filepath.Base(p))
	}
	return realPath(p)
}

func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

func realPath(p string) string {
	if abs, err := filepath.Abs(p); err == nil {
		p = abs
	}
	if real, err := filepath.EvalSymlinks(p); err == nil {
		return real
	}
	return filepath.Clean(p)
}

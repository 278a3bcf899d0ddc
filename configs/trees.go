package configs

import (
	"path/filepath"
	"slices"
	"strings"
)

// completeTrees gives each source of files its gate's folder, and looks at where
// their roots lie.
func (r *reader) completeTrees(c *Config) {
	state, local := strings.CutPrefix(c.State.Reveal(), "sqlite:")
	names := slices.Clone(r.names["sources"])
	slices.Sort(names)
	for i, name := range names {
		s, ok := c.Sources[name]
		if !ok || s.Driver != "files" {
			if ok && s.Gate != "" {
				r.fail(nil, []string{"sources", name, "gate"}, "it belongs to driver files", "gate has no meaning for driver %s", s.Driver)
			}
			continue
		}
		switch {
		case s.Gate == "" && local:
			s.Gate = filepath.Join(filepath.Dir(strings.TrimPrefix(state, "file:")), "gates")
		case s.Gate == "":
			r.fail(nil, []string{"sources", name}, "gate: a folder on this machine, outside of the root",
				"has no gate: a state store that replicas share is not where the gate of a folder of this machine can be")
		}
		c.Sources[name] = s
		for _, other := range names[:i] {
			if o := c.Sources[other]; o.Driver == "files" && o.Root != "" && nested(o.Root, s.Root) {
				r.fail(nil, []string{"sources", name, "root"}, "one source for both, with patterns below one root",
					"lies within, or around, the root of source %s: holds and minimums of the one would not protect the other's files", other)
			}
		}
	}
}

// nested is whether one of two folders lies in the other. The same folder under two
// names is one source, as a database is.
func nested(a, b string) bool {
	a, b = realPath(a), realPath(b)
	return a != b && (within(a, b) || within(b, a))
}

func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

func realPath(p string) string {
	if real, err := filepath.EvalSymlinks(p); err == nil {
		return real
	}
	return filepath.Clean(p)
}

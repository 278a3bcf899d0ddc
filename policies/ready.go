package policies

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed ready/*.yaml
var ready embed.FS

// ReadyPolicy is a policy that comes with the program: Name is its file's name
// without .yaml.
type ReadyPolicy struct {
	Name string
	Text []byte
}

// Ready returns the ready policies, sorted by name: one for each published
// policy that they implement, and starter rules.
func Ready() []ReadyPolicy {
	files, err := fs.Glob(ready, "ready/*.yaml")
	if err != nil {
		return nil
	}
	var out []ReadyPolicy
	for _, f := range files {
		text, err := ready.ReadFile(f)
		if err != nil {
			return nil
		}
		name := strings.TrimSuffix(strings.TrimPrefix(f, "ready/"), ".yaml")
		out = append(out, ReadyPolicy{name, text})
	}
	return out
}

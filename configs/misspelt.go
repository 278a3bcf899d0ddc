package configs

import (
	"slices"
	"strings"

	"github.com/retentiond/retentiond/retention/spelling"
)

// Misspelt finds the variables of an environment, as NAME=VALUE, that are no option
// but nearly one, and the option that each most likely means. Others that only begin
// alike are left alone: Kubernetes names every service to its neighbours.
func (c *Config) Misspelt(environ []string) map[string]string {
	meant := map[string]string{}
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		rest, ours := strings.CutPrefix(strings.ToUpper(name), envPrefix)
		if !ours || slices.Contains(c.Variables, name) {
			continue
		}
		for _, option := range c.Variables {
			if spelling.Distance(rest, strings.TrimPrefix(option, envPrefix)) <= 2 {
				meant[name] = option
				break
			}
		}
	}
	return meant
}

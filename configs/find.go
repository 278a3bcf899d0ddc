package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Places lists where a configuration is looked for, in order.
func Places() []string { return []string{"./retentiond.yaml", "/etc/retentiond/retentiond.yaml"} }

// Find returns the first configuration of [Places] that exists. The error, an
// fs.ErrNotExist, says how to write one.
func Find() (string, error) { return find(Places()) }

func find(places []string) (string, error) {
	for _, p := range places {
		switch _, err := os.Stat(p); {
		case err == nil:
			return p, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("configuration: %w", err)
		}
	}
	return "", fmt.Errorf("no configuration at %s: %w: run `retentiond init` to write one, or name one with --config",
		strings.Join(places, " or "), fs.ErrNotExist)
}

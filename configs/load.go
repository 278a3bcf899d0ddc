package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// Load reads the configuration at path. getenv looks a variable up. Any mistake
// is an *[Error] that lists all of them; a file that cannot be read is a plain
// error that says what to do.
func Load(path string, getenv func(string) (string, bool)) (*Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("configuration %s: %w: run `retentiond init` to write one", path, fs.ErrNotExist)
		}
		return nil, fmt.Errorf("configuration: %w", err)
	}
	r := &reader{
		file: path, getenv: getenv,
		values: map[string]any{}, names: map[string][]string{}, at: map[string]yaml.Node{},
	}
	if root := r.parse(text); root != nil {
		r.section(root, options(), nil)
		r.environment(options(), nil)
	}
	if len(r.problems) > 0 {
		return nil, &Error{path, r.problems}
	}
	c, err := r.decode()
	if err != nil {
		return nil, err
	}
	c.File, c.Variables = path, r.variables
	r.complete(c)
	if len(r.problems) > 0 {
		return nil, &Error{path, r.problems}
	}
	return c, nil
}

// decode makes the Config of the defaults and the values read, exactly: a value
// that no field takes is an error. viper lower-cases names; they are restored.
func (r *reader) decode() (*Config, error) {
	v := viper.NewWithOptions(viper.KeyDelimiter(sep))
	for key, value := range defaults() {
		v.SetDefault(strings.ReplaceAll(key, ".", sep), value)
	}
	for key, value := range r.values {
		v.Set(key, value)
	}
	for _, kind := range []string{"sources", "vaults"} {
		for _, name := range r.names[kind] {
			if key := kind + sep + name; !v.IsSet(key) {
				v.Set(key, map[string]any{})
			}
		}
	}
	var c Config
	hooks := viper.DecodeHook(mapstructure.StringToTimeDurationHookFunc())
	if err := v.UnmarshalExact(&c, hooks); err != nil {
		return nil, fmt.Errorf("configuration %s: %w", r.file, err)
	}
	c.Sources = restore(c.Sources, r.names["sources"])
	c.Vaults = restore(c.Vaults, r.names["vaults"])
	return &c, nil
}

// restore gives a map the names as they were written.
func restore[T any](m map[string]T, names []string) map[string]T {
	out := make(map[string]T, len(names))
	for _, name := range names {
		out[name] = m[strings.ToLower(name)]
	}
	return out
}

// defaults are the values of options that neither file nor environment sets.
func defaults() map[string]any {
	return map[string]any{
		"state":          "sqlite:./state.db",
		"policies":       []string{"./policies"},
		"audit.origin":   "retentiond.local/retention",
		"audit.key_file": "./audit.key",
		"holds.grace":    "30 days",
		"keep.audit":     "6 years",
		"keep.plans":     "1 year",
		"keep.holds":     "5 years",
		"http.listen":    "127.0.0.1:8600",
		"log.level":      "info",
		"log.format":     "json",

		"schedule.catch_up": "one",
	}
}

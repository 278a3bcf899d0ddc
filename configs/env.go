package configs

import (
	"regexp"
	"slices"
	"strings"
)

// envPrefix starts the name of every variable that is an option.
const envPrefix = "RETENTIOND_"

// envName is the variable of an option: RETENTIOND_SOURCES_CRM_DSN.
func envName(path []string) string {
	name := strings.ToUpper(strings.Join(path, "_"))
	return envPrefix + regexp.MustCompile(`[^A-Z0-9]`).ReplaceAllString(name, "_")
}

// environment lets variables override options, and expands ${VAR} in the
// secrets of the file. A value from the environment is taken as it is.
func (r *reader) environment(o option, path []string) {
	for _, sub := range o.sub {
		at := append(slices.Clone(path), sub.key)
		switch sub.kind {
		case kindSection:
			r.environment(sub, at)
		case kindNamed:
			r.namedEnvironment(sub, at)
		default:
			r.override(sub, at)
		}
	}
}

// namedEnvironment goes through the names of the file. Two names that make the
// same variable cannot be told apart in the environment.
func (r *reader) namedEnvironment(o option, path []string) {
	seen := map[string]string{}
	for _, name := range r.names[path[0]] {
		at := append(slices.Clone(path), name)
		if other, twice := seen[envName(at)]; twice {
			r.fail(nil, at, "rename one of them", "the environment cannot tell it from %s", other)
		}
		seen[envName(at)] = name
		r.environment(o, at)
	}
}

// override applies the option's variable, or expands what the file says.
func (r *reader) override(o option, path []string) {
	key := strings.Join(path, sep)
	r.variables = append(r.variables, envName(path))
	value, ok := r.getenv(envName(path))
	switch {
	case ok && o.kind == kindTexts:
		r.values[key] = strings.Split(value, ",")
	case ok && o.kind == kindSecrets: // a DSN may hold commas
		r.values[key] = strings.Split(strings.TrimSpace(value), "\n")
	case o.kind == kindSecrets:
		list, _ := r.values[key].([]string)
		for i := range list {
			list[i] = r.expand(list[i], path)
		}
	case ok:
		r.scalar(nil, o, path, value)
		if o.key == "dsn" || o.key == "state" { // it goes before the file's …_file
			delete(r.values, strings.Join(append(slices.Clone(path[:len(path)-1]), o.key+"_file"), sep))
		}
	case o.kind == kindSecret:
		if text, has := r.values[key].(string); has {
			r.values[key] = r.expand(text, path)
		}
	}
}

// expand replaces ${VAR}; a variable that is missing is named, its value never
// is.
func (r *reader) expand(text string, path []string) string {
	variable := regexp.MustCompile(`\$\{([^}]*)\}?`)
	return variable.ReplaceAllStringFunc(text, func(m string) string {
		name := strings.TrimSuffix(strings.TrimPrefix(m, "${"), "}")
		if !strings.HasSuffix(m, "}") || !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(name) {
			r.fail(nil, path, "${NAME}, letters, digits and _", "a ${…} is not closed or names no variable")
			return ""
		}
		value, ok := r.getenv(name)
		if !ok || value == "" {
			r.fail(nil, path, "set it in the daemon's environment", "the variable %s is not set", name)
		}
		return value
	})
}

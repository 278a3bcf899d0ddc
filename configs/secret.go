package configs

import (
	"net/url"
	"regexp"
	"strings"
)

// Secret is a text that may hold a password. It prints as three stars in every
// format; [Secret.Reveal] returns it.
type Secret string

const stars = "***"

// Reveal returns the text, for opening a connection and nothing else.
func (s Secret) Reveal() string { return string(s) }

// String hides the text.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return stars
}

// GoString hides the text.
func (s Secret) GoString() string { return `configs.Secret("` + s.String() + `")` }

// MarshalText hides the text from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Redact returns a connection string without its passwords, for people: user,
// host and database stay. What it cannot take apart it hides as a whole.
func Redact(dsn string) string {
	switch {
	case strings.Contains(dsn, "://"):
		return redactURL(dsn)
	case strings.Contains(dsn, "@"):
		return redactAt(dsn)
	}
	return redactPairs(dsn)
}

// redactURL hides the password of user:password@host and in the query.
func redactURL(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		scheme, _, _ := strings.Cut(dsn, "://")
		return scheme + "://" + stars
	}
	out := u.Scheme + "://"
	if u.User != nil {
		out += u.User.Username()
		if _, has := u.User.Password(); has {
			out += ":" + stars
		}
		out += "@"
	}
	out += u.Host + u.EscapedPath()
	if u.RawQuery != "" {
		out += "?" + redactPairs(u.RawQuery)
	}
	return out
}

// redactAt hides the password of user:password@tcp(host)/database, whose
// password may itself hold an @.
func redactAt(dsn string) string {
	i := strings.LastIndex(dsn, "@")
	user, _, has := strings.Cut(dsn[:i], ":")
	if strings.ContainsAny(user, "= ") {
		return redactPairs(dsn)
	}
	if has {
		user += ":" + stars
	}
	return user + "@" + redactPairs(dsn[i+1:])
}

// redactPairs hides the values of keys that name secrets, quoted or not.
func redactPairs(s string) string {
	pairs := regexp.MustCompile(`(?i)([a-z_.]*(?:pass|pwd|secret|token|key)[a-z_]*)\s*=\s*('(?:[^'\\]|\\.)*'?|[^\s&;]*)`)
	return pairs.ReplaceAllString(s, "${1}="+stars)
}

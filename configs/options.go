package configs

// kind is the form of an option's value.
type kind int

const (
	kindText kind = iota
	kindSecret
	kindTexts // a text or a list of texts
	kindSecrets
	kindNumber
	kindBool
	kindDuration
	kindSection
	kindNamed // a mapping of names that the user chooses
)

// option is a node of the tree of everything that may be configured.
type option struct {
	key  string
	kind kind
	sub  []option // of a section, or of each named one
}

// options is the whole tree. The structs of [Config] are decoded exactly, so
// the two cannot drift apart unseen.
func options() option {
	return option{kind: kindSection, sub: []option{
		{key: "state", kind: kindSecret},
		{key: "state_file"},
		{key: "policies", kind: kindTexts},
		{key: "sources", kind: kindNamed, sub: sourceOptions()},
		{key: "vaults", kind: kindNamed, sub: vaultOptions()},
		{key: "audit", kind: kindSection, sub: texts("origin", "key_file", "checkpoint_file")},
		{key: "holds", kind: kindSection, sub: texts("grace")},
		{key: "approvals", kind: kindSection, sub: []option{{key: "four_eyes", kind: kindBool}}},
		{key: "keep", kind: kindSection, sub: texts("audit", "plans", "holds")},
		{key: "http", kind: kindSection, sub: texts("listen")},
		{key: "notify", kind: kindSection, sub: notifyOptions()},
		{key: "log", kind: kindSection, sub: texts("level", "format")},
		{key: "schedule", kind: kindSection, sub: append(texts("catch_up"), option{key: "jitter", kind: kindDuration})},
	}}
}

func sourceOptions() []option {
	return append(append(texts("driver", "dsn_file", "dsns_file", "backups", "root", "gate", "application_role"), bucketOptions()...),
		option{key: "dsn", kind: kindSecret},
		option{key: "dsn_read", kind: kindSecret},
		option{key: "dsns", kind: kindSecrets},
		option{key: "at_once", kind: kindNumber},
		option{key: "parallel", kind: kindNumber},
		option{key: "runs", kind: kindNumber},
		option{key: "throttle", kind: kindSection, sub: []option{
			{key: "replica_lag", kind: kindDuration},
			{key: "lock_timeout", kind: kindDuration},
			{key: "window", kind: kindText},
			{key: "rate", kind: kindText},
			{key: "running", kind: kindNumber},
			{key: "backlog", kind: kindNumber},
			{key: "vacuum", kind: kindBool},
			{key: "flag_file", kind: kindText},
		}},
	)
}

func notifyOptions() []option {
	return []option{
		{key: "webhook", kind: kindSection, sub: append(texts("url_file", "secret_file"),
			option{key: "url", kind: kindSecret},
			option{key: "secret", kind: kindSecret},
		)},
		{key: "mail", kind: kindSection, sub: append(texts("server", "from", "user", "password_file"),
			option{key: "to", kind: kindTexts},
			option{key: "password", kind: kindSecret},
		)},
	}
}

func vaultOptions() []option {
	return append(texts("path", "source", "schema", "prefix"),
		option{key: "recipients", kind: kindTexts},
		option{key: "s3", kind: kindSection, sub: bucketOptions()},
	)
}

// bucketOptions are a bucket's, of a vault and of a source alike.
func bucketOptions() []option {
	return append(texts("endpoint", "region", "bucket", "prefix", "access_key_file", "secret_key_file"),
		option{key: "access_key", kind: kindSecret},
		option{key: "secret_key", kind: kindSecret},
		option{key: "path_style", kind: kindBool},
	)
}

func texts(keys ...string) []option {
	out := make([]option, len(keys))
	for i, k := range keys {
		out[i] = option{key: k}
	}
	return out
}

// find returns the option of a key.
func (o option) find(key string) (option, bool) {
	for _, s := range o.sub {
		if s.key == key {
			return s, true
		}
	}
	return option{}, false
}

// keys lists the keys of a section.
func (o option) keys() []string {
	out := make([]string, len(o.sub))
	for i, s := range o.sub {
		out[i] = s.key
	}
	return out
}

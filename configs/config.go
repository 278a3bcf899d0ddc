package configs

import (
	"strconv"
	"time"
)

// Config is the daemon's configuration, with defaults and environment applied
// and relative paths resolved against the file's directory.
type Config struct {
	File string `mapstructure:"-"` // where it was read from
	// Variables are the names of all variables that are options, set or not.
	Variables []string `mapstructure:"-"`
	State     Secret   `mapstructure:"state"`
	// StateFile is the file that State was read from, where it was.
	StateFile string            `mapstructure:"state_file"`
	Policies  []string          `mapstructure:"policies"`
	Sources   map[string]Source `mapstructure:"sources"`
	// Fleets are the sources that were given a list of DSNs, by name; what Sources
	// has of them is their tenants.
	Fleets    map[string]Fleet `mapstructure:"-"`
	Vaults    map[string]Vault `mapstructure:"vaults"`
	Audit     Audit            `mapstructure:"audit"`
	Holds     Holds            `mapstructure:"holds"`
	Approvals Approvals        `mapstructure:"approvals"`
	Keep      Keep             `mapstructure:"keep"`
	HTTP      HTTP             `mapstructure:"http"`
	Notify    Notify           `mapstructure:"notify"`
	Log       Log              `mapstructure:"log"`
	Schedule  Schedule         `mapstructure:"schedule"`
}

// Source is a database or a store of files.
type Source struct {
	Driver   string                   `mapstructure:"driver"`
	DSN      Secret                   `mapstructure:"dsn"`
	DSNRead  Secret                   `mapstructure:"dsn_read"`  // for counts, where given
	DSNFile  string                   `mapstructure:"dsn_file"`  // DSN was read from it
	DSNs     []Secret                 `mapstructure:"dsns"`      // of many databases of one schema, as DSN or NAME=DSN
	DSNsFile string                   `mapstructure:"dsns_file"` // DSNs, one a line
	AtOnce   int                      `mapstructure:"at_once"`   // of DSNs: databases open at once; 0: the engine's default
	Fleet    string                   `mapstructure:"-"`         // of a tenant: the source that lists it
	Backups  string                   `mapstructure:"backups"`   // period after which no backup holds a deleted row; empty: not declared
	Parallel int                      `mapstructure:"parallel"`  // steps at work at once; 0: the connector's default
	Runs     int                      `mapstructure:"runs"`      // runs at work on it at once; 0: the engine's default
	Throttle Throttle                 `mapstructure:"throttle"`
	Root     string                   `mapstructure:"root"` // of a store of files
	S3       `mapstructure:",squash"` // of driver s3: the same keys as a vault's
	Gate     string                   `mapstructure:"gate"` // folder of its gate file and journal; empty: beside a state store that is a file
	// ApplicationRole is the role (MariaDB: user, or user@host) under which the
	// application works: check refuses table vaults that it can read.
	ApplicationRole string `mapstructure:"application_role"`
}

// Throttle is what makes a source's batches wait; zero values ask for nothing.
type Throttle struct {
	ReplicaLag  time.Duration `mapstructure:"replica_lag"`
	LockTimeout time.Duration `mapstructure:"lock_timeout"`
	Window      string        `mapstructure:"window"`    // "22:00-06:00", in the policy's zone
	Rate        string        `mapstructure:"rate"`      // rows a second at most, or "unlimited"; empty: the default
	Running     int           `mapstructure:"running"`   // wait while others run more statements
	Backlog     int64         `mapstructure:"backlog"`   // wait while more log bytes (PostgreSQL) or old row versions (InnoDB) are waiting
	Vacuum      bool          `mapstructure:"vacuum"`    // wait while the table is being vacuumed
	FlagFile    string        `mapstructure:"flag_file"` // wait while it exists
}

// RowsPerSecond is the rate; 0: no limit, or the default where Rate is empty.
func (t Throttle) RowsPerSecond() float64 {
	n, err := strconv.ParseFloat(t.Rate, 64)
	if err != nil {
		return 0
	}
	return n
}

// Vault is where archived rows go: sealed files at Path or S3, or tables of a
// Source under a Schema or with a Prefix.
type Vault struct {
	Path       string   `mapstructure:"path"`
	S3         *S3      `mapstructure:"s3"`
	Recipients []string `mapstructure:"recipients"` // age public keys
	Source     string   `mapstructure:"source"`
	Schema     string   `mapstructure:"schema"`
	Prefix     string   `mapstructure:"prefix"`
}

// S3 is a bucket of an S3 service.
type S3 struct {
	Endpoint  string `mapstructure:"endpoint"`
	Region    string `mapstructure:"region"`
	Bucket    string `mapstructure:"bucket"`
	Prefix    string `mapstructure:"prefix"`
	AccessKey Secret `mapstructure:"access_key"`
	SecretKey Secret `mapstructure:"secret_key"`
	// Files that the keys were read from, where they were.
	AccessKeyFile string `mapstructure:"access_key_file"`
	SecretKeyFile string `mapstructure:"secret_key_file"`
	PathStyle     bool   `mapstructure:"path_style"`
}

// Audit names the audit log and the key that signs it.
type Audit struct {
	Origin  string `mapstructure:"origin"`
	KeyFile string `mapstructure:"key_file"` // created 0600 at first use
	// CheckpointFile is where the newest signed checkpoint is kept; empty: beside the key.
	CheckpointFile string `mapstructure:"checkpoint_file"`
}

// Holds says how long after a release rows still count as held (a period).
type Holds struct {
	Grace string `mapstructure:"grace"`
}

// Approvals says who may approve a plan.
type Approvals struct {
	FourEyes bool `mapstructure:"four_eyes"` // who planned may not
}

// Keep is how long our own records are kept (periods).
type Keep struct {
	Audit string `mapstructure:"audit"`
	Plans string `mapstructure:"plans"`
	Holds string `mapstructure:"holds"`
}

// HTTP is where the console and the metrics listen; empty: nowhere.
type HTTP struct {
	Listen string `mapstructure:"listen"`
}

// Notify is where notices go; empty: nowhere.
type Notify struct {
	Webhook Webhook `mapstructure:"webhook"`
	Mail    Mail    `mapstructure:"mail"`
}

// Webhook is an address that takes notices as JSON; it may itself be a secret.
type Webhook struct {
	URL        Secret `mapstructure:"url"`
	URLFile    string `mapstructure:"url_file"`
	Secret     Secret `mapstructure:"secret"` // that signs each notice
	SecretFile string `mapstructure:"secret_file"`
}

// Mail is a mail server and who writes to whom.
type Mail struct {
	Server       string   `mapstructure:"server"` // host:port
	From         string   `mapstructure:"from"`
	To           []string `mapstructure:"to"`
	User         string   `mapstructure:"user"`
	Password     Secret   `mapstructure:"password"`
	PasswordFile string   `mapstructure:"password_file"`
}

// Log is how much is logged, and in which form.
type Log struct {
	Level  string `mapstructure:"level"`  // debug, info, warn, error
	Format string `mapstructure:"format"` // json, text
}

// Schedule is how the daemon keeps to the policies' schedules.
type Schedule struct {
	CatchUp string        `mapstructure:"catch_up"` // skip, one or all of the slots that nobody was there to run
	Jitter  time.Duration `mapstructure:"jitter"`   // most that a slot is put off, always by the same
}

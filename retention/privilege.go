package retention

import "context"

// Advisor is a source whose engine knows roles and kinds of index: `check` asks
// it what the roles of its sessions lack, and what they should not have. An
// engine without roles has nothing to say and does not implement it.
type Advisor interface {
	// Advise compares the roles with what acting and throttling need. It changes
	// nothing. A role that may not be asked about is advice, not an error.
	Advise(ctx context.Context, w Wants) ([]Advice, error)
	// IndexSQL is the statement that makes an index while others go on writing.
	IndexSQL(t TableName, columns []string) string
}

// Wants is what acting on a source needs of it.
type Wants struct {
	Needs []Need
	// What batches wait for, and so has to be seen; see [Pressure].
	Lag, Running, Backlog, Vacuum bool
	// Applications are the roles under which applications work, and that must not
	// read what was archived.
	Applications []string
}

// Need is what the acting role must be allowed on one table. Reading it is
// always needed, by the acting role and by the one that plans.
type Need struct {
	Table   TableName
	Missing bool     // the table does not exist: it will be created
	Delete  bool     // rows go
	Insert  bool     // rows come: a vault's table
	Content bool     // rows stand for files or objects, whose content is archived
	Update  []string // columns that are changed, sorted
	Lock    string   // a column of the key, where rows are locked before they are tested
	Rewrite bool     // the table is vacuumed or rewritten after rows are gone
	Whole   bool     // partitions of it are dropped
	Vault   bool     // a vault's table: out of the applications' reach
}

// Advice is one thing about a source's roles or settings that a person should
// change.
type Advice struct {
	Error   bool // rules cannot run until it is done
	Code    AdviceCode
	Message string
	Hint    string // the statements that put it right
}

// AdviceCode is the stable name of a kind of advice.
type AdviceCode string

// Advice codes.
const (
	AdvicePrivilegeMissing AdviceCode = "privilege_missing" // acting would be refused by the database
	AdvicePrivilegeWide    AdviceCode = "privilege_wide"    // the role could do more harm than its work needs
	AdviceReaderWrites     AdviceCode = "reader_writes"     // the role of dsn_read may write
	AdviceLagUnseen        AdviceCode = "lag_unseen"        // replica_lag is set, and nothing says how far replicas are behind
	AdviceLoadUnseen       AdviceCode = "load_unseen"       // another threshold is set that cannot be seen
	AdviceNoFiles          AdviceCode = "no_files"          // a pattern matches nothing
	AdviceLocked           AdviceCode = "locked"            // the store itself keeps objects, until a date or without an end
	AdviceOddFiles         AdviceCode = "odd_files"         // what patterns match is no plain file, and is never touched
	AdviceNoVersions       AdviceCode = "no_versions"       // names of a bucket have one content, so that removals rely on conditions
	AdviceVaultReadable    AdviceCode = "vault_readable"    // an application could read what was archived, or nobody can say that it could not
	AdviceDurability       AdviceCode = "durability"        // a crash of the server could lose what it has confirmed
)

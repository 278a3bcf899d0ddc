package retention

import "context"

// Archive into tables of another source: its copy is durable, with a receipt of its
// own under the same intent, and read back, before the row leaves its table. Where
// the row's own batch never commits, the copy is withdrawn.

// Lender is a source whose tables can be made again in another source of its kind.
type Lender interface {
	// Declare says how the tables' columns are declared, exactly.
	Declare(ctx context.Context, tables []*Table) ([]Declared, error)
}

// Declared is a table as another database of the same kind can make it.
type Declared struct {
	Table   *Table
	Columns []string // as the engine declares them, in its own words
}

// Receiver is a source whose tables take rows of another source of its kind.
type Receiver interface {
	// MakeVaultOf creates the vault's tables where they are missing, and refuses where
	// they no longer fit the tables whose rows they take.
	MakeVaultOf(ctx context.Context, from []Declared, into []TableName) error
	// Receive calls read once with what takes the rows, writes them with a receipt in
	// one transaction under the gate, and then compares what can be read with what was
	// given. The copies are durable on return; on an error [Receiver.Withdraw] tells
	// whether any are there. Rows of keys that were archived before are [ErrTooWide]
	// beside others that were not.
	Receive(ctx context.Context, d Delivery, read func(to RowWriter) error) error
	// Withdraw ends an intent that its own source abandoned: after it no copy of its
	// rows is there, or ever will be. open is as in [Actor].Settle.
	Withdraw(ctx context.Context, intent string, open func(context.Context) error) error
}

// Delivery is one batch's rows on their way into the tables of another source.
type Delivery struct {
	Intent string
	Into   *VaultTables
	Key    []string // columns of the rule's table
	// Keys name the row whose children alone are delivered.
	Keys []Key
	// Admit is asked in the transaction once the gate was read in it; its error rolls
	// it back.
	Admit   func(ctx context.Context, g Gate) error
	Reached func(Point) // may be nil
}

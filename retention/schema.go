package retention

// TableName names a table of a source. Schema is empty where the engine has
// none or the default one is meant.
type TableName struct{ Schema, Name string }

// String returns schema.name, or name.
func (t TableName) String() string {
	if t.Schema == "" {
		return t.Name
	}
	return t.Schema + "." + t.Name
}

// Schema is what a source's live catalogue says of the tables asked for, and of
// every table that refers to them.
type Schema struct {
	Tables map[TableName]*Table
	// Lacks are schemas that tables asked for are in, and that do not exist.
	Lacks []string
}

// Table returns the table of that name, or nil. Where the engine folds case,
// connectors key Tables by the names asked for.
func (s *Schema) Table(n TableName) *Table {
	if s == nil {
		return nil
	}
	return s.Tables[n]
}

// Table is a live table.
type Table struct {
	Name       TableName
	Columns    []Column
	Key        []string // primary key columns in key order; empty: none
	Rowid      bool     // SQLite: an ordinary table, not WITHOUT ROWID
	Indexes    []Index
	References []ForeignKey // this table's own foreign keys
	Referenced []ForeignKey // foreign keys of other tables (or its own) to this one
	Triggers   []Trigger
	Kind       string // "table", "view", "virtual", "partitioned"
	// RangeKey are the columns by whose ranges the table is partitioned, where a
	// partition can be dropped with a receipt; an expression that is not understood is "".
	RangeKey []string
	// WholeNot says why no partition of it is dropped as a whole; empty: nothing
	// that is known of the table speaks against it.
	WholeNot string
	Volatile string // why what is written there may not last, or not be taken back; empty: fine
	// Locked is the column that says until when the store itself keeps a row; empty:
	// it keeps none.
	Locked      string
	Unsafe      string // why rows of it must not be acted on; empty: fine
	Hides       string // why rows of it may not be seen; empty: all are
	Fingerprint string // of columns, types, key, foreign keys and triggers; not of indexes
}

// Column returns the column of that name, or nil.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// Column is a column of a live table.
type Column struct {
	Name      string
	Decl      string // the type as the catalogue writes it
	Kind      Kind
	Nullable  bool
	Length    int // declared maximum in characters; 0: none
	Generated bool
	Numbered  bool // an identity: the table gives it values, and takes others where it is told to
	Unique    bool // alone under a UNIQUE constraint or the primary key
	Typed     bool // the engine keeps every value to the Kind
	// Unheld says why identifiers of persons are not compared with the column: a
	// hold would find nobody there. Empty: they can be.
	Unheld string
	// Loose: two texts that differ in bytes may be equal in the column, by its type or
	// its collation.
	Loose bool
}

// Kind is the broad type of a column, by which scalars and identifiers are
// converted.
type Kind string

// Kinds.
const (
	KindText        Kind = "text"
	KindInteger     Kind = "integer"
	KindNumber      Kind = "number" // decimal or float
	KindBool        Kind = "bool"
	KindDate        Kind = "date"
	KindTimestamp   Kind = "timestamp"   // without zone
	KindTimestampTZ Kind = "timestamptz" // with zone
	KindBytes       Kind = "bytes"
	KindUUID        Kind = "uuid"
	KindJSON        Kind = "json"
	KindIP          Kind = "ip"
	KindAny         Kind = "any" // no declared type
	KindOther       Kind = "other"
)

// Index is an index of a live table.
type Index struct {
	Name    string
	Columns []string // an expression is ""
	Unique  bool
	Partial bool
}

// ForeignKey is a reference between live tables.
type ForeignKey struct {
	Name     string
	From     TableName
	Columns  []string // of From
	To       TableName
	ToCols   []string // of To
	OnDelete string   // "NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT"
}

// Trigger is a trigger of a live table.
type Trigger struct {
	Name  string
	Event string // "DELETE", "UPDATE", "INSERT"
}

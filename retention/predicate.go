package retention

// Predicate is a condition on a row. Exactly one of its forms is set. A row for
// which the condition is not true, NULL included, does not match.
type Predicate struct {
	All    []Predicate
	Any    []Predicate
	Not    *Predicate
	Exists *Relation
	SQL    string // in the source's dialect; reviewed by people
	Test   *Comparison
	Pos    Pos
}

// Comparison tests one column.
type Comparison struct {
	Column string
	Op     Op
	Values []Scalar // one; any number for in, not_in; none for null, not_null
}

// Op is a comparison operator.
type Op string

// Operators.
const (
	Eq      Op = "eq"
	Ne      Op = "ne"
	In      Op = "in"
	NotIn   Op = "not_in"
	Lt      Op = "lt"
	Lte     Op = "lte"
	Gt      Op = "gt"
	Gte     Op = "gte"
	Like    Op = "like"
	IsNull  Op = "null"
	NotNull Op = "not_null"
)

// Scalar is a value as it was written; it is converted by the column's type
// (01234 stays a postcode).
type Scalar struct {
	Text string
	Null bool // a literal null
	Tag  Tag  // how YAML or JSON wrote it
}

// Tag is the written form of a [Scalar].
type Tag string

// Tags.
const (
	TagString Tag = "str"
	TagInt    Tag = "int"
	TagFloat  Tag = "float"
	TagBool   Tag = "bool"
)

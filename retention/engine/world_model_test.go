package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// world is one generated house: a schema with rows, one policy, holds, and when
// it is looked at. It is plain data, so that a failing one can be kept as a file.
// The policy's YAML and the schema's SQL are written from it, and the oracle
// reads it beside them.
type world struct {
	On       string `json:",omitempty"` // the engine; empty: SQLite
	Session  string `json:",omitempty"` // the zone of the application's own session, as its engine writes it
	Zone     string
	Zone2    string    `json:",omitempty"` // of a second policy; empty: there is none
	AsOf     time.Time // whole seconds
	Later    int       // days after which the second run looks again
	ByPlan   bool      // run a saved plan; otherwise the run plans for itself
	Approve  bool      // the run's own approval
	Vault    string    `json:",omitempty"` // elsewhere: tables in another source; sealed; empty: tables beside the rows
	Tables   []*wTable
	Datasets []*wDataset
	Rules    []*wRule
	Holds    []*wHold
}

// cell is a stored value: its storage class and its content.
type cell struct {
	T string  `json:"t"` // null, integer, real, text, blob; in expectations also mark, random
	I int64   `json:"i,omitempty"`
	R float64 `json:"r,omitempty"`
	S string  `json:"s,omitempty"`
}

type wColumn struct {
	Name, Decl string
	NotNull    bool
	Unique     bool
}

type wForeign struct {
	Columns, ToColumns []string
	To                 string
	OnDelete           string
}

type wTable struct {
	Name    string
	Columns []wColumn
	Key     []string
	NoRowid bool
	Indexed []string
	Foreign []wForeign
	Rows    [][]cell
}

type wPair struct{ Theirs, Ours string }

type wHop struct {
	Table string
	On    []wPair
}

type wRelation struct {
	Via    []wHop
	Table  string
	On     []wPair
	Where  *wCond
	Column string
}

type wSubject struct {
	Type    string
	Columns []string
	Related *wRelation
}

type wChild struct {
	Relation wRelation
	Then     string
}

type wDataset struct {
	Second   bool `json:",omitempty"` // of the second policy
	Name     string
	Table    string // as the policy writes it: it may carry the schema
	Subjects []wSubject
	Children []wChild
}

// wCond is a condition: and, or, not, exists, null, notnull, eq, ne, in, not_in,
// lt, lte, gt, gte, like, sql (the text is one of sqlTests).
type wCond struct {
	Op      string
	Column  string
	Values  []cell
	Parts   []*wCond
	Related *wRelation
}

type wMember struct {
	Column    string
	Related   *wRelation
	As        string
	Zone      string
	Round     string // month-end, year-end or MM-DD
	NotBefore string // YYYY-MM-DD
	NotAfter  string
}

type wClock struct {
	Group     string // "", latest, earliest
	NullsOpen bool
	Round     string
	Members   []wMember
}

type wPeriod struct {
	Years, Months, Weeks, Days int
	Exact                      bool
	Seconds                    int64
	Text                       string
}

type wChange struct {
	Column string
	Func   string // keep, null, set, keep_left, keep_right, truncate, bucket, round, mask_ip, email_domain, random
	Text   string // set: the value; truncate, random: the unit
	N      int64
}

// wVerify is k-anonymity: groups of at least K, but for Allow percent.
type wVerify struct {
	K, Allow int
	Quasi    []string
}

type wStage struct {
	Keep    wPeriod
	Then    string
	Changes []wChange
	Mark    string
	Verify  *wVerify `json:",omitempty"`
}

type wRule struct {
	ID      string
	Dataset string
	Clock   wClock
	Where   *wCond
	AtLeast *wPeriod
	Stages  []wStage

	Disabled      bool   `json:",omitempty"`
	EffectiveFrom string `json:",omitempty"` // a date, or a time with an offset
}

type wHold struct {
	Subjects []string // type:id
	Datasets []string // names of datasets
	Where    *wCond
	Released int  // days before as-of; 0: not released
	Late     bool `json:",omitempty"` // placed after the first run: rows may be in the vault by then
}

func null() cell           { return cell{T: "null"} }
func text(s string) cell   { return cell{T: "text", S: s} }
func integer(n int64) cell { return cell{T: "integer", I: n} }

func (c cell) null() bool { return c.T == "null" }

// literal is the cell in SQL.
func (c cell) literal() string {
	switch c.T {
	case "integer":
		return fmt.Sprint(c.I)
	case "real":
		return fmt.Sprintf("%g", c.R)
	case "blob":
		return fmt.Sprintf("x'%x'", c.S)
	case "text":
		return "'" + strings.ReplaceAll(c.S, "'", "''") + "'"
	}
	return "NULL"
}

func (t *wTable) at(column string) int {
	return slices.IndexFunc(t.Columns, func(c wColumn) bool { return c.Name == column })
}

func (t *wTable) column(name string) *wColumn { return &t.Columns[t.at(name)] }

// physical is a table's name without the schema that the policy may write.
func physical(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, "main."), "public.")
}

func (w *world) table(name string) *wTable {
	for _, t := range w.Tables {
		if t.Name == physical(name) {
			return t
		}
	}
	return nil
}

func (w *world) dataset(name string) *wDataset {
	for _, d := range w.Datasets {
		if d.Name == name {
			return d
		}
	}
	return nil
}

func (d *wDataset) policy() string {
	if d.Second {
		return "second"
	}
	return "world"
}

// hops are the steps of a relation, the table itself last.
func (r *wRelation) hops() []wHop {
	return append(slices.Clone(r.Via), wHop{Table: r.Table, On: r.On})
}

// archives: a stage moves rows to the vault.
func (r *wRule) archives() bool {
	return slices.ContainsFunc(r.Stages, func(s wStage) bool { return s.Then == "archive" })
}

// takes: the action takes the row, and its children, out of the table.
func takes(then string) bool { return then == "delete" || then == "archive" }

package bind

import (
	"strings"
	"unicode/utf8"

	"github.com/retentiond/retentiond/retention"
)

// columns tests an anonymisation or redaction against the live table: every
// column named (L10), keys kept, and no change that the table would refuse.
func (b *binder) columns(a *retention.Action) {
	named, changed := map[string]bool{}, map[string]bool{}
	for _, c := range a.Columns {
		named[c.Column] = true
		changed[c.Column] = c.Func != retention.Keep
		if col := b.table.Column(c.Column); col == nil {
			b.fail(retention.RefuseSchemaDrift, "correct `columns:`", "%v", checkColumn(b.table, c.Column))
		} else {
			b.change(col, c)
		}
	}
	if a.Kind == retention.Anonymise {
		b.covered(named, a.Mark)
		b.linkable(a)
	}
	b.mark(a.Mark)
	b.referenced(changed)
	if a.Verify != nil {
		for _, q := range a.Verify.Quasi {
			if err := checkColumn(b.table, q); err != nil {
				b.fail(retention.RefuseSchemaDrift, "correct `verify.quasi`", "verify: %v", err)
			}
		}
	}
}

// referenced refuses to change a column that foreign keys refer to: the change
// would travel into rows that nobody planned, or fail.
func (b *binder) referenced(changed map[string]bool) {
	for _, fk := range b.table.Referenced {
		for i, col := range fk.ToCols {
			if changed[col] && i < len(fk.Columns) {
				b.fail(retention.RefuseForeignKey, "write keep for it, or drop the reference",
					"table %q (%s) refers to column %q, which the rule changes: the change would reach its rows, held or not, or fail", fk.From, fk.Columns[i], col)
			}
		}
	}
}

// covered refuses where the live table has a column that the rule does not
// name: it would survive.
func (b *binder) covered(named map[string]bool, mark string) {
	var missing []string
	for _, c := range b.table.Columns {
		if !named[c.Name] && c.Name != mark {
			missing = append(missing, c.Name)
		}
	}
	if len(missing) > 0 {
		b.fail(retention.RefuseColumnsUncovered, "name them under columns: (keep, null, …)",
			"table %q has columns that the rule does not name: %s", b.table.Name, strings.Join(missing, ", "))
	}
}

func (b *binder) change(col *retention.Column, c retention.Change) {
	bad := func(hint, format string, args ...any) {
		b.fail(retention.RefusePolicyError, hint, "column %q: "+format, append([]any{col.Name}, args...)...)
	}
	switch {
	case c.Func == retention.Keep:
	case b.isKey(col.Name):
		bad("write keep", "a key column may only be kept")
	case col.Generated:
		bad("write keep: it follows its base columns", "it is generated and cannot be written")
	default:
		fits(col, c, bad)
	}
}

// fits reports a change whose result the column's constraints or type refuse.
func fits(col *retention.Column, c retention.Change, bad func(hint, format string, args ...any)) {
	switch {
	case nullish(c) && !col.Nullable:
		bad("write {set: …} or {random: …}", "it is NOT NULL and cannot be cleared")
	case collides(c) && col.Unique:
		bad("write {random: token, length: 16} with a mark", "it is UNIQUE: after the first row, %s would collide", c.Func)
	case c.Func == retention.Set && col.Length > 0 && utf8.RuneCountInString(c.Value.Text) > col.Length:
		bad("shorten it", "the value is longer than %d characters", col.Length)
	case c.Func == retention.Random && col.Length > 0 && c.N > int64(col.Length):
		bad("shorten it", "length %d is longer than the column's %d", c.N, col.Length)
	case numeric(c.Func) && (col.Kind == retention.KindDate || col.Kind == retention.KindBytes || col.Kind == retention.KindBool):
		bad("use truncate, set or null", "%s needs a number, the column is %s", c.Func, col.Decl)
	case textual(c.Func) && (col.Kind == retention.KindInteger || col.Kind == retention.KindNumber || col.Kind == retention.KindBool):
		bad("use bucket, round, set or null", "%s needs text, the column is %s", c.Func, col.Decl)
	}
}

func nullish(c retention.Change) bool {
	return c.Func == retention.Null || c.Func == retention.Set && c.Value.Null
}

// collides: changes that map many values to one.
func collides(c retention.Change) bool {
	switch c.Func {
	case retention.Keep, retention.Null, retention.Random:
		return false
	}
	return !nullish(c)
}

func numeric(f retention.ChangeFunc) bool { return f == retention.Bucket || f == retention.RoundTo }

func textual(f retention.ChangeFunc) bool {
	return f == retention.MaskIP || f == retention.EmailDomain
}

func (b *binder) isKey(name string) bool {
	for _, k := range b.table.Key {
		if k == name {
			return true
		}
	}
	return false
}

func (b *binder) mark(name string) {
	if name == "" {
		return
	}
	col := b.table.Column(name)
	if col == nil {
		b.fail(retention.RefuseSchemaDrift, "add the column, a nullable timestamp", "mark: %v", checkColumn(b.table, name))
		return
	}
	if !col.Nullable {
		b.fail(retention.RefusePolicyError, "let it be NULL until the row is done", "mark: column %q is NOT NULL", name)
	}
}

// linkable warns that a kept link to a subject leaves the row linkable.
func (b *binder) linkable(a *retention.Action) {
	kept := map[string]bool{}
	for _, c := range a.Columns {
		kept[c.Column] = c.Func == retention.Keep
	}
	for _, s := range b.dataset.Subjects {
		for _, c := range s.Columns {
			if kept[c] {
				b.warn("linkable", "clear or randomise it, if the row must not lead back to the person",
					"column %q is kept and links the row to its %s: the row stays linkable", c, s.Type)
			}
		}
	}
}

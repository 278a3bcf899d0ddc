package sqlgen

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/retentiond/retentiond/retention"
)

// Gone is the class of a key that names no row any more, in [Gen.Classify].
const Gone = "gone"

func (g *Gen) keys(list string) SQL { return g.d.Keys(Arg(list), g.columns(g.main(), g.s.Table.Key)) }

// keyed is whether the row's key, of the selection's table, is in the list.
func (g *Gen) keyed(r row, list string) SQL { return g.listed(r, g.s.Table.Key, g.keys(list)) }

// keyedBy is keyed for a row of any table.
func (g *Gen) keyedBy(r row, list string) SQL {
	return g.listed(r, r.table.Key, g.d.Keys(Arg(list), g.columns(r, r.table.Key)))
}

func (g *Gen) listed(r row, key []string, keys SQL) SQL {
	var cols []SQL
	for i := range key {
		cols = append(cols, Raw("k."+KeyColumn(i)))
	}
	return g.among(r, key, Format("SELECT %s FROM %s AS k", Join(", ", cols...), keys))
}

// Classify renders the class, now, of each key of the list: rows of its number
// in the list and its class, or [Gone].
func (g *Gen) Classify(list string) (Query, error) {
	t := g.main()
	if err := g.nameable(); err != nil {
		return Query{}, err
	}
	var on []SQL
	for i, k := range g.s.Table.Key {
		on = append(on, g.d.Exact(g.col(t, k), Raw("k."+KeyColumn(i)), g.column(t, k)))
	}
	return g.done(Format("SELECT k.retentiond_n, CASE WHEN %s IS NULL THEN '"+Gone+"' ELSE %s END\nFROM %s AS k LEFT JOIN %s ON %s",
		g.col(t, t.table.Key[0]), g.class(t), g.keys(list), g.from(t), And(on...)))
}

// Values renders the columns of the rows of the list.
func (g *Gen) Values(list string, columns []string) (Query, error) {
	t := g.main()
	return g.done(Format("SELECT %s FROM %s\nWHERE %s", g.plain(t, columns), g.from(t), g.keyed(t, list)))
}

// Restored renders the columns of the rows of the list as they were restored.
func (g *Gen) Restored(list string, columns []string) (Query, error) {
	t := g.main()
	out := make([]SQL, len(columns))
	for i, n := range columns {
		out[i] = g.d.Entire(g.col(t, n), g.column(t, n))
	}
	return g.done(Format("SELECT %s FROM %s\nWHERE %s", Join(", ", out...), g.from(t), g.keyed(t, list)))
}

// ChildValues renders columns of the child rows of the rows of the list.
func (g *Gen) ChildValues(c retention.Child, list string, columns []string) (Query, error) {
	x, cond := g.children(&c, list)
	return g.done(Format("SELECT %s FROM %s\nWHERE %s", g.plain(x, columns), g.from(x), cond))
}

// Delete renders the removal of the rows of the list.
func (g *Gen) Delete(list string) (Query, error) {
	t := g.main()
	return g.done(Format("%s\nWHERE %s", g.deleteFrom(t), g.keyed(t, list)))
}

// DeleteDue renders the removal of the rows of the list that are due, in one
// statement: where it removes as many rows as the list has keys, each of them
// was due. It tests what the class tests.
func (g *Gen) DeleteDue(list string) (Query, error) {
	t := g.main()
	if err := g.nameable(); err != nil {
		return Query{}, err
	}
	return g.done(Format("%s\nWHERE %s", g.deleteFrom(t), And(g.keyed(t, list), g.stillDue(t))))
}

// Update renders the changes to the rows of the list; mark, where it is set, is
// the column that records markAt.
func (g *Gen) Update(list string, changes []retention.Change, mark string, markAt any) (Query, error) {
	t := g.main()
	return g.update(t, g.keyed(t, list), changes, mark, markAt)
}

// UpdateDue is Update of the rows of the list that are due, tested in the same
// statement.
func (g *Gen) UpdateDue(list string, changes []retention.Change, mark string, markAt any) (Query, error) {
	t := g.main()
	if err := g.nameable(); err != nil {
		return Query{}, err
	}
	return g.update(t, And(g.keyed(t, list), g.stillDue(t)), changes, mark, markAt)
}

func (g *Gen) update(t row, where SQL, changes []retention.Change, mark string, markAt any) (Query, error) {
	var sets []SQL
	for _, ch := range changes {
		if ch.Func != retention.Keep {
			sets = append(sets, Format("%s = %s", Raw(g.d.Quote(g.column(t, ch.Column).Name)), g.form(t, ch)))
		}
	}
	if mark != "" {
		sets = append(sets, Format("%s = %s", Raw(g.d.Quote(g.column(t, mark).Name)), Arg(markAt)))
	}
	if len(sets) == 0 {
		return Query{}, fmt.Errorf("table %s: no column would change", t.table.Name)
	}
	return g.done(Format("%s SET\n  %s\nWHERE %s", g.updateOf(t), Join(",\n  ", append(sets, g.unrenewed(t, changes, mark)...)...), where))
}

// unrenewed writes the columns as they are that the engine would renew.
func (g *Gen) unrenewed(t row, changes []retention.Change, mark string) []SQL {
	if g.d.Renews == nil {
		return nil
	}
	var sets []SQL
	for i := range t.table.Columns {
		c := &t.table.Columns[i]
		changed := slices.ContainsFunc(changes, func(ch retention.Change) bool { return ch.Column == c.Name && ch.Func != retention.Keep })
		if g.d.Renews(c) && !changed && c.Name != mark {
			sets = append(sets, Format("%s = %s", g.col(t, c.Name), g.col(t, c.Name)))
		}
	}
	return sets
}

// CountDone counts the rows of the list that have their form; ok = false where
// there is nothing to tell it by.
func (g *Gen) CountDone(list string) (q Query, ok bool, err error) {
	t := g.main()
	done := g.alreadyDone(t)
	if isFalse(done) && g.err == nil {
		return Query{}, false, nil
	}
	q, err = g.done(Format("SELECT count(*) FROM %s\nWHERE %s", g.from(t), And(done, g.keyed(t, list))))
	return q, true, err
}

// Copy renders the copy of the rows of the list into their vault table.
func (g *Gen) Copy(list string, v *retention.VaultTables) (Query, error) {
	t := g.main()
	return g.done(g.copy(t, v.Table, v, g.rowClock(t, g.s.Clock), g.life(t, v.Table), g.keyed(t, list)))
}

// life is how many rows with this key the vault has seen: children are copied
// before their row, so that both get the same.
func (g *Gen) life(r row, vault retention.TableName) SQL {
	life := "l." + g.d.Quote(retention.VaultLife)
	var same []SQL
	for _, k := range r.table.Key {
		same = append(same, Format("l."+g.d.Quote(k)+" = %s", g.col(r, k)))
	}
	return Format("(SELECT coalesce(max("+life+") + 1, 0) FROM %s AS l WHERE %s)", g.d.Table(vault), And(same...))
}

func (g *Gen) copy(r row, into retention.TableName, v *retention.VaultTables, clock, life, where SQL) SQL {
	var names, values []SQL
	for _, c := range r.table.Columns {
		names = append(names, Raw(g.d.Quote(c.Name)))
		values = append(values, g.col(r, c.Name))
	}
	for _, n := range []string{retention.VaultClock, retention.VaultRule, retention.VaultArchivedAt, retention.VaultLife} {
		names = append(names, Raw(g.d.Quote(n)))
	}
	values = append(values, g.d.Stamp(clock), Arg(v.Rule), Arg(v.At.UTC().Format(time.RFC3339)), life)
	return Format("INSERT INTO %s (%s)\nSELECT %s\nFROM %s\nWHERE %s",
		g.d.Table(into), Join(", ", names...), Join(", ", values...), g.from(r), where)
}

// Uncopied counts the rows of the list that have no equal copy among the rows
// of the vault table after the one named.
func (g *Gen) Uncopied(list string, into retention.TableName, after int64) (Query, error) {
	t := g.main()
	return g.done(g.uncopied(t, into, after, g.keyed(t, list)))
}

func (g *Gen) uncopied(r row, into retention.TableName, after int64, where SQL) SQL {
	if g.d.NoExcept {
		return g.unmatched(r, into, after, where)
	}
	var from, to []SQL
	for i := range r.table.Columns {
		c := &r.table.Columns[i]
		from = append(from, g.image(g.col(r, c.Name), c))
		to = append(to, g.image(Raw("v."+g.d.Quote(c.Name)), c))
	}
	return Format("SELECT count(*) FROM (SELECT %s FROM %s WHERE %s\nEXCEPT SELECT %s FROM %s AS v WHERE v."+g.d.Quote(VaultID)+" > %s) AS k",
		Join(", ", from...), g.from(r), where, Join(", ", to...), g.d.Table(into), Arg(after))
}

func (g *Gen) image(col SQL, c *retention.Column) SQL {
	if g.d.Image == nil {
		return col
	}
	return g.d.Image(col, c)
}

// unmatched is uncopied without EXCEPT: a copy is found by the key's index, and
// compared column by column.
func (g *Gen) unmatched(r row, into retention.TableName, after int64, where SQL) SQL {
	return Format("SELECT count(*) FROM %s\nWHERE %s AND NOT %s", g.from(r), where, g.copied(r, into, after))
}

// VaultID is the vault tables' own key: an identifier that the application
// gives again later must not collide with an archived one.
const VaultID = "retentiond_id"

func itoa(n int) string { return strconv.Itoa(n) }

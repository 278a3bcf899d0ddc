package sqlgen

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// Evidence renders the rows found: the key's columns, the class, and for each
// clock member three columns: the greatest value it gives in microseconds
// ([Never] where one is unresolved), the least, and whether it is unresolved.
func (g *Gen) Evidence(f retention.Find) (Query, error) {
	t := g.main()
	cols := []SQL{g.plain(t, g.s.Table.Key)}
	cols = append(cols, g.class(t))
	for _, m := range g.s.Clock.Members {
		x := g.member(t, g.s.Clock, m)
		most, least := x.value, x.value
		if m.Related != nil {
			most, least = g.extreme(t, g.s.Clock, m, false), g.extreme(t, g.s.Clock, m, true)
		}
		cols = append(cols, most, least, Format("CASE WHEN %s THEN 1 ELSE 0 END", x.unresolved))
	}
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	where := g.found(t, f)
	return g.done(Format("SELECT %s\nFROM %s\nWHERE %s\nORDER BY %s\nLIMIT %s", Join(", ", cols...), g.from(t), where,
		g.stable(t), Arg(int64(limit))))
}

func (g *Gen) stable(t row) SQL {
	if len(t.table.Key) == 0 {
		return Raw("1")
	}
	return Join(", ", g.cols(t, t.table.Key)...)
}

// found is whether the row is meant.
func (g *Gen) found(t row, f retention.Find) SQL {
	var all []SQL
	if f.Key != nil {
		all = append(all, g.foundKey(t, *f.Key))
	}
	if f.Subject != nil {
		lists, err := jsonLists(map[string][]string{f.Subject.Type: {f.Subject.ID}})
		if err != nil {
			return g.fail("subject %s: %w", f.Subject.Type, err)
		}
		all = append(all, g.about(t, g.s.Reach, lists))
	}
	if len(all) == 0 {
		return g.fail("say which row of table %s is meant: by key or by subject", t.table.Name)
	}
	return And(all...)
}

func (g *Gen) foundKey(t row, text string) SQL {
	parts, err := keyTexts(text, len(t.table.Key))
	if err != nil {
		return g.fail("table %s: %w", t.table.Name, err)
	}
	var all []SQL
	for i, k := range t.table.Key {
		list, err := jsonLists(map[string][]string{"": {parts[i]}})
		if err != nil {
			return g.fail("table %s: key: %w", t.table.Name, err)
		}
		all = append(all, g.d.Among(g.col(t, k), g.column(t, k), list[""]))
	}
	return And(all...)
}

// keyTexts splits a key's text into its columns' texts.
func keyTexts(text string, n int) ([]string, error) {
	if n == 0 {
		return nil, fmt.Errorf("it has no primary key: its rows cannot be named")
	}
	if n == 1 {
		return []string{text}, nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var parts []any
	if err := d.Decode(&parts); err != nil || len(parts) != n {
		return nil, fmt.Errorf("key %q: a key of %d columns is a JSON array of %d values", text, n, n)
	}
	out := make([]string, n)
	for i, p := range parts {
		out[i] = fmt.Sprint(p)
		if m, bytes := p.(map[string]any); bytes {
			out[i] = fmt.Sprint(m["hex"])
		}
	}
	return out, nil
}

// Lookup asks for values of one column.
type Lookup struct {
	Query
	Column *retention.Column
}

// Matched renders, for each declared subject of that type, the distinct values
// that are among the identifiers.
func (g *Gen) Matched(subjectType string, ids []string) ([]Lookup, error) {
	return g.lookups(subjectType, ids, "")
}

// Anyone renders, for each declared subject of that type, a query that gives a
// row where some row is about one of the identifiers.
func (g *Gen) Anyone(subjectType string, ids []string) ([]Lookup, error) {
	return g.lookups(subjectType, ids, "\nLIMIT 1")
}

func (g *Gen) lookups(subjectType string, ids []string, limit string) ([]Lookup, error) {
	lists, err := jsonLists(map[string][]string{subjectType: ids})
	if err != nil {
		return nil, err
	}
	distinct := "SELECT DISTINCT"
	if limit != "" {
		distinct = "SELECT"
	}
	var out []Lookup
	add := func(r row, column string, conds ...SQL) {
		is := g.d.Among(g.col(r, column), g.column(r, column), lists[subjectType])
		q, e := g.done(Format(distinct+" %s FROM %s\nWHERE %s"+limit, g.d.Plain(g.col(r, column), g.column(r, column)), g.from(r), And(append(conds, is)...)))
		out, err = append(out, Lookup{q, g.column(r, column)}), errors.Join(err, e)
	}
	for _, s := range g.s.Reach.Subjects {
		if s.Type != subjectType || len(ids) == 0 {
			continue
		}
		for _, c := range s.Columns {
			add(g.main(), c)
		}
		if s.Related != nil {
			x := g.enter(s.Related.Table)
			home, on := g.reach(x, reverse(s.Related, g.s.Table.Name))
			add(x, s.Related.Column, g.match(x, s.Related.Where), g.exists(home, on))
		}
	}
	return out, err
}

// SmallGroups renders two counts: the rows that would share their quasi
// identifiers with fewer than k rows once changed, and all rows that are due or
// done.
func (g *Gen) SmallGroups(changes []retention.Change, k retention.KAnonymity) (Query, error) {
	t := g.main()
	cols := []SQL{Format("%s AS c", g.class(t))}
	var by []SQL
	for i, name := range k.Quasi {
		alias := "q" + itoa(i)
		cols = append(cols, Format("%s AS "+alias+", %s AS f"+alias, g.col(t, name), g.quasi(t, name, changes)))
		by = append(by, g.d.Group(Raw("CASE WHEN k.c = 'done' THEN k."+alias+" ELSE k.f"+alias+" END"), g.column(t, name)))
	}
	if len(by) == 0 {
		return Query{}, fmt.Errorf("table %s: k-anonymity needs quasi identifiers", t.table.Name)
	}
	return g.done(Format("SELECT coalesce(sum(CASE WHEN n < %s THEN n END), 0), coalesce(sum(n), 0)\nFROM (SELECT count(*) AS n FROM (SELECT %s FROM %s "+g.fence()+") AS k\nWHERE k.c IN ('due', 'done') GROUP BY %s) AS q",
		Arg(int64(k.K)), Join(", ", cols...), g.from(t), Join(", ", by...)))
}

func (g *Gen) quasi(t row, name string, changes []retention.Change) SQL {
	for _, ch := range changes {
		if ch.Column == name {
			return g.form(t, ch)
		}
	}
	return g.col(t, name)
}

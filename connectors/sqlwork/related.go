package sqlwork

import (
	"context"
	"fmt"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

var _ retention.RowReader = (*Source)(nil)

// relatedAt is how many values one statement asks for.
const relatedAt = 1000

// Related reads what rows say of files, as it was last committed at the source
// itself, never at a replica.
func (s *Source) Related(ctx context.Context, r retention.FileRow, clock bool, among []string, f func(by string, value any) error) error {
	return s.e.Look(AtSource(ctx), func(q Session) error {
		schema, err := s.e.Describe(ctx, q, []retention.TableName{r.Table})
		if err != nil {
			return err
		}
		t := schema.Table(r.Table)
		if t == nil {
			return refusal(retention.RefuseSchemaDrift, "%s has no table %s", s.e.Name(), r.Table)
		}
		if t.Hides != "" { // a later time could be in a row that is not shown (L1)
			return refusal(retention.RefuseUnsafeTable, "table %s: %s", r.Table, t.Hides)
		}
		if among == nil {
			return s.related(ctx, q, t, r, clock, nil, f)
		}
		for len(among) > 0 {
			n := min(len(among), relatedAt)
			if err := s.related(ctx, q, t, r, clock, among[:n], f); err != nil {
				return err
			}
			among = among[n:]
		}
		return nil
	})
}

func (s *Source) related(ctx context.Context, q Session, t *retention.Table, r retention.FileRow, clock bool, among []string, f func(by string, value any) error) error {
	d := s.e.Dialect()
	by, col := t.Column(r.On.Theirs), t.Column(r.Column)
	if by == nil || col == nil {
		return refusal(retention.RefuseSchemaDrift, "table %s has no column %q or %q", r.Table, r.On.Theirs, r.Column)
	}
	if r.Exact {
		if err := singly(t, by, col, clock); err != nil {
			return err
		}
	}
	key := sqlgen.Raw("t." + d.Quote(by.Name))
	value := d.Plain(sqlgen.Raw("t."+d.Quote(col.Name)), col)
	if clock {
		var err error
		if value, err = clockValue(d, col, r); err != nil {
			return refusal(retention.RefuseSchemaDrift, "table %s, column %q: %v", r.Table, r.Column, err)
		}
	}
	where := sqlgen.Format("%s IS NOT NULL", key)
	if r.Roundabout {
		where = sqlgen.And(where, sqlgen.Roundabout(d, key, by))
	}
	if among != nil {
		ids, err := sqlgen.NewIDs(among)
		if err != nil {
			return err
		}
		where = d.Among(key, by, ids)
	}
	x := d.Query(sqlgen.Format("SELECT %s, %s FROM %s AS t WHERE %s", d.Plain(key, by), value, d.Table(t.Name), where))
	rows, err := q.QueryxContext(ctx, x.Text, x.Args...)
	if err != nil {
		return fmt.Errorf("read table %s: %w", r.Table, err)
	}
	defer rows.Close()
	for rows.Next() {
		vals, err := rows.SliceScan()
		if err != nil {
			return err
		}
		v := s.e.Value(col, vals[1])
		switch {
		case v == nil:
		case clock:
			v = number(vals[1])
		case r.Exact:
			v = spelling(col, v)
		default:
			v = KeyText(retention.Key{v})
		}
		if err := f(KeyText(retention.Key{s.e.Value(by, vals[0])}), v); err != nil {
			return err
		}
	}
	return rows.Err()
}

// clockValue reads the column as clocks of its own source are read. What is
// plausible is left to the rule.
func clockValue(d *sqlgen.Dialect, col *retention.Column, r retention.FileRow) (sqlgen.SQL, error) {
	m := retention.MemberTest{
		Type: r.As, Zone: r.Zone, DateZone: r.Days,
		NotBefore: time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	if m.Type == "" {
		if m.Type = retention.ClockTypeOf(col.Kind); m.Type == "" {
			return sqlgen.SQL{}, fmt.Errorf("it is %s, which says no instant: write as: unix-seconds, unix-milliseconds, text, date or timestamp", col.Decl)
		}
	}
	return d.Clock(sqlgen.Raw("t."+d.Quote(col.Name)), col, m)
}

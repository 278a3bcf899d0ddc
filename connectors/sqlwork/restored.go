package sqlwork

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// tally is what rows are, whatever their order: sums of their hashes.
type tally struct {
	n   int64
	sum [4]uint64
}

func (t *tally) add(columns []*retention.Column, values []any) {
	h := sha256.New()
	for i, v := range values {
		image(h, []any{plainly(columns[i], v)})
	}
	sum := h.Sum(nil)
	for i := range t.sum {
		t.sum[i] += binary.BigEndian.Uint64(sum[8*i:])
	}
	t.n++
}

// and are the rows of both.
func (t tally) and(o tally) tally {
	for i := range t.sum {
		t.sum[i] += o.sum[i]
	}
	t.n += o.n
	return t
}

// plainly is a value without what its type may write in another way, here and where it
// was archived: a float of 32 bits, an integer without a sign, zeros at the end of a
// fraction.
func plainly(c *retention.Column, v any) any {
	switch x := v.(type) {
	case float32:
		if f, err := strconv.ParseFloat(strconv.FormatFloat(float64(x), 'g', -1, 32), 64); err == nil {
			return f
		}
	case uint64:
		if x <= math.MaxInt64 {
			return int64(x)
		}
	case string:
		return plainText(c.Kind, x)
	}
	return v
}

func plainText(kind retention.Kind, s string) string {
	switch kind {
	case retention.KindTimestampTZ:
		s = strings.TrimSuffix(s, "+00")
	case retention.KindTimestamp, retention.KindNumber:
	default:
		return s
	}
	if whole, fraction, ok := strings.Cut(s, "."); ok && strings.Trim(fraction, "0123456789") == "" {
		return strings.TrimSuffix(whole+"."+strings.TrimRight(fraction, "0"), ".")
	}
	return s
}

// restored compares the rows that were put into a table with what the table has of
// them, in the same transaction: a trigger that nobody sees, or a type that holds less,
// may change them on their way (L9). Rows are found by their key; where they have none,
// the whole table is read before and after.
type restored struct {
	*Source
	q       Session
	live    *retention.Table
	names   []string // of the columns that were given values
	columns []*retention.Column
	key     []int // their places in a row; nil: the table's key was not given
	before  tally // of the whole table, without key
	given   tally // rows that were not compared yet
	keys    []retention.Key
	done    []someRestored
}

// someRestored are rows that were compared, as they were then.
type someRestored struct {
	list string
	is   tally
}

// restoredRows is how many rows are compared at once.
const restoredRows = 1000

// restoring begins to compare rows; names are the columns that they have values for.
func (s *Source) restoring(ctx context.Context, q Session, live *retention.Table, names []string) (*restored, error) {
	r := &restored{Source: s, q: q, live: live, names: names}
	for _, n := range names {
		r.columns = append(r.columns, live.Column(n))
	}
	for _, k := range live.Key {
		at := slices.IndexFunc(r.columns, func(c *retention.Column) bool { return c.Name == live.Column(k).Name })
		if at < 0 {
			r.key = nil
			break
		}
		r.key = append(r.key, at)
	}
	var err error
	if r.key == nil {
		r.before, err = r.whole(ctx)
	}
	return r, err
}

// add takes a row that was inserted.
func (r *restored) add(ctx context.Context, row []any) error {
	r.given.add(r.columns, row)
	if r.key == nil {
		return nil
	}
	key, err := r.keyOf(row)
	if err != nil {
		return err
	}
	if r.keys = append(r.keys, key); len(r.keys) < restoredRows {
		return nil
	}
	return r.compare(ctx)
}

// compare compares the rows of late, by their keys.
func (r *restored) compare(ctx context.Context) error {
	if len(r.keys) == 0 {
		return nil
	}
	list, err := keyList(r.live, r.keys)
	if err != nil {
		return err
	}
	is, err := r.read(ctx, list)
	if err != nil {
		return err
	}
	if is != r.given {
		return r.changed()
	}
	r.done = append(r.done, someRestored{list, is})
	r.given, r.keys = tally{}, r.keys[:0]
	return nil
}

// finish compares what is left, and everything once more after whatever waited for the
// commit.
func (r *restored) finish(ctx context.Context) error {
	if err := r.compare(ctx); err != nil {
		return err
	}
	if err := r.fire(ctx, r.q); err != nil {
		return err
	}
	if r.key == nil {
		after, err := r.whole(ctx)
		if err == nil && after != r.before.and(r.given) {
			err = r.changed()
		}
		return err
	}
	for _, some := range r.done {
		is, err := r.read(ctx, some.list)
		if err == nil && is != some.is {
			err = r.changed()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *restored) changed() error {
	return fmt.Errorf("the table does not have the rows as they were archived: a trigger, or a type that holds less, changes them on their way, or others write to the table; nothing was restored: restore into a table of its own, without triggers, with the columns that `retentiond archive show` lists, or write JSON lines (--to)")
}

// keyOf is the key of a row that is given.
func (r *restored) keyOf(row []any) (key retention.Key, err error) {
	for i, at := range r.key {
		v := plainly(r.columns[at], row[at])
		switch x := v.(type) {
		case uint64:
			v = strconv.FormatUint(x, 10)
		case float64:
			v = strconv.FormatFloat(x, 'g', -1, 64)
		case bool:
			v = strconv.FormatBool(x)
		case nil:
			return nil, fmt.Errorf("its key has no value in column %s: such a row cannot be read back by its key: restore into a table without a primary key", r.live.Key[i])
		}
		key = append(key, v)
	}
	return key, nil
}

// read reads rows back.
func (r *restored) read(ctx context.Context, list string) (tally, error) {
	t := *r.live
	g, err := r.Gen(retention.Selection{
		Schema: &retention.Schema{Tables: map[retention.TableName]*retention.Table{t.Name: &t}}, Table: &t,
		Clock: retention.ClockTest{Any: true}, Reach: &retention.Reach{Table: t.Name},
	}, &retention.HoldSet{})
	if err != nil {
		return tally{}, err
	}
	x, err := g.Restored(list, r.names)
	if err != nil {
		return tally{}, err
	}
	return r.tally(ctx, x)
}

// whole reads the whole table. Without an argument some drivers read numbers as they
// are shown to people.
func (r *restored) whole(ctx context.Context) (tally, error) {
	d := r.e.Dialect()
	cols := make([]sqlgen.SQL, len(r.columns))
	for i, c := range r.columns {
		cols[i] = d.Entire(sqlgen.Raw("t."+d.Quote(c.Name)), c)
	}
	return r.tally(ctx, d.Query(sqlgen.Format("SELECT %s FROM %s AS t WHERE %s = 1", sqlgen.Join(", ", cols...), d.Table(r.live.Name), sqlgen.Arg(int64(1)))))
}

func (r *restored) tally(ctx context.Context, x sqlgen.Query) (out tally, err error) {
	err = stream(ctx, r.q, x, func(vals []any) error {
		for i, c := range r.columns {
			vals[i] = r.exact(c, vals[i])
		}
		out.add(r.columns, vals)
		return nil
	})
	if err != nil {
		err = fmt.Errorf("read the rows back: %w", err)
	}
	return out, err
}

package sqlwork

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"math"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// image adds a row's values to a sum, exactly, and says how long they are.
func image(sum hash.Hash, values []any) (bytes int) {
	for _, v := range values {
		kind, b := imageOf(v)
		var head [9]byte
		head[0] = kind
		binary.BigEndian.PutUint64(head[1:], uint64(len(b))) //nolint:gosec // a length
		_, _ = sum.Write(head[:])                            // a hash takes everything
		_, _ = sum.Write(b)
		bytes += len(b)
	}
	return bytes
}

func imageOf(v any) (kind byte, b []byte) {
	number := func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
	switch x := v.(type) {
	case nil:
		return 'n', nil
	case int64:
		return 'i', number(uint64(x)) //nolint:gosec // its bits
	case uint64:
		return 'u', number(x)
	case float64:
		return 'f', number(math.Float64bits(x))
	case float32:
		return 'g', number(uint64(math.Float32bits(x)))
	case bool:
		if x {
			return 't', nil
		}
		return 'b', nil
	case string:
		return 's', []byte(x)
	case []byte:
		return 'x', x
	}
	return '?', fmt.Appendf(nil, "%T %v", v, v)
}

// compare reads the copies back, in the order in which they were written.
func (r *receiver) compare(q Session) error {
	read := map[retention.TableName]bool{}
	for _, t := range r.tables {
		if read[t.into.Name] {
			continue
		}
		read[t.into.Name] = true
		if err := r.readBack(q, t); err != nil {
			return err
		}
	}
	return nil
}

// readBack compares the copies in one vault table. Rows of one table may have been
// given as several kinds of children, one after the other.
func (r *receiver) readBack(q Session, t *received) error {
	var kinds []*received
	for _, k := range r.tables {
		if k.into.Name == t.into.Name && k.rows > 0 {
			kinds = append(kinds, k)
		}
	}
	rows, err := q.QueryxContext(r.ctx, r.copies(t).Text, r.copies(t).Args...)
	if err != nil {
		return fmt.Errorf("read vault table %s back: %w", t.into.Name, err)
	}
	defer rows.Close()
	var n int64
	sum, cols := sha256.New(), t.from.Columns
	for rows.Next() {
		vals, err := rows.SliceScan()
		if err != nil {
			return err
		}
		for i := range cols {
			vals[i] = r.exact(&cols[i], vals[i])
		}
		image(sum, vals)
		if n++; len(kinds) == 0 || n > kinds[0].rows {
			return exactly(t.into.Name, "found that were not given", 1, 0)
		}
		if n == kinds[0].rows {
			if string(sum.Sum(nil)) != string(kinds[0].sum.Sum(nil)) {
				return fmt.Errorf("vault table %s: the copies are not what was given: nothing was moved", t.into.Name)
			}
			sum, n, kinds = sha256.New(), 0, kinds[1:]
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if len(kinds) > 0 {
		return exactly(t.into.Name, "found without an equal copy", kinds[0].rows-n, 0)
	}
	return nil
}

// copies are the delivery's rows in a vault table.
func (r *receiver) copies(t *received) sqlgen.Query {
	d := r.e.Dialect()
	cols := make([]sqlgen.SQL, len(t.from.Columns))
	for i := range cols {
		c := &t.from.Columns[i]
		cols[i] = d.Entire(sqlgen.Raw("t."+d.Quote(c.Name)), c)
	}
	return d.Query(sqlgen.Format("SELECT %s FROM %s AS t WHERE t."+d.Quote(retention.VaultIntent)+" = %s ORDER BY t."+d.Quote(sqlgen.VaultID),
		sqlgen.Join(", ", cols...), d.Table(t.into.Name), sqlgen.Arg(r.d.Intent)))
}

// Withdraw removes the copies of an intent that can never commit where their rows
// are. The receipt says in which tables they are.
func (s *Source) Withdraw(ctx context.Context, intent string, open func(context.Context) error) error {
	receipt, err := s.Settle(ctx, intent, open)
	if err != nil || receipt.State == retention.ReceiptAbandoned || len(receipt.Into) == 0 {
		return err
	}
	err = s.e.Change(ctx, Loose, s.wait, func(q Session) error {
		for _, t := range receipt.Into {
			if _, err := s.say(ctx, q, "DELETE FROM %s WHERE "+s.e.Dialect().Quote(retention.VaultIntent)+" = %s", s.e.Dialect().Table(t), intent); err != nil {
				return fmt.Errorf("withdraw copies from vault table %s: %w", t, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w: %w", retention.ErrUnsettled, err)
	}
	return nil
}

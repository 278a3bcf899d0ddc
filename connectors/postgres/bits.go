package postgres

import (
	"strconv"

	"github.com/retentiond/retentiond/connectors/sqlgen"
)

// bits are integers that lie close together: one bit for each from low to high. A
// server takes in a list of a hundred thousand anew for each statement, in many
// milliseconds; bits cost nothing but their way.
type bits struct {
	low, high int64
	set       sqlgen.Blob
}

// spread is how many times as many integers as there are identifiers the bits may
// be for: a list needs about as many bytes for each of them.
const spread = 64

// bitsOf are the bits of the identifiers that are integers; nil where they lie too
// far apart, or there are none.
func bitsOf(ids *sqlgen.IDs) *bits {
	return sqlgen.Made(ids, "bits", func(all []string) *bits {
		var numbers []int64
		for _, id := range all {
			for _, text := range integerForm(id) {
				if n, err := strconv.ParseInt(text, 10, 64); err == nil {
					numbers = append(numbers, n)
				}
			}
		}
		return bitsFrom(numbers)
	})
}

func bitsFrom(numbers []int64) *bits {
	if len(numbers) == 0 {
		return nil
	}
	m := &bits{low: numbers[0], high: numbers[0]}
	for _, n := range numbers {
		m.low, m.high = min(m.low, n), max(m.high, n)
	}
	span := uint64(m.high) - uint64(m.low) // right even where the difference overflows
	if span >= uint64(len(numbers))*spread {
		return nil
	}
	set := make([]byte, span/8+1)
	for _, n := range numbers {
		at := uint64(n) - uint64(m.low)
		set[at/8] |= 1 << (at % 8)
	}
	m.set = sqlgen.Blob(set)
	return m
}

// among is whether the column's value is one of the integers; FALSE for NULL.
func (m *bits) among(col sqlgen.SQL) sqlgen.SQL {
	v, low := cast(col, "bigint"), cast(sqlgen.Arg(m.low), "bigint")
	return sqlgen.Format("CASE WHEN %s BETWEEN %s AND %s THEN get_bit(%s::bytea, CAST(%s - %s AS integer)) = 1 ELSE FALSE END",
		v, low, cast(sqlgen.Arg(m.high), "bigint"), sqlgen.Arg(m.set), v, low)
}

package postgres

import (
	"fmt"
	"strconv"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// random makes a fresh value for each row, from the server's strong source of
// random UUIDs: it is not derived from the old one, so that nothing leads back to
// it (L10). The length depends on the row (by 0 times its own) so that no plan
// computes one value for all.
func random(col sqlgen.SQL, c *retention.Column, ch retention.Change) (sqlgen.SQL, error) {
	if ch.N <= 0 || ch.N > 1024 {
		return sqlgen.SQL{}, fmt.Errorf("column %s: random: length must be 1 to 1024 characters", ch.Column)
	}
	alphabet, first := "", ""
	switch ch.Unit {
	case "digits": // a number that starts with 0 would lose its length in an integer column
		alphabet, first = "0123456789", "123456789"
	case "letters":
		alphabet = "abcdefghijklmnopqrstuvwxyz"
	case "token":
		alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	default:
		return sqlgen.SQL{}, fmt.Errorf("column %s: random: unit is digits, letters or token", ch.Column)
	}
	switch {
	case c.Kind == retention.KindUUID:
		return sqlgen.Raw("gen_random_uuid()"), nil
	case c.Kind == retention.KindInteger && ch.Unit == "digits" && ch.N <= int64(digitsOf(c.Decl)):
		return sqlgen.Format("CAST(%s AS bigint)", letters(col, alphabet, first, ch.N)), nil
	case c.Kind == retention.KindText:
		return letters(col, alphabet, first, ch.N), nil
	}
	return sqlgen.SQL{}, fmt.Errorf("column %s: random %s of length %d does not fit %s", ch.Column, ch.Unit, ch.N, c.Decl)
}

func digitsOf(decl string) int {
	switch decl {
	case "smallint":
		return 4
	case "integer":
		return 9
	}
	return 18
}

// letters are n of the alphabet, the first one of first where that is not empty.
func letters(col sqlgen.SQL, alphabet, first string, n int64) sqlgen.SQL {
	one := func(from string) string {
		return "substr('" + from + "', 1 + ('x' || left(CAST(gen_random_uuid() AS text), 7))::bit(28)::int % " + strconv.Itoa(len(from)) + ", 1)"
	}
	pick := one(alphabet)
	if first != "" {
		pick = "CASE s.i WHEN 1 THEN " + one(first) + " ELSE " + pick + " END"
	}
	return sqlgen.Format("(SELECT string_agg("+pick+", '') FROM generate_series(1, "+strconv.FormatInt(n, 10)+" + 0 * coalesce(length(CAST(%s AS text)), 0)) AS s(i))", col)
}

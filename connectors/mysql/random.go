package mysql

import (
	"fmt"

	"github.com/retentiond/retentiond/connectors/sqlgen"
)

// random makes a fresh value of n characters. It is not derived from the old one,
// so that nothing leads back to it (L10). Its randomness is a secret made for
// this statement alone, spread over rows and pieces by a hash: servers have no
// random bytes before MariaDB 10.10. Characters outside the alphabet are dropped,
// never folded into it, so that all are as likely.
func random(unit string, n int64, secret func() []byte) (sqlgen.SQL, error) {
	if n <= 0 || n > 1024 {
		return sqlgen.SQL{}, fmt.Errorf("random: length must be 1 to 1024 characters")
	}
	if secret == nil {
		return sqlgen.SQL{}, fmt.Errorf("random: a random value has no form to tell it by")
	}
	hashed := sqlgen.Format("SHA2(CONCAT(HEX(%s), UUID(), RAND(), RAND()), 512)", sqlgen.Arg(secret()))
	text := sqlgen.Format("TO_BASE64(UNHEX(%s))", hashed)
	switch unit {
	case "digits": // a number that starts with 0 would lose its length in an integer column
		first := sqlgen.Format("LEFT(REGEXP_REPLACE(%s, '[^1-9]', ''), 1)", hashed)
		return pieces(first, n-1, 36, sqlgen.Format("REGEXP_REPLACE(%s, '[^0-9]', '')", hashed)), nil
	case "letters":
		return pieces(sqlgen.Raw("''"), n, 36, sqlgen.Format("REGEXP_REPLACE(LOWER(%s), '[^a-z]', '')", text)), nil
	case "token":
		return pieces(sqlgen.Raw("''"), n, 60, sqlgen.Format("REGEXP_REPLACE(%s, '[^A-Za-z0-9]', '')", text)), nil
	}
	return sqlgen.SQL{}, fmt.Errorf("random: unit is digits, letters or token")
}

// pieces are n characters, at most so many from each fresh piece.
func pieces(first sqlgen.SQL, n, most int64, piece sqlgen.SQL) sqlgen.SQL {
	parts := []sqlgen.SQL{first}
	for ; n > 0; n -= most {
		parts = append(parts, sqlgen.Format("LEFT(%s, "+itoa(min(n, most))+")", piece))
	}
	return sqlgen.Format("CONCAT(%s)", sqlgen.Join(", ", parts...))
}

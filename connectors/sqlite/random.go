package sqlite

import (
	"crypto/rand"
	"database/sql/driver"
	"fmt"
	"math/big"
)

// random makes a fresh value: (unit, length). It is not derived from the old
// one, so that nothing leads back to it (L10).
func random(args []driver.Value) (driver.Value, error) {
	n, ok := args[1].(int64)
	if !ok || n <= 0 || n > 1024 {
		return nil, fmt.Errorf("random: length must be 1 to 1024 characters")
	}
	alphabet := ""
	switch args[0] {
	case "digits":
		alphabet = "0123456789"
	case "letters":
		alphabet = "abcdefghijklmnopqrstuvwxyz"
	case "token":
		alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	default:
		return nil, fmt.Errorf("random: unit is digits, letters or token")
	}
	out := make([]byte, n)
	for i := range out {
		k, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return nil, fmt.Errorf("random: %w", err)
		}
		out[i] = alphabet[k.Int64()]
	}
	// A number that starts with 0 would lose its length in an integer column.
	if args[0] == "digits" && out[0] == '0' {
		out[0] = '1' + out[n-1]%9
	}
	return string(out), nil
}

package mysql

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
)

// An ENUM has a number beside each of its texts, and 0 for a value that it did not take,
// which is written '' like a text of that name; a SET with such a member has two that are
// written so. Where texts do not tell them apart, the number does.

// ambiguous is TRUE for the value that its text does not name; ok = false: there is none.
func ambiguous(col sqlgen.SQL, c *retention.Column) (s sqlgen.SQL, ok bool) {
	if !strings.Contains(c.Decl, "(''") && !strings.Contains(c.Decl, ",''") {
		return s, false
	}
	switch typeName(c) {
	case "enum": // the text is the member's
		return sqlgen.Format("CAST(%s AS UNSIGNED) = 0", col), true
	case "set": // the text is of no member
		return sqlgen.Format("%s = '' AND CAST(%s AS UNSIGNED) > 0", col, col), true
	}
	return s, false
}

// alsoNumber is the comparison of texts, and of their numbers where texts do not tell.
func alsoNumber(texts, a, b sqlgen.SQL, c *retention.Column) sqlgen.SQL {
	if _, ok := ambiguous(a, c); !ok {
		return texts
	}
	return sqlgen.Format("%s AND CAST(%s AS UNSIGNED) <=> CAST(%s AS UNSIGNED)", texts, a, b)
}

// entire is plain, with the number of a value that its text does not name.
func entire(col sqlgen.SQL, c *retention.Column) sqlgen.SQL {
	odd, ok := ambiguous(col, c)
	if !ok {
		return plain(col, c)
	}
	return sqlgen.Format("CASE WHEN %s THEN CONCAT(%s, CAST(%s AS UNSIGNED)) ELSE %s END", odd, sqlgen.Arg(numberMark(c)), col, col)
}

// numbered is the number of such a value, as [entire] writes it.
func numbered(c *retention.Column, text string) (int64, bool) {
	if name := typeName(c); name != "enum" && name != "set" {
		return 0, false
	}
	digits, found := strings.CutPrefix(text, numberMark(c))
	if !found {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil
}

// numberMark begins no text of the type.
func numberMark(c *retention.Column) string {
	for n := 0; ; n++ {
		if mark := fmt.Sprintf("number%d:", n); !strings.Contains(c.Decl, mark) {
			return mark
		}
	}
}

// nameless: keys are never NULL, and two may be written alike.
func nameless(col sqlgen.SQL, c *retention.Column) sqlgen.SQL {
	if odd, ok := ambiguous(col, c); ok {
		return odd
	}
	return sqlgen.Raw("FALSE")
}

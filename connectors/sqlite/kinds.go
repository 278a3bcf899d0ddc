package sqlite

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/retentiond/retentiond/retention"
)

// affinity is the column affinity that SQLite derives from a declared type
// (datatype3.html, section 3.1).
func affinity(decl string) string {
	switch {
	case containsFold(decl, "INT"):
		return "INTEGER"
	case containsFold(decl, "CHAR"), containsFold(decl, "CLOB"), containsFold(decl, "TEXT"):
		return "TEXT"
	case decl == "" || containsFold(decl, "BLOB"):
		return "BLOB"
	case containsFold(decl, "REAL"), containsFold(decl, "FLOA"), containsFold(decl, "DOUB"):
		return "REAL"
	}
	return "NUMERIC"
}

func containsFold(s, upper string) bool {
	return strings.Contains(strings.ToUpper(s), strings.ToUpper(upper))
}

// kindOf is the broad type that a declared type means to people.
func kindOf(decl string) retention.Kind {
	name, _, _ := strings.Cut(strings.ToUpper(decl), "(")
	switch strings.TrimSpace(name) {
	case "":
		return retention.KindAny
	case "BOOL", "BOOLEAN":
		return retention.KindBool
	case "DATE":
		return retention.KindDate
	case "DATETIME", "TIMESTAMP":
		return retention.KindTimestamp
	case "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE":
		return retention.KindTimestampTZ
	case "UUID", "GUID":
		return retention.KindUUID
	case "JSON":
		return retention.KindJSON
	case "INET", "IP":
		return retention.KindIP
	case "ANY":
		return retention.KindAny
	case "NUMERIC", "DECIMAL", "NUMBER", "MONEY":
		return retention.KindNumber
	case "STRING":
		return retention.KindText
	}
	switch affinity(decl) {
	case "INTEGER":
		return retention.KindInteger
	case "TEXT":
		return retention.KindText
	case "BLOB":
		return retention.KindBytes
	case "REAL":
		return retention.KindNumber
	}
	return retention.KindOther
}

// lengthOf is the declared maximum of characters; 0 where there is none. SQLite
// itself does not enforce it; applications do.
func lengthOf(decl string) int {
	if !strings.Contains(decl, "(") { // most of them
		return 0
	}
	m := regexp.MustCompile(`(?i)(?:CHAR|TEXT|CLOB)[A-Z ]*\(\s*(\d+)`).FindStringSubmatch(decl)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

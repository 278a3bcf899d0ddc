package mysql

import (
	"context"
	"fmt"
	"strings"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/connectors/sqlwork"
)

var _ sqlwork.Planner = (*engine)(nil)

// Walks asks the server how it would run the statement. One that reads the table through
// would lock rows that others are at, and lists of held subjects that are looked up anew
// for each row take for ever.
func (e *engine) Walks(ctx context.Context, q sqlwork.Session, x sqlgen.Query, index string) (bool, error) {
	if index == "" {
		return false, nil
	}
	rows, err := q.QueryxContext(ctx, "EXPLAIN "+x.Text, x.Args...)
	if err != nil {
		return false, fmt.Errorf("how the server reads a range: %w", err)
	}
	defer rows.Close()
	walks := false
	for first := true; rows.Next(); first = false {
		line := map[string]any{}
		if err := rows.MapScan(line); err != nil {
			return false, err
		}
		if first {
			walks = word(line["type"]) == "range" && word(line["key"]) == index
		}
		if strings.Contains(word(line["select_type"]), "DEPENDENT") {
			walks = false
		}
	}
	return walks, rows.Err()
}

// word is a word of the server's answer; empty where it says none.
func word(v any) string {
	switch x := v.(type) {
	case []byte:
		return string(x)
	case string:
		return x
	}
	return ""
}

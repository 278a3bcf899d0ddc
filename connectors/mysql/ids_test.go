package mysql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// A hold finds its row whatever the size of the identifier, and no other row
// (L3).
func TestHeldByLargeIdentifiers(t *testing.T) {
	long := strings.Repeat("x", 900)
	for i, c := range []struct{ decl, stored, other, id string }{
		{"bigint unsigned", "18446744073709551615", "1", "18446744073709551615"},
		{"decimal(65,0)", strings.Repeat("9", 65), strings.Repeat("9", 64) + "8", strings.Repeat("9", 65)},
		{"decimal(65,38)", "0." + strings.Repeat("0", 37) + "1", "0", "0." + strings.Repeat("0", 37) + "1"},
		{"decimal(20,0)", "1000", "2", "1e3"},
		{"decimal(20,2)", "1.01", "1", "1.01"},
		{"decimal(20,2)", "1", "1.01", "1.0000"},
		{"text", "'" + long + "'", "'" + long[1:] + "'", long},
		{"varchar(1000)", "'" + long + "'", "'" + long[:700] + "'", long},
		{"varchar(1000)", "'a'", "'" + long + "'", "a"},
	} {
		t.Run(fmt.Sprint(i, " ", c.decl), func(t *testing.T) {
			_, s := shop(t, "CREATE TABLE p (id int PRIMARY KEY, at datetime, who "+c.decl+")",
				"INSERT INTO p VALUES (1, '2010-01-01', "+c.stored+"), (2, '2010-01-01', "+c.other+")")
			sel := selection(describe(t, s, "p"), "p", "at")
			sel.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{"who"}}}
			holds := &retention.HoldSet{Subjects: map[string][]string{"person": {c.id, "nobody", "7"}}}
			n, err := s.Count(t.Context(), sel, holds, nil)
			if err != nil || n.Classes.Held != 1 || n.Classes.Due != 1 {
				t.Errorf("%+v, %v", n.Classes, err)
			}
			if got, err := s.Matched(t.Context(), sel, "person", []string{c.id, "nobody"}); err != nil || len(got) != 1 {
				t.Errorf("matched %d, %v", len(got), err)
			}
		})
	}
}

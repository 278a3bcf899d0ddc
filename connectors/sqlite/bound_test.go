package sqlite

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

// The range that an index serves must never hide a row that is due: pages find
// exactly the rows that the count calls due, around the cutoff, in any form,
// zone and offset.
func TestBoundHidesNothing(t *testing.T) {
	b := setup(t, "CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT, un INTEGER); CREATE INDEX p_at ON p (at); CREATE INDEX p_un ON p (un);")
	r := rand.New(rand.NewPCG(1, 2))
	layouts := []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05.000000", "2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05-0700"}
	exec(t, b.app, "PRAGMA synchronous = OFF")
	for id := range 3000 {
		at := cutoff().Add(time.Duration(r.Int64N(int64(8*24*time.Hour))) - 4*24*time.Hour)
		at = at.In(time.FixedZone("", (r.IntN(35)-17)*3600+r.IntN(4)*900))
		exec(t, b.app, "INSERT INTO p VALUES (?, ?, ?)", id, at.Format(layouts[r.IntN(len(layouts))]), at.Unix())
	}
	for _, column := range []string{"at", "un"} {
		for _, zone := range []string{"UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Europe/Paris"} {
			loc, err := time.LoadLocation(zone)
			if err != nil {
				t.Fatal(err)
			}
			sel := b.selection("p", column)
			sel.Clock.Members[0].Zone, sel.Clock.Members[0].DateZone = loc, loc
			var want []string
			for k, c := range b.classes(sel, noHolds()) {
				if c == retention.Due {
					want = append(want, k)
				}
			}
			got := b.walk(sel, 700)
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" || len(want) < 1000 {
				t.Error(fmt.Sprint(column, " ", zone, ": ", len(want), " due, ", len(got), " paged"), diff)
			}
		}
	}
}

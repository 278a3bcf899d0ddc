package conntest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

// Identifier is an identifier of a person, as somebody writes it on a hold, with
// two values of a column's type as SQL: the one that it must find, and one that it
// must not.
type Identifier struct{ Decl, Stored, Other, ID string }

// HeldBy holds persons by each identifier, alone and among others, few and many:
// its row is held, the other is not, and Matched says what the hold does (L3).
func HeldBy(t *testing.T, h Harness, prepare string, cases ...Identifier) {
	t.Helper()
	f := setup(t, h, prepare)
	for i, c := range cases {
		t.Run(fmt.Sprint(c.Decl, " ", short(c.ID)), func(t *testing.T) {
			f := *f
			f.t = t
			name := fmt.Sprintf("held%d", i)
			f.run("CREATE TABLE " + name + " (id " + h.Type("int") + " NOT NULL PRIMARY KEY, at " + h.Type("timestamp-text") + ", who " + c.Decl + ")")
			f.run("INSERT INTO " + name + " VALUES (1, '2020-01-01', " + c.Stored + "), (2, '2020-01-01', " + c.Other + "), (3, '2020-01-01', NULL)")
			f.names = []retention.TableName{tn(name)}
			f.describe()
			if why := f.table(name).Column("who").Unheld; why != "" {
				t.Fatalf("nobody can be held by it: %s", why)
			}
			s := f.from(name).about("person", "who")
			for _, ids := range [][]string{{c.ID}, {"nobody", c.ID, "7"}, append(strangers(100), c.ID)} {
				n := f.count(s, person(ids...)).Classes
				if n.Held != 1 || n.Due != 2 {
					t.Errorf("among %d: %+v", len(ids), n)
				}
				got, err := f.s.Matched(t.Context(), s.Selection, "person", ids)
				if err != nil || !slices.Equal(got, []string{c.ID}) {
					t.Errorf("matched %d of %d, %v", len(got), len(ids), err)
				}
			}
		})
	}
}

// Integers are ways to write 5, each of which must find the 5 in a column of that type
// on every engine: whoever exports a list of persons may write them so.
func Integers(decl string) []Identifier {
	var out []Identifier
	for _, id := range []string{"5", "5.0", "5.", "5.000", "+5", "005", " 5", "5e0", "50E-1", "0.5e1"} {
		out = append(out, Identifier{Decl: decl, Stored: "5", Other: "50", ID: id})
	}
	return out
}

func strangers(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint("stranger-", i)
	}
	return out
}

// Unheld wants each of the types to say that no identifier is compared with it.
func Unheld(t *testing.T, h Harness, prepare string, decls ...string) {
	t.Helper()
	f := setup(t, h, prepare)
	for i, decl := range decls {
		name := fmt.Sprintf("unheld%d", i)
		f.run("CREATE TABLE " + name + " (id " + h.Type("int") + " NOT NULL PRIMARY KEY, who " + decl + ")")
		f.names = append(f.names, tn(name))
	}
	f.describe()
	for i, decl := range decls {
		if f.table(fmt.Sprintf("unheld%d", i)).Column("who").Unheld == "" {
			t.Errorf("persons can be held by a column of the type %s", decl)
		}
	}
}

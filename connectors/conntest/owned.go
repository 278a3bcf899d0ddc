package conntest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/retentiond/retentiond/retention"
)

// ownedCases are rows that have files, which go after them.
func ownedCases() []testCase {
	return []testCase{{name: "TellsPersons", run: ownedPersons}}
}

// letters are children of children with files: each names its author, and another
// dataset's reader; the case that it is of names who applied.
const letters = `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, who {text}, doc {text});
CREATE TABLE c (id {int} NOT NULL PRIMARY KEY, p_id {int});
CREATE TABLE g (id {int} NOT NULL PRIMARY KEY, c_id {int}, doc {text}, author {text}, reader {int});
CREATE TABLE w (id {int} NOT NULL PRIMARY KEY, g_id {int}, who {text});
INSERT INTO p VALUES (1, '2020-01-01', 'ann', 'p1'), (2, '2020-02-01', 'bob', 'p2'), (3, '2025-01-01', 'cid', 'p3');
INSERT INTO c VALUES (1, 1), (2, 1), (3, 2), (4, 3);
INSERT INTO g VALUES (1, 1, 'a', 'x', 7), (2, 2, 'b', 'y', NULL), (3, 3, 'c', NULL, 8), (4, 3, NULL, 'z', 9), (5, 4, 'd', 'v', 5), (6, 3, 'e', 'u', 9), (16, 3, 'f', 'u', 9);
INSERT INTO w VALUES (1, 1, 'eve'), (2, 1, 'eva'), (3, 5, 'far')`

// ownedPersons: of each row that has a file it is told, before it goes, whom it is about
// by every way: the file stays behind it, and a hold then finds it by nothing else (L3).
func ownedPersons(t *testing.T, h Harness) {
	f := setup(t, h, letters)
	g := gone(over("c", "p_id", "id", rel("g", "c_id", "id", "")))
	some := g
	some.Where = &retention.Predicate{SQL: "id < 10"} // of the child: every table has such a column
	parent := f.from("p").about("person", "who")
	letters := (&choice{retention.Selection{Reach: &retention.Reach{Table: tn("g")}}}).about("person", "author").about("nr", "reader").
		aboutRelated("person", rel("w", "g_id", "id", "who")).childOf(some, parent)
	b := f.deletion(f.from("p").about("person", "who"), 1, 2, 3)
	b.Action.Children = []retention.Child{g, gone(rel("c", "p_id", "id", ""))}
	dataset := func(subject, column string) *retention.Dataset {
		return &retention.Dataset{Subjects: []retention.Subject{{Type: subject, Columns: []string{column}}}}
	}
	b.Action.Owns = []retention.Owner{
		{Dataset: dataset("person", "author"), Table: tn("g"), Child: 0, Columns: []string{"author", "doc"}, Reach: letters.Reach},
		{Dataset: dataset("nr", "id"), Table: tn("p"), Child: -1, Columns: []string{"doc", "id"}, Reach: parent.Reach},
	}
	var got []string
	b.Own = func(_ context.Context, o retention.Owner, rows []retention.OwnerRow) error {
		for _, r := range rows {
			got = append(got, o.Table.Name+" "+strings.Join(append(texts(r.Values), abouts(r.About)...), " "))
		}
		return nil
	}
	f.wantOutcome(b, 2, retention.Spared{Changed: 1})
	slices.Sort(got)
	want := []string{
		"g - c nr=8 person=bob", "g u e nr=9 person=bob", "g u f nr=9", "g x a nr=7 person=ann,eva,eve", "g y b person=ann", "g z - nr=9 person=bob",
		"p p1 1 person=ann", "p p2 2 person=bob",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func texts(row []*string) (out []string) {
	for _, v := range row {
		if v == nil {
			out = append(out, "-")
		} else {
			out = append(out, *v)
		}
	}
	return out
}

func abouts(m map[string][]string) (out []string) {
	for typ, ids := range m {
		ids = slices.Clone(ids)
		slices.Sort(ids)
		out = append(out, fmt.Sprintf("%s=%s", typ, strings.Join(ids, ",")))
	}
	slices.Sort(out)
	return out
}

package conntest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

func childCases() []testCase {
	return []testCase{
		{name: "DeletedDeepestFirst", run: childDeleted},
		{name: "Detached", run: childDetached},
		{name: "OfTheSameTable", run: childOfItself},
		{name: "TooMany", run: childTooMany},
	}
}

// family is a table with children and children of children. Rows 1 and 2 of p
// are due.
const family = `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text});
CREATE TABLE c (id {int} NOT NULL PRIMARY KEY, p_id {int}, note {text}, FOREIGN KEY (p_id) REFERENCES p (id));
CREATE TABLE g (id {int} NOT NULL PRIMARY KEY, c_id {int}, FOREIGN KEY (c_id) REFERENCES c (id));
INSERT INTO p VALUES (1, '2020-01-01'), (2, '2020-02-01'), (3, '2025-01-01');
INSERT INTO c VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'a'), (4, 3, 'a');
INSERT INTO g VALUES (1, 1), (2, 3), (3, 4);
`

func kids() []retention.Child {
	return []retention.Child{
		gone(over("c", "p_id", "id", rel("g", "c_id", "id", ""))),
		gone(rel("c", "p_id", "id", "")),
	}
}

func childDeleted(t *testing.T, h Harness) {
	f := setup(t, h, family)
	b := f.deletion(f.from("p"), 1, 2, 3)
	b.Action.Children = kids()
	out := f.wantOutcome(b, 2, retention.Spared{Changed: 1})
	if out.Children["c"] != 3 || out.Children["g"] != 2 {
		t.Errorf("children %v", out.Children)
	}
	f.wantIDs("p", "3")
	f.wantIDs("c", "4")
	f.wantIDs("g", "3")
}

func childDetached(t *testing.T, h Harness) {
	f := setup(t, h, family)
	b := f.deletion(f.from("p"), 1, 2)
	b.Action.Children = kids()[1:]
	b.Action.Children[0].Then = retention.ChildDetach
	if out := f.wantOutcome(b, 2, retention.Spared{}); out.Children["c"] != 3 {
		t.Errorf("children %v", out.Children)
	}
	f.wantIDs("p", "3")
	f.wantRows("SELECT id, p_id FROM c ORDER BY id", "1|NULL", "2|NULL", "3|NULL", "4|3")
}

func childOfItself(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, up {int});
INSERT INTO p VALUES (1, '2020-01-01', NULL), (2, '2025-01-01', 1), (3, '2025-01-01', NULL), (4, '2020-01-01', 1)`)
	b := f.deletion(f.from("p"), 1, 4)
	b.Action.Children = []retention.Child{gone(rel("p", "up", "id", ""))}
	if out := f.wantOutcome(b, 2, retention.Spared{}); out.Children["p"] != 1 {
		t.Errorf("a row of the batch is no child beside: %v", out.Children)
	}
	f.wantIDs("p", "3")
}

// childTooMany: a row with more children than a transaction takes stays until
// they went in batches of their own.
func childTooMany(t *testing.T, h Harness) {
	f := setup(t, h, family)
	many := retention.MaxChildren + 1
	for i := 0; i < many; i += 500 {
		var values []string
		for k := i; k < min(i+500, many); k++ {
			values = append(values, fmt.Sprintf("(%d, 2, 'n')", 100+k))
		}
		f.exec("INSERT INTO c VALUES " + strings.Join(values, ", "))
	}
	b := f.deletion(f.from("p"), 2)
	b.Action.Children = kids()
	if err := f.refused(b, "p", "g", "c"); !errors.Is(err, retention.ErrTooWide) {
		t.Fatalf("got the error %v, want ErrTooWide", err)
	}
	left := int64(many + 2) // its own and one of each depth
	for left > 3000 {
		b = f.slice(2, 3000)
		out := f.apply(b)
		if n := out.Children["c"] + out.Children["g"]; n != 3000 || out.Done != 0 {
			t.Fatalf("a slice took %d rows, done %d", n, out.Done)
		}
		left -= 3000
		f.wantIDs("p", "1 2 3")
	}
	b = f.deletion(f.from("p"), 2)
	b.Action.Children = kids()
	if out := f.wantOutcome(b, 1, retention.Spared{}); out.Children["c"]+out.Children["g"] != left {
		t.Errorf("the last took %v, want %d", out.Children, left)
	}
	f.wantIDs("c", "1 2 4")
	f.wantIDs("g", "1 3")

	// A row that is no longer due gives no children away.
	if out := f.apply(f.slice(3, 10)); len(out.Children) != 0 && out.Children["c"]+out.Children["g"] != 0 {
		t.Errorf("children of a row that is not due went: %v", out.Children)
	}
	f.wantIDs("c", "1 2 4")
}

// slice is a batch of at most that many of the row's children.
func (f *fixture) slice(id int, most int64) retention.Batch {
	b := f.deletion(f.from("p"), id)
	b.Action.Children, b.ChildrenOf = kids(), most
	return b
}

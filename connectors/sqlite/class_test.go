package sqlite

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

type classMap = map[string]retention.Class

func eq(column, value string) *retention.Predicate {
	return &retention.Predicate{Test: &retention.Comparison{Column: column, Op: retention.Eq, Values: []retention.Scalar{{Text: value}}}}
}

func contacts() retention.Relation {
	return retention.Relation{Table: tn("interactions"), On: []retention.Pair{{Theirs: "prospect_id", Ours: "id"}}, Column: "occurred_at"}
}

func TestRelatedClocks(t *testing.T) {
	b := setup(t, `
CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT);
CREATE TABLE interactions (id INTEGER PRIMARY KEY, prospect_id INTEGER, kind TEXT, occurred_at TEXT);
INSERT INTO p VALUES (1,'2020-01-01'),(2,'2020-01-01'),(3,'2020-01-01'),(4,NULL),(5,NULL),(6,'2020-01-01'),(7,'2030-01-01'),(8,'2020-01-01');
INSERT INTO interactions (prospect_id, kind, occurred_at) VALUES
 (2,'in','2019-05-05'),(3,'in','2025-05-05'),(3,'in','2019-05-05'),(4,'in','2019-05-05'),(6,'in','nonsense'),(6,'in','2019-01-01'),(7,'in','2019-05-05'),
 (8,NULL,'2025-05-05'),(8,'out','2025-05-05');`)
	rel := contacts()
	rel.Where = eq("kind", "in")
	sel := b.selection("p", "at")
	sel.Clock = latest(member("at"), relatedMember(rel))
	want := classMap{"1": retention.Due, "2": retention.Due, "3": retention.Active, "4": retention.Due, "5": retention.Open,
		"6": retention.Unresolved, "7": retention.Active, "8": retention.Active} // 8: an unknown kind may be a contact
	b.wantClasses(sel, noHolds(), want)

	sel.Clock.NullsOpen = true
	want["1"], want["4"], want["8"] = retention.Open, retention.Open, retention.Active
	b.wantClasses(sel, noHolds(), want)

	sel.Clock = retention.ClockTest{Earliest: true, Members: sel.Clock.Members}
	b.wantClasses(sel, noHolds(), classMap{"1": retention.Due, "2": retention.Due, "3": retention.Due, "4": retention.Due, "5": retention.Open,
		"6": retention.Unresolved, "7": retention.Due, "8": retention.Due})
}

func TestParentClock(t *testing.T) {
	b := setup(t, `
CREATE TABLE sessions (id INTEGER PRIMARY KEY, ended TEXT);
CREATE TABLE m (id INTEGER PRIMARY KEY, session_id INTEGER);
INSERT INTO sessions VALUES (1,'2020-01-01'),(2,NULL),(3,'2025-01-01'),(4,'0000-00-00');
INSERT INTO m VALUES (1,1),(2,2),(3,3),(4,4),(5,99),(6,NULL);`)
	x := relatedMember(retention.Relation{Table: tn("sessions"), On: []retention.Pair{{Theirs: "id", Ours: "session_id"}}, Column: "ended"})
	x.Parent = true
	sel := b.selection("m", "id")
	sel.Clock = latest(x)
	b.wantClasses(sel, noHolds(), classMap{"1": retention.Due, "2": retention.Open, "3": retention.Active,
		"4": retention.Unresolved, "5": retention.Unresolved, "6": retention.Unresolved})
}

func TestHopsAndExists(t *testing.T) {
	b := setup(t, `
CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, p_id INTEGER, status TEXT);
CREATE TABLE lines (id INTEGER PRIMARY KEY, order_id INTEGER, status TEXT, at TEXT);
INSERT INTO p VALUES (1,'2020-01-01'),(2,'2020-01-01'),(3,'2020-01-01');
INSERT INTO orders VALUES (10,1,'x'),(20,2,'x');
INSERT INTO lines VALUES (100,10,'late','2025-01-01'),(200,20,'old','2019-01-01');`)
	rel := retention.Relation{Via: []retention.Hop{{Table: tn("orders"), On: []retention.Pair{{Theirs: "p_id", Ours: "id"}}}},
		Table: tn("lines"), On: []retention.Pair{{Theirs: "order_id", Ours: "id"}}, Column: "at"}
	sel := b.selection("p", "at")
	sel.Clock = latest(member("at"), relatedMember(rel))
	b.wantClasses(sel, noHolds(), classMap{"1": retention.Active, "2": retention.Due, "3": retention.Due})

	// `status` without a table is the related table's own, not the hop's.
	rel.Where, rel.Column = &retention.Predicate{SQL: "status = 'late'"}, ""
	sel = b.selection("p", "at")
	sel.Where = &retention.Predicate{Not: &retention.Predicate{Exists: &rel}}
	b.wantClasses(sel, noHolds(), classMap{"1": retention.Excluded, "2": retention.Due, "3": retention.Due})
}

func TestConditions(t *testing.T) {
	b := setup(t, `
CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT, status TEXT, zip TEXT, n INTEGER, ok BOOLEAN);
INSERT INTO p VALUES (1,'2020-01-01','closed','01234',5,1),(2,'2020-01-01','open','1234',50,0),(3,'2020-01-01',NULL,NULL,NULL,NULL);`)
	op := func(column string, op retention.Op, values ...retention.Scalar) retention.Predicate {
		return retention.Predicate{Test: &retention.Comparison{Column: column, Op: op, Values: values}}
	}
	v := func(s string) retention.Scalar { return retention.Scalar{Text: s} }
	null := retention.Scalar{Null: true}
	for _, c := range []struct {
		name string
		p    retention.Predicate
		due  string
	}{
		{"eq", op("status", retention.Eq, v("closed")), "1"},
		{"ne leaves null out", op("status", retention.Ne, v("closed")), "2"},
		{"eq null", op("status", retention.Eq, null), "3"},
		{"ne null", op("status", retention.Ne, null), "1 2"},
		{"in", op("status", retention.In, v("closed"), v("x")), "1"},
		{"in with null", op("status", retention.In, v("open"), null), "2 3"},
		{"in nothing", op("status", retention.In), ""},
		{"not in", op("status", retention.NotIn, v("open")), "1"},
		{"text stays text", op("zip", retention.Eq, v("01234")), "1"},
		{"number", op("n", retention.Gte, v("6")), "2"},
		{"bool", op("ok", retention.Eq, v("true")), "1"},
		{"like", op("status", retention.Like, v("clo%")), "1"},
		{"null", op("n", retention.IsNull), "3"},
		{"not null", op("n", retention.NotNull), "1 2"},
		{"not keeps unknown out", retention.Predicate{Not: eq("status", "open")}, "1"},
		{"all", retention.Predicate{All: []retention.Predicate{op("n", retention.Lt, v("10")), op("zip", retention.NotNull)}}, "1"},
		{"any", retention.Predicate{Any: []retention.Predicate{op("n", retention.Lte, v("5")), op("n", retention.Gt, v("49"))}}, "1 2"},
		{"sql", retention.Predicate{SQL: "n > 5 OR status = 'closed'"}, "1 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sel := b.selection("p", "at")
			sel.Where = &c.p
			var due []string
			for _, id := range []string{"1", "2", "3"} {
				if b.classes(sel, noHolds())[id] == retention.Due {
					due = append(due, id)
				}
			}
			if got := strings.Join(due, " "); got != c.due {
				t.Errorf("due %q, want %q", got, c.due)
			}
		})
	}
}

func TestConditionsRefused(t *testing.T) {
	b := setup(t, `CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT, n INTEGER, b BLOB)`)
	for want, p := range map[string]retention.Predicate{
		`column n (INTEGER): value "many" is no integer`: *eq("n", "many"),
		`has no column "gone"`:                           *eq("gone", "1"),
		`parenthesis closes`:                             {SQL: "1=1) OR (1=1"},
		`comments`:                                       {SQL: "1=1 -- x"},
		`more than one`:                                  {SQL: "1=1; DROP TABLE p"},
		`quote is not closed`:                            {SQL: "n = 'x"},
		`parameters`:                                     {SQL: "n = ?"},
		`no such column`:                                 {SQL: `n = "nosuch"`},
		`is empty`:                                       {},
	} {
		sel := b.selection("p", "at")
		sel.Where = &p
		if _, err := b.s.Count(t.Context(), sel, noHolds(), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestLaterStageExcludes(t *testing.T) {
	b := setup(t, `CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT); INSERT INTO p VALUES (1,'2020-01-01'),(2,'2010-01-01'),(3,'x');`)
	sel := b.selection("p", "at")
	later := member("at")
	later.Cutoff = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
	x := latest(later)
	sel.Later = &x
	b.wantClasses(sel, noHolds(), classMap{"1": retention.Due, "2": retention.Excluded, "3": retention.Unresolved})
}

func TestMinimums(t *testing.T) {
	b := setup(t, `
CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT, kind TEXT, paid TEXT);
INSERT INTO p VALUES (1,'2020-01-01','inv','2010-01-01'),(2,'2020-01-01','inv','2023-01-01'),(3,'2020-01-01','inv',NULL),(4,'2020-01-01','inv','?'),
 (5,'2020-01-01','other','2023-01-01'),(6,'2020-01-01',NULL,NULL),(7,'2020-01-01','inv','2500-01-01'),(8,'2025-01-01','inv','2023-01-01');`)
	m := member("paid")
	m.Cutoff = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
	sel := b.selection("p", "at")
	sel.Minimums = []retention.Minimum{{Where: eq("kind", "inv"), Clock: latest(m)}}
	p, d := retention.Protected, retention.Due
	b.wantClasses(sel, noHolds(), classMap{"1": d, "2": p, "3": p, "4": p, "5": d, "6": d, "7": p, "8": retention.Active})
}

func TestDone(t *testing.T) {
	b := setup(t, `
CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT, email TEXT, ip TEXT, note TEXT COLLATE NOCASE, mark TEXT);
INSERT INTO p VALUES (1,'2020-01-01',NULL,'10.0.0.0','x',NULL),(2,'2020-01-01','a@b.c','10.0.0.0','x','2024'),
 (3,'2020-01-01',NULL,'10.0.0.9','x','2024'),(4,'2020-01-01',NULL,NULL,'x','2024'),(5,'2020-01-01',NULL,NULL,'X','2024'),(6,'2020-01-01',NULL,NULL,NULL,'2024');`)
	changes := []retention.Change{{Column: "email", Func: retention.Null}, {Column: "ip", Func: retention.MaskIP, Bits: [2]int{24, 48}},
		{Column: "note", Func: retention.Set, Value: &retention.Scalar{Text: "x"}}, {Column: "id", Func: retention.Keep}, {Column: "at", Func: retention.Random}}
	sel := b.selection("p", "at")
	sel.Done = &retention.DoneTest{Changes: changes}
	d, o := retention.Due, retention.ClassDone
	b.wantClasses(sel, noHolds(), classMap{"1": o, "2": d, "3": d, "4": o, "5": d, "6": d})
	sel.Done.Mark = "mark"
	b.wantClasses(sel, noHolds(), classMap{"1": d, "2": d, "3": d, "4": o, "5": d, "6": d})
	sel.Done = &retention.DoneTest{Changes: changes[3:]}
	b.wantClasses(sel, noHolds(), classMap{"1": d, "2": d, "3": d, "4": d, "5": d, "6": d})
}

// Every pair of neighbours in the order of precedence, on one row each.
func TestPrecedence(t *testing.T) {
	b := setup(t, `
CREATE TABLE p (id INTEGER PRIMARY KEY, at TEXT, who TEXT, kind TEXT, mark TEXT);
CREATE TABLE c (id INTEGER PRIMARY KEY, p_id INTEGER, who TEXT);
INSERT INTO p VALUES (1,NULL,'h','no','m'),(2,NULL,'h','yes','m'),(3,NULL,'h','yes',NULL),(4,'?','h','yes',NULL),(5,'2025-01-01','h','yes',NULL),
 (6,'2020-01-01','h','yes',NULL),(7,'2020-01-01','x','keep',NULL),(8,'2020-01-01','x','yes',NULL),(9,'2020-01-01','x','yes',NULL);
INSERT INTO c VALUES (1,6,'h'),(2,7,'h'),(3,8,'h'),(4,9,'x');`)
	sel := b.selection("p", "at")
	sel.Where = &retention.Predicate{Test: &retention.Comparison{Column: "kind", Op: retention.Ne, Values: []retention.Scalar{{Text: "no"}}}}
	sel.Done = &retention.DoneTest{Mark: "mark"}
	sel.Reach.Subjects = []retention.Subject{{Type: "person", Columns: []string{"who"}}}
	sel.Minimums = []retention.Minimum{{Where: eq("kind", "keep"), Clock: latest(func() retention.MemberTest {
		m := member("at")
		m.Cutoff = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		return m
	}())}}
	sel.Blocked = []retention.ChildReach{{
		Child: retention.Child{Relation: retention.Relation{Table: tn("c"), On: []retention.Pair{{Theirs: "p_id", Ours: "id"}}}},
		Reach: &retention.Reach{Table: tn("c"), Subjects: []retention.Subject{{Type: "person", Columns: []string{"who"}}}},
	}}
	b.wantClasses(sel, person("h"), classMap{"1": retention.Excluded, "2": retention.ClassDone, "3": retention.Open, "4": retention.Unresolved,
		"5": retention.Active, "6": retention.Held, "7": retention.Protected, "8": retention.Blocked, "9": retention.Due})
}

func TestNothingWithoutReachOrHolds(t *testing.T) {
	b := setup(t, prospects)
	sel := b.selection("prospects", "created_at")
	if _, err := b.s.Count(t.Context(), sel, nil, nil); err == nil {
		t.Error("a count without holds must fail")
	}
	sel.Reach = nil
	if _, err := b.s.Page(t.Context(), sel, noHolds(), retention.Cursor{}, 10); err == nil {
		t.Error("a page without reach must fail")
	}
	sel = b.selection("prospects", "created_at")
	sel.Blocked = []retention.ChildReach{{Child: children()[0]}}
	if _, err := b.s.Page(t.Context(), sel, noHolds(), retention.Cursor{}, 10); err == nil {
		t.Error("a child without reach must fail")
	}
	sel = b.selection("prospects", "created_at")
	sel.Clock = retention.ClockTest{Any: true}
	if _, err := b.s.Page(t.Context(), sel, noHolds(), retention.Cursor{}, 10); err == nil {
		t.Error("a page of a counting selection must fail")
	}
	c, err := b.s.Count(t.Context(), sel, noHolds(), nil)
	if err != nil || c.Classes.Due != 5 {
		t.Errorf("a counting selection counts every row: %+v %v", c, err)
	}
}

func TestCountChildrenAndOldest(t *testing.T) {
	b := setup(t, prospects)
	c, err := b.s.Count(t.Context(), b.selection("prospects", "created_at"), noHolds(), children())
	if err != nil {
		t.Fatal(err)
	}
	if c.Children["interactions"] != 2 || c.OldestDue == nil || !c.OldestDue.Equal(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("children %v, oldest %v", c.Children, c.OldestDue)
	}
	sel := b.selection("prospects", "created_at")
	sel.Clock = latest(member("created_at"), relatedMember(contacts()))
	if c, err = b.s.Count(t.Context(), sel, noHolds(), children()); err != nil || c.OldestDue != nil {
		t.Errorf("oldest %v of a related clock, %v", c.OldestDue, err)
	}
}

func TestClockForms(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	m := member("c")
	m.Zone, m.DateZone = paris, paris
	us := func(s string) string {
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(at.UnixMicro())
	}
	never := "9223372036854775807"
	for _, c := range []struct {
		decl, value string
		as          retention.ClockType
		want        string
	}{
		{"TEXT", "'2024-01-31'", "", us("2024-01-30T23:00:00Z")},
		{"TEXT", "'2024-01-31 10:00:00'", "", us("2024-01-31T09:00:00Z")},
		{"TEXT", "'2024-01-31T10:00:00Z'", "", us("2024-01-31T10:00:00Z")},
		{"TEXT", "'2024-01-31T10:00:00.1234567Z'", "", us("2024-01-31T10:00:00.123457Z")},
		{"TEXT", "'10:30'", "", never}, {"TEXT", "'2451545'", "", never}, {"TEXT", "'0001-01-01'", "", never}, {"TEXT", "'0000-00-00'", "", never},
		{"TEXT", "''", "", never}, {"TEXT", "' 2024-01-31'", "", never}, {"TEXT", "'2024-01-31' || char(0) || 'x'", "", never}, {"TEXT", "x'323032342d30312d3331'", "", never},
		{"TEXT", "'infinity'", "", never}, {"TEXT", "'1979-12-31'", "", never}, {"TEXT", "'2999-01-01'", "", never}, {"TEXT", "NULL", "", "<nil>"},
		{"INTEGER", "1706695200", "", us("2024-01-31T10:00:00Z")}, {"INTEGER", "0", "", never}, {"INTEGER", "'soon'", "", never},
		{"INTEGER", "1706695200.5", "", never}, {"INTEGER", "9223372036854775807", "", never}, {"REAL", "9e999", retention.AsUnixSeconds, never},
		{"INTEGER", "1706695200000", retention.AsUnixMilliseconds, us("2024-01-31T10:00:00Z")}, {"TEXT", "'1706695200'", retention.AsUnixSeconds, never},
		{"INTEGER", "20240131", retention.AsText, never}, {"DATE", "'2024-01-31'", "", us("2024-01-30T23:00:00Z")},
		{"DATE", "'2024-01-31 10:00'", "", us("2024-01-31T09:00:00Z")}, {"TEXT", "'2024-01-31 10:00'", retention.AsDate, never}, {"DATETIME", "'2024-01-31 10:00'", "", us("2024-01-31T09:00:00Z")},
	} {
		t.Run(c.decl+" "+c.value, func(t *testing.T) {
			b := setup(t, "CREATE TABLE p (id INTEGER PRIMARY KEY, c "+c.decl+"); INSERT INTO p VALUES (1, "+c.value+")")
			m.Type = c.as
			spec, err := specText(b.table("p").Column("c"), m)
			if err != nil {
				t.Fatal(err)
			}
			var got any
			if err := b.s.read.QueryRowx("SELECT retentiond_clock(c, ?) FROM p", spec).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(got) != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}

package conntest

import (
	"strings"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

func changeCases() []testCase {
	return []testCase{
		{name: "EveryFunction", run: changeAll},
		{name: "UnreadableDoesNotSurvive", run: changeUnreadable},
		{name: "Redact", run: changeRedact},
		{name: "MarkAndDone", run: changeMark},
		{name: "RandomIsFresh", run: changeRandom},
		{name: "AClashRollsBack", run: changeClash},
	}
}

func anonymise(mark string, changes ...retention.Change) retention.Act {
	return retention.Act{Kind: retention.Anonymise, Changes: changes, Mark: mark, MarkAt: time.Date(2026, 7, 1, 10, 20, 30, 0, time.UTC)}
}

// changed applies the one change to rows 1, 2 … of a column with those values,
// and compares what they become.
func changed(t *testing.T, h Harness, typ string, ch retention.Change, pairs ...string) {
	t.Helper()
	name := string(ch.Func) + " " + ch.Unit + " of " + typ
	t.Run(name, func(t *testing.T) {
		f := setup(t, h, "CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, x {"+typ+"}, y {text})")
		var keys []any
		var want []string
		for i := 0; i < len(pairs); i += 2 {
			id := cell(i/2 + 1)
			f.exec("INSERT INTO p VALUES (" + id + ", '2020-01-01', " + pairs[i] + ", 'left')")
			keys, want = append(keys, i/2+1), append(want, pairs[i+1]+"|left")
		}
		ch.Column = "x"
		f.wantOutcome(f.batch(f.from("p"), anonymise("", ch), keys...), int64(len(keys)), retention.Spared{})
		f.wantRows("SELECT x, y FROM p ORDER BY id", want...)
		f.wantClasses(f.from("p").doneWhen("", ch), noHolds(), strings.Repeat("done ", len(keys)))
	})
}

func changeAll(t *testing.T, h Harness) {
	text := &retention.Scalar{Text: "0123"}
	changed(t, h, "text", retention.Change{Func: retention.Null}, "'a'", "NULL", "NULL", "NULL")
	changed(t, h, "text", retention.Change{Func: retention.Set, Value: text}, "'a'", "0123", "NULL", "0123")
	changed(t, h, "text", retention.Change{Func: retention.KeepLeft, N: 2}, "'75011'", "75", "'é'", "é", "'éèê'", "éè", "''", "", "NULL", "NULL")
	changed(t, h, "text", retention.Change{Func: retention.KeepRight, N: 2}, "'75011'", "11", "'éèê'", "èê", "NULL", "NULL")
	changed(t, h, "int", retention.Change{Func: retention.Bucket, N: 10}, "37", "30", "40", "40", "-1", "-10", "0", "0", "NULL", "NULL")
	changed(t, h, "int", retention.Change{Func: retention.RoundTo, N: 10}, "37", "40", "34", "30", "-37", "-40", "NULL", "NULL")
	changed(t, h, "text", retention.Change{Func: retention.EmailDomain}, "'ada@example.org'", "example.org", "'\"a@b\"@c.fr'", "c.fr", "NULL", "NULL")
	changed(t, h, "text", retention.Change{Func: retention.MaskIP, Bits: [2]int{24, 48}}, "'192.168.1.77'", "192.168.1.0", "'2001:db8:aaaa:bbbb::1'", "2001:db8:aaaa::", "NULL", "NULL")
	for unit, want := range map[string]string{"year": "2020-01-01", "quarter": "2020-04-01", "month": "2020-05-01", "day": "2020-05-17"} {
		changed(t, h, "date", retention.Change{Func: retention.Truncate, Unit: unit}, "'2020-05-17'", want, "NULL", "NULL")
	}
	changed(t, h, "timestamp", retention.Change{Func: retention.Truncate, Unit: "month"}, "'2020-05-17 10:20:30'", "2020-05-01 00:00:00", "NULL", "NULL")
	changed(t, h, "timestamp", retention.Change{Func: retention.Truncate, Unit: "day"}, "'2020-05-17 10:20:30'", "2020-05-17 00:00:00")
}

// changeUnreadable: what a function cannot read must not stay as it is (L10).
func changeUnreadable(t *testing.T, h Harness) {
	changed(t, h, "text", retention.Change{Func: retention.MaskIP, Bits: [2]int{24, 48}}, "'secret'", "NULL")
	changed(t, h, "text", retention.Change{Func: retention.EmailDomain}, "'secret'", "NULL", "'secret@'", "NULL")
}

func changeRedact(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, card {text}, ip {text}, note {text});
INSERT INTO p VALUES (1, '2020-01-01', '4111', '10.1.2.3', 'n'), (2, '2025-01-01', '4222', '10.1.2.3', 'n'), (3, '2020-01-01', '4333', NULL, 'n')`)
	act := retention.Act{Kind: retention.Redact, Changes: []retention.Change{{Column: "card", Func: retention.Null}, {Column: "ip", Func: retention.MaskIP, Bits: [2]int{16, 48}}}}
	f.wantOutcome(f.batch(f.from("p").doneWhen("", act.Changes...), act, 1, 2, 3), 2, retention.Spared{Changed: 1})
	f.wantRows("SELECT id, card, ip, note FROM p ORDER BY id", "1|NULL|10.1.0.0|n", "2|4222|10.1.2.3|n", "3|NULL|NULL|n")
	f.wantOutcome(f.batch(f.from("p").doneWhen("", act.Changes...), act, 1, 3), 0, retention.Spared{Changed: 2})
}

func changeMark(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, name {text}, marked {timestamp});
INSERT INTO p VALUES (1, '2020-01-01', 'ada', NULL), (2, '2025-01-01', 'bob', NULL)`)
	act := anonymise("marked", retention.Change{Column: "name", Func: retention.Null}, retention.Change{Column: "id", Func: retention.Keep})
	c := f.from("p").doneWhen("marked", act.Changes...)
	f.wantOutcome(f.batch(c, act, 1, 2), 1, retention.Spared{Changed: 1})
	f.wantRows("SELECT id, at, name, marked FROM p ORDER BY id", "1|2020-01-01|NULL|2026-07-01 10:20:30", "2|2025-01-01|bob|NULL")
	f.wantClasses(c, noHolds(), "done active")
	f.exec("UPDATE p SET name = 'back' WHERE id = 1")
	f.wantClasses(c, noHolds(), "due active")
}

// changeRandom: values are new, unique, and say nothing of the old ones: the
// same rows in two databases come out different.
func changeRandom(t *testing.T, h Harness) {
	seen := map[string]bool{}
	for range 2 {
		f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, code {text} NOT NULL UNIQUE, digits {text}, word {text}, marked {timestamp-text})`)
		var keys []any
		var values []string
		for i := range 200 {
			keys, values = append(keys, i), append(values, "("+cell(i)+", '2020-01-01', 'old-"+cell(i)+"', NULL, 'same', NULL)")
		}
		f.exec("INSERT INTO p VALUES " + strings.Join(values, ", "))
		act := anonymise("marked", retention.Change{Column: "code", Func: retention.Random, Unit: "token", N: 16},
			retention.Change{Column: "digits", Func: retention.Random, Unit: "digits", N: 12}, retention.Change{Column: "word", Func: retention.Random, Unit: "letters", N: 12})
		f.wantOutcome(f.batch(f.from("p").doneWhen("marked", act.Changes...), act, keys...), 200, retention.Spared{})
		for _, r := range f.rows("SELECT code, digits, word FROM p") {
			cells := strings.Split(r, "|")
			for i, n := range []int{16, 12, 12} {
				if len(cells[i]) != n || seen[cells[i]] || strings.Contains(cells[i], "old-") {
					t.Fatalf("random value %q: want %d new characters", cells[i], n)
				}
				seen[cells[i]] = true
			}
			if strings.Trim(cells[1], "0123456789") != "" || strings.Trim(cells[2], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
				t.Fatalf("random values of another alphabet: %s", r)
			}
		}
	}
}

func changeClash(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, code {text} NOT NULL UNIQUE);
INSERT INTO p VALUES (1, '2020-01-01', 'a'), (2, '2020-01-01', 'b')`)
	set := retention.Change{Column: "code", Func: retention.Set, Value: &retention.Scalar{Text: "same"}}
	_ = f.refused(f.batch(f.from("p"), anonymise("", set), 1, 2), "p")
	_ = f.refused(f.batch(f.from("p"), anonymise("", retention.Change{Column: "code", Func: retention.Null}), 1), "p")
	_ = f.refused(f.batch(f.from("p"), anonymise("", retention.Change{Column: "gone", Func: retention.Null}), 1), "p")
	f.refused(f.batch(f.from("p"), anonymise("", retention.Change{Column: "code", Func: "hash"}), 1), "p")
}

package conntest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/retentiond/retentiond/retention"
)

func clockCases() []testCase {
	return []testCase{
		{name: "Text", run: clockText},
		{name: "Date", run: clockDate},
		{name: "Timestamp", run: clockTimestamp},
		{name: "TimestampTZ", run: clockTimestampTZ, needs: TimestampTZ},
		{name: "Unix", run: clockUnix},
		{name: "Zones", run: clockZones},
		{name: "Bounds", run: clockBounds},
		{name: "LatestAndEarliest", run: clockMembers},
		{name: "RelatedDown", run: clockRelated},
		{name: "RelatedUp", run: clockParent},
		{name: "RelatedOverHops", run: clockHops},
	}
}

// reading is a literal and the class that it makes its row.
type reading struct {
	literal string
	class   retention.Class
}

func (f *fixture) wantReadings(typ string, m retention.MemberTest, readings ...reading) {
	f.t.Helper()
	f.t.Run(string(m.Type), func(t *testing.T) {
		f := setup(t, f.h, "CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {"+typ+"})")
		var want []string
		for i, r := range readings {
			f.exec(fmt.Sprintf("INSERT INTO p VALUES (%d, %s)", i+1, r.literal))
			want = append(want, string(r.class))
		}
		f.wantClasses(f.from("p").by(latest(m)), noHolds(), strings.Join(want, " "))
	})
}

func readings(class retention.Class, literals ...string) []reading {
	var out []reading
	for _, l := range literals {
		if l != "NULL" && strings.Trim(l, "-0123456789") != "" {
			l = "'" + l + "'"
		}
		out = append(out, reading{l, class})
	}
	return out
}

func all(lists ...[]reading) []reading {
	var out []reading
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	x, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func paris(t *testing.T) *time.Location {
	t.Helper()
	l, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func bare(h Harness, t *testing.T) *fixture { return &fixture{t: t, h: h} }

func clockText(t *testing.T, h Harness) {
	due := readings(retention.Due, "'2023-12-31'", "2023-12-31 23:59:59", "2023-12-31T23:59:59.999999", "2024-01-01T00:30:00+01:00", "2023-12-31T10:00:00Z")
	due[0].literal = "'2023-12-31'"
	active := readings(retention.Active, "2024-01-01T00:00:00", "2023-12-31T23:30:00-01:00", "2023-12-31T23:59:59.9999999", "2050-06-01 00:00:00Z")
	bad := readings(retention.Unresolved, "10:30", "soon", " 2023-01-01", "infinity", "2023-02-30x", "0000-00-00 ", "NaN")
	for _, l := range []string{"''", "'2451545'", "'0'", "'0000-00-00'", "'0001-01-01'", "'1970-01-01'", "'1979-12-31'", "'2999-01-01'", "'2023-02-30'", "'2023-13-01'", "'20230101'"} {
		bad = append(bad, reading{l, retention.Unresolved})
	}
	bare(h, t).wantReadings("timestamp-text", own("at"), all(due, active, bad, readings(retention.Open, "NULL"))...)

	// A date alone says nothing to an exact period.
	exact := own("at")
	exact.DateZone = nil
	bare(h, t).wantReadings("timestamp-text", exact, reading{"'2020-01-01'", retention.Unresolved}, reading{"'2020-01-01 00:00:00'", retention.Due})
}

func clockDate(t *testing.T, h Harness) {
	bare(h, t).wantReadings("date", typed("at", retention.AsDate), reading{"'2023-12-31'", retention.Due}, reading{"'2024-01-01'", retention.Active},
		reading{"'1970-01-01'", retention.Unresolved}, reading{"'2999-12-31'", retention.Unresolved}, reading{"NULL", retention.Open})
	bare(h, t).wantReadings("timestamp-text", typed("at", retention.AsDate), reading{"'2023-12-31'", retention.Due},
		reading{"'2023-12-31 10:00:00'", retention.Unresolved}, reading{"'x'", retention.Unresolved})
}

func clockTimestamp(t *testing.T, h Harness) {
	m := typed("at", retention.AsTimestamp)
	m.Zone, m.DateZone, m.Cutoff = paris(t), paris(t), at(t, "2023-12-31T23:00:00Z")
	bare(h, t).wantReadings("timestamp", m, all(readings(retention.Due, "2023-12-31 23:59:59"), readings(retention.Active, "2024-01-01 00:00:00"),
		readings(retention.Unresolved, "1970-01-01 00:00:00", "2999-01-01 00:00:00"), readings(retention.Open, "NULL"))...)
}

func clockTimestampTZ(t *testing.T, h Harness) {
	bare(h, t).wantReadings("timestamptz", typed("at", retention.AsTimestampZone),
		all(readings(retention.Due, "2023-12-31 23:59:59+00:00", "2024-01-01 00:30:00+01:00"), readings(retention.Active, "2024-01-01 00:00:00+00:00", "2023-12-31 23:30:00-01:00"),
			readings(retention.Unresolved, "1970-01-02 00:00:00+00:00"), readings(retention.Open, "NULL"))...)
}

func clockUnix(t *testing.T, h Harness) {
	bare(h, t).wantReadings("bigint", typed("at", retention.AsUnixSeconds), all(readings(retention.Due, "1704067199"), readings(retention.Active, "1704067200"),
		readings(retention.Unresolved, "0", "-1", "1", "9223372036854775807", "1704067199000"), readings(retention.Open, "NULL"))...)
	bare(h, t).wantReadings("bigint", typed("at", retention.AsUnixMilliseconds), all(readings(retention.Due, "1704067199999"), readings(retention.Active, "1704067200000"),
		readings(retention.Unresolved, "0", "-1", "1704067199", "9223372036854775807"), readings(retention.Open, "NULL"))...)
}

// clockZones: an ambiguous naive time is its later instant, one in a gap is read
// with the offset before it, so that nothing goes early (L2).
func clockZones(t *testing.T, h Harness) {
	m := own("at")
	m.Zone, m.DateZone = paris(t), paris(t)
	m.Cutoff = at(t, "2023-10-29T01:00:00Z")
	bare(h, t).wantReadings("timestamp-text", m, reading{"'2023-10-29 02:30:00'", retention.Active}, reading{"'2023-10-29 01:59:59'", retention.Due}, reading{"'2023-10-29'", retention.Due})
	m.Cutoff = at(t, "2023-03-26T01:00:00Z")
	bare(h, t).wantReadings("timestamp-text", m, reading{"'2023-03-26 02:30:00'", retention.Active}, reading{"'2023-03-26 01:59:59'", retention.Due})
}

func clockBounds(t *testing.T, h Harness) {
	m := own("at")
	m.NotBefore, m.NotAfter = at(t, "2010-01-01T00:00:00Z"), at(t, "2023-06-01T00:00:00Z")
	bare(h, t).wantReadings("timestamp-text", m, reading{"'2009-12-31'", retention.Unresolved}, reading{"'2010-01-01'", retention.Due}, reading{"'2023-05-31'", retention.Due}, reading{"'2023-06-02'", retention.Unresolved})
}

func clockMembers(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text}, ended {timestamp-text});
INSERT INTO p VALUES (1, '2020-01-01', '2021-01-01'), (2, '2020-01-01', '2025-01-01'), (3, '2025-01-01', '2025-01-01'), (4, '2020-01-01', NULL), (5, NULL, NULL), (6, '2020-01-01', '?'), (7, NULL, '2025-01-01'), (8, '?', NULL)`)
	for _, c := range []struct {
		earliest, open bool
		want           string
	}{
		{false, false, "due active active due open unresolved active unresolved"},
		{false, true, "due active active open open unresolved open open"},
		{true, false, "due due active due open unresolved active unresolved"},
		{true, true, "due due active open open unresolved open open"},
	} {
		clock := retention.ClockTest{Earliest: c.earliest, NullsOpen: c.open, Members: []retention.MemberTest{own("at"), own("ended")}}
		f.wantClasses(f.from("p").by(clock), noHolds(), c.want)
	}
}

func clockRelated(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text});
CREATE TABLE c (id {int} NOT NULL PRIMARY KEY, p_id {int}, kind {text}, at {timestamp-text});
INSERT INTO p VALUES (1, '2020-01-01'), (2, '2020-01-01'), (3, '2020-01-01'), (4, NULL), (5, NULL), (6, '2020-01-01'), (7, '2030-01-01'), (8, '2020-01-01'), (9, '2020-01-01');
INSERT INTO c VALUES (1, 2, 'in', '2019-05-05'), (2, 3, 'in', '2025-05-05'), (3, 3, 'in', '2019-05-05'), (4, 4, 'in', '2019-05-05'), (5, 6, 'in', 'nonsense'), (6, 6, 'in', '2019-01-01'),
 (7, 7, 'in', '2019-05-05'), (8, 8, NULL, '2025-05-05'), (9, 8, 'out', '2025-05-05'), (10, 9, 'in', NULL)`)
	r := rel("c", "p_id", "id", "at")
	r.Where = eq("kind", "in")
	clock := latest(own("at"), related(r)) // 8: an unknown kind may be a contact
	f.wantClasses(f.from("p").by(clock), noHolds(), "due due active due open unresolved active active due")
	clock.NullsOpen = true
	f.wantClasses(f.from("p").by(clock), noHolds(), "open due active open open unresolved active active open")
	f.wantClasses(f.from("p").by(earliest(own("at"), related(r))), noHolds(), "due due due due open unresolved due due due")
	f.wantClasses(f.from("p").by(latest(related(r))), noHolds(), "open due active due open unresolved due active open")
}

func clockParent(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE sessions (id {int} NOT NULL PRIMARY KEY, ended {timestamp-text});
CREATE TABLE m (id {int} NOT NULL PRIMARY KEY, session_id {int});
INSERT INTO sessions VALUES (1, '2020-01-01'), (2, NULL), (3, '2025-01-01'), (4, '0000-00-00');
INSERT INTO m VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 99), (6, NULL)`)
	up := related(rel("sessions", "id", "session_id", "ended"))
	up.Parent = true
	f.wantClasses(f.from("m").by(latest(up)), noHolds(), "due open active unresolved unresolved unresolved")
}

func clockHops(t *testing.T, h Harness) {
	f := setup(t, h, `CREATE TABLE p (id {int} NOT NULL PRIMARY KEY, at {timestamp-text});
CREATE TABLE orders (id {int} NOT NULL PRIMARY KEY, p_id {int}, status {text});
CREATE TABLE items (id {int} NOT NULL PRIMARY KEY, order_id {int}, status {text}, at {timestamp-text});
INSERT INTO p VALUES (1, '2020-01-01'), (2, '2020-01-01'), (3, '2020-01-01');
INSERT INTO orders VALUES (10, 1, 'x'), (20, 2, 'x');
INSERT INTO items VALUES (100, 10, 'late', '2025-01-01'), (200, 20, 'old', '2019-01-01')`)
	r := over("orders", "p_id", "id", rel("items", "order_id", "id", "at"))
	f.wantClasses(f.from("p").by(latest(own("at"), related(r))), noHolds(), "active due due")
}

package postgres

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/calendar"
)

// oddZones change at midnight, by half an hour, across the date line, backwards
// across midnight, often, or never.
func oddZones() []string {
	return []string{"UTC", "Europe/Paris", "America/Havana", "Pacific/Apia", "Australia/Lord_Howe", "America/St_Johns", "Antarctica/Casey",
		"Africa/Casablanca", "America/Sao_Paulo", "Asia/Gaza", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu", "Atlantic/Azores"}
}

// reading is what Go makes of a value: microseconds, or [sqlgen.Never].
func reading(text string, m retention.MemberTest, datesOnly bool) int64 {
	st, ok := calendar.ParseStamp(text)
	if !ok || st.HasTime && datesOnly {
		return sqlgen.Never
	}
	return plausible(st.Instant(m.Zone, m.DateZone), m)
}

func plausible(at time.Time, m retention.MemberTest) int64 {
	us := at.UnixMicro()
	if us == 0 || us < m.NotBefore.UnixMicro() || us > m.NotAfter.UnixMicro() {
		return sqlgen.Never
	}
	return us
}

// changes are the instants near which a zone changes, within what is plausible.
func changes(loc *time.Location) []time.Time {
	var out []time.Time
	for t := time.Date(1981, 1, 1, 0, 0, 0, 0, time.UTC); len(out) < 400; {
		_, end := t.In(loc).ZoneBounds()
		if end.IsZero() || end.Year() > 2120 {
			break
		}
		out = append(out, end)
		t = end.Add(48 * time.Hour)
	}
	return append(out, cutoff())
}

// few are some of the instants, so that rows and cutoffs meet at the same ones.
func few(r *rand.Rand, all []time.Time) []time.Time {
	out := make([]time.Time, 3)
	for i := range out {
		out[i] = all[r.IntN(len(all))]
	}
	return out
}

func near(r *rand.Rand, all []time.Time) time.Time {
	at := all[r.IntN(len(all))]
	switch r.IntN(3) {
	case 0:
		return at.Add(time.Duration(r.Int64N(int64(4*time.Hour))) - 2*time.Hour).Truncate(time.Minute)
	case 1:
		return at.Add(time.Duration(r.Int64N(int64(60*time.Hour))) - 30*time.Hour + time.Microsecond).Truncate(time.Microsecond)
	}
	return at
}

// Every reading agrees with Go's, for every zone and form: the value that is
// shown and kept, and the two tests that decide.
func TestClocksAgreeWithGo(t *testing.T) {
	b := setup(t, `CREATE TABLE p (id int PRIMARY KEY, txt text, vc varchar(60), d date, ts timestamp, tz timestamptz, n bigint, dec numeric)`, "p")
	r := rand.New(rand.NewPCG(7, 11))
	layouts := []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05.000000", "2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05,999999999-0700", "2006-01-02T15:04Z07"}
	for i := range 3 * len(oddZones()) {
		zone := oddZones()[i%len(oddZones())]
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		all := few(r, changes(loc))
		b.exec("TRUNCATE p")
		texts, civils := map[int]string{}, map[int]string{}
		instants := map[int]time.Time{}
		var rows []string
		for id := range 250 {
			at := near(r, all)
			shown := at.In([]*time.Location{loc, time.UTC, time.FixedZone("", 5*3600+1800)}[r.IntN(3)]).Add(time.Duration(r.IntN(3)) * 100 * time.Nanosecond)
			texts[id], instants[id] = shown.Format(layouts[r.IntN(len(layouts))]), at
			civils[id] = at.In(loc).Format("2006-01-02 15:04:05.999999")
			if id%3 == 0 { // civil times that may lie in a gap
				civils[id] = at.UTC().Add(time.Duration(r.IntN(5)-2) * 30 * time.Minute).Format("2006-01-02 15:04:05.999999")
			}
			rows = append(rows, fmt.Sprintf("(%d, '%s', '%s', '%s', '%s', '%s+00', %d, %d)", id, texts[id], texts[id], civils[id][:10], civils[id], at.UTC().Format("2006-01-02 15:04:05.999999"), at.Unix(), at.UnixMilli()))
		}
		b.exec("INSERT INTO p VALUES " + strings.Join(rows, ", "))
		for _, column := range []string{"txt", "vc", "d", "ts", "tz", "n", "dec"} {
			c := b.table("p").Column(column)
			m := member(column)
			m.Zone, m.DateZone, m.Cutoff = loc, loc, near(r, all)
			if r.IntN(3) == 0 {
				m.NotBefore, m.NotAfter = near(r, all), near(r, all)
			}
			if column == "dec" {
				m.Type = retention.AsUnixMilliseconds
			}
			want := func(id int) int64 {
				switch column {
				case "d":
					return reading(civils[id][:10], m, false)
				case "ts":
					return reading(civils[id], m, false)
				case "tz":
					return plausible(instants[id], m)
				case "n":
					return plausible(time.Unix(instants[id].Unix(), 0), m)
				case "dec":
					return plausible(time.UnixMilli(instants[id].UnixMilli()), m)
				}
				return reading(texts[id], m, false)
			}
			b.agrees(c, m, zone, want, func(id int) string { return texts[id] + " | " + civils[id] })
		}
	}
}

// agrees compares one column's readings with those wanted.
func (b *bundle) agrees(c *retention.Column, m retention.MemberTest, zone string, want func(int) int64, show func(int) string) {
	b.t.Helper()
	col := sqlgen.Raw("t." + quote(c.Name))
	v, err := clockOf(col, c, m)
	if err != nil {
		b.t.Fatal(err)
	}
	over, ok := before(col, c, m)
	if !ok {
		over = sqlgen.Format("%s < %s", v, sqlgen.Arg(m.Cutoff.UnixMicro()))
	}
	bad, ok := unresolved(col, c, m)
	if !ok {
		bad = sqlgen.Format("%s = %s", v, sqlgen.Arg(sqlgen.Never))
	}
	in, ok := bound(col, c, m)
	if !ok {
		in = sqlgen.Raw("TRUE")
	}
	b.ask(func(rows *sqlx.Rows) error {
		var id int
		var micros sql.NullInt64
		var over, bad, in bool
		if err := rows.Scan(&id, &micros, &over, &bad, &in); err != nil {
			return err
		}
		w := want(id)
		if micros.Int64 != w || over != (w < m.Cutoff.UnixMicro()) || bad != (w == sqlgen.Never) || over && !in {
			b.t.Errorf("%s in %s, %s: value %d, want %d; before %s: %v, unresolved %v, in bound %v", c.Name, zone, show(id), micros.Int64, w, m.Cutoff, over, bad, in)
		}
		return nil
	}, "p", v, sqlgen.Format("(%s) IS TRUE", over), sqlgen.Format("(%s) IS TRUE", bad), sqlgen.Format("(%s) IS TRUE", in))
}

// What is no ISO 8601 is never cast, and says nothing.
func TestTextsThatAreNoClock(t *testing.T) {
	b := setup(t, `CREATE TABLE p (id int PRIMARY KEY, txt text, c char(30), ci text COLLATE "C")`, "p")
	bad := []string{"", " ", "10:30", "2451545", "infinity", "-infinity", "now", "today", "epoch", "allballs", "0000-00-00", "0000-01-01", "0001-01-01", "1900-02-29", "2000-02-29", "2023-02-29", "2024-02-30",
		"2024-04-31", "2024-13-01", "2024-00-10", "2024-01-32", "24-01-01", "2024-1-1", "2024/01/01", "01/02/2024", "2024-01-01T24:00", "2024-01-01T10:60", "2024-01-01T10:00:60", "2024-01-01T10", "2024-01-01 10:00:00.",
		"2024-01-01T10:00+19", "2024-01-01T10:00+18:01", "2024-01-01T10:00+05:60", "2024-01-01T10:00 +01:00", "2024-01-01T10:00z", "2024-01-01t10:00", "2024-01-01T10:00Zx", " 2024-01-01", "2024-01-01\n", "2024-01-01 BC",
		"２０２４-01-01", "1970-01-01", "2999-01-01", "20240101", "2024-W01", "2024-001", "NaN", "J2451545", "2024-02-29", "2000-02-29T00:00+18:00", "2023-12-31T23:59:59.9999999", "1999-12-31 23:59:59,5-00:30", "2004-02-29"}
	for i, s := range bad {
		b.exec("INSERT INTO p VALUES ($1, $2::text, $2::text, $2::text)", i, s)
	}
	m := member("")
	for _, column := range []string{"txt", "ci"} {
		for _, typ := range []retention.ClockType{retention.AsText, retention.AsDate} {
			m.Type = typ
			b.agrees(b.table("p").Column(column), m, "UTC", func(id int) int64 { return reading(bad[id], m, typ == retention.AsDate) }, func(id int) string { return fmt.Sprintf("%q as %s", bad[id], typ) })
		}
	}
}

// Infinity, and years that only PostgreSQL writes, are unresolved; NULL is open.
func TestUnsayableTimes(t *testing.T) {
	b := setup(t, `CREATE TABLE p (id int PRIMARY KEY, d date, ts timestamp, tz timestamptz, n bigint, dec numeric, f float8);
INSERT INTO p VALUES (1, 'infinity', 'infinity', 'infinity', 9223372036854775807, 'NaN', 'NaN'), (2, '-infinity', '-infinity', '-infinity', -9223372036854775808, 1.5, 'Infinity'),
 (3, '4000-01-01 BC', '4000-01-01 BC', '4000-01-01 BC', 0, 0, '-Infinity'), (4, '200000-01-01', '200000-01-01', '200000-01-01', 1, 1500000000.5, 1500000000.5), (5, NULL, NULL, NULL, NULL, NULL, NULL),
 (6, '2020-01-01', '2020-01-01', '2020-01-01 00:00+00', 1577836800, 1577836800.0, 1577836800)`, "p")
	for _, column := range []string{"d", "ts", "tz", "n", "dec", "f"} {
		sel := b.selection("p", column)
		if column == "dec" || column == "f" {
			sel.Clock.Members[0].Type = retention.AsUnixSeconds
		}
		if got := b.classes(sel, noHolds()); got.Unresolved != 4 || got.Open != 1 || got.Due != 1 {
			t.Errorf("%s: %+v", column, got)
		}
		sel.Clock.Members[0].NotBefore = time.Date(-10000, 1, 1, 0, 0, 0, 0, time.UTC)
		sel.Clock.Members[0].Cutoff = time.Date(-9000, 1, 1, 0, 0, 0, 0, time.UTC)
		if got := b.classes(sel, noHolds()); got.Due != 0 {
			t.Errorf("%s, a cutoff before the first year: %+v", column, got)
		}
	}
	sel := b.selection("p", "ts")
	sel.Clock.Members[0].Type = retention.AsDate
	if _, err := b.s.Count(t.Context(), sel, noHolds(), nil); err == nil {
		t.Error("a timestamp was read as a date")
	}
}

package mysql

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/retentiond/retentiond/connectors/sqlgen"
	"github.com/retentiond/retentiond/retention"
	"github.com/retentiond/retentiond/retention/calendar"
)

// zones are easy and hard: gaps at midnight, half hours, a date that never was,
// dates that run backwards.
func zones(t *testing.T) []*time.Location {
	t.Helper()
	out := []*time.Location{time.UTC, time.FixedZone("x", -5400)}
	for _, n := range []string{"Europe/Paris", "America/Havana", "America/Sao_Paulo", "Pacific/Apia", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "Africa/Casablanca"} {
		l, err := time.LoadLocation(n)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

// civilTimes are random ones, and many around each change of the zone.
func civilTimes(loc *time.Location, n int) []time.Time {
	var out []time.Time
	for i := range n {
		at := time.Unix(315532800+rand.Int64N(3e9), rand.Int64N(1e6)*1000).UTC()
		if i%2 == 0 {
			if _, end := at.In(loc).ZoneBounds(); !end.IsZero() {
				_, offset := end.Zone()
				at = end.UTC().Add(time.Duration(offset)*time.Second + time.Duration(rand.IntN(4*86400)-2*86400)*time.Second/time.Duration(1+i%40))
			}
		}
		out = append(out, at)
	}
	return out
}

// TestClocksAgreeWithCalendar: what the server computes is what package calendar
// says, for times, dates and texts, in hard zones; and the native tests say what
// the clock says.
func TestClocksAgreeWithCalendar(t *testing.T) {
	d := fresh(t)
	for _, loc := range zones(t) {
		t.Run(loc.String(), func(t *testing.T) {
			for name, c := range map[string]*retention.Column{
				"DATETIME(6)": {Name: "v", Decl: "datetime(6)", Kind: retention.KindTimestamp},
				"DATE":        {Name: "v", Decl: "date", Kind: retention.KindDate},
				"VARCHAR(60)": {Name: "v", Decl: "varchar(60) COLLATE utf8mb4_general_ci", Kind: retention.KindText, Length: 60},
			} {
				var texts []string
				for _, at := range civilTimes(loc, 150) {
					switch name {
					case "DATE":
						texts = append(texts, at.Format(time.DateOnly))
					case "VARCHAR(60)":
						texts = append(texts, written(at))
					default:
						texts = append(texts, at.Format("2006-01-02 15:04:05.000000"))
					}
				}
				compareClocks(t, d, loc, name, c, texts)
			}
		})
	}
}

func written(at time.Time) string {
	forms := []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05.000", "2006-01-02T15:04:05,0000009", "2006-01-02T15:04:05.9999999", "2006-01-02T15:04:05Z", "2006-01-02 15:04:05.000000+0530", "2006-01-02T15:04-03", "2006-01-02T15:04:05+18:00", "2006-01-02T15:04:05+18:01", "2006-01-02 24:00", "2006-01-02T15:04:60", "2006-1-2", "2006-02-29", "0000-01-02", "2006-01-02\n", "x"}
	return at.Format(forms[rand.IntN(len(forms))])
}

func compareClocks(t *testing.T, d *database, loc *time.Location, typ string, c *retention.Column, texts []string) {
	t.Helper()
	exec := func(text string, args ...any) {
		t.Helper()
		if _, err := d.app.Exec(text, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("DROP TABLE IF EXISTS clocks")
	exec("CREATE TABLE clocks (id INT PRIMARY KEY, v " + typ + ")")
	for i, text := range texts {
		exec("INSERT INTO clocks VALUES (?, ?)", i, text)
	}
	first, ok := calendar.ParseStamp(texts[rand.IntN(len(texts))])
	cutoff := time.Date(2010, 3, 28, 1, 0, 0, 0, time.UTC)
	if ok {
		cutoff = first.Instant(loc, loc)
	}
	m := retention.MemberTest{Column: "v", Zone: loc, DateZone: loc, Cutoff: cutoff, NotBefore: time.Date(1985, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2070, 1, 1, 0, 0, 0, 0, time.UTC)}
	col := sqlgen.Raw("t.v")
	micros, err := clockOf(col, c, m)
	if err != nil {
		t.Fatal(err)
	}
	was, native := before(col, c, m)
	bad, _ := unresolved(col, c, m)
	if !native {
		was, bad = sqlgen.Raw("NULL"), sqlgen.Raw("NULL")
	}
	q := dialect(home{}, nil).Query(sqlgen.Format("SELECT t.id, %s, COALESCE(%s, 0), COALESCE(%s, 0) FROM clocks AS t", micros, was, bad))
	rows, err := d.open(t).read.Queryx(q.Text, q.Args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, got int64
		var before, unresolved bool
		if err := rows.Scan(&id, &got, &before, &unresolved); err != nil {
			t.Fatal(err)
		}
		want := sqlgen.Never
		if st, ok := calendar.ParseStamp(texts[id]); ok {
			if at := st.Instant(loc, loc).UnixMicro(); at >= m.NotBefore.UnixMicro() && at <= m.NotAfter.UnixMicro() {
				want = at
			}
		}
		if got != want {
			t.Errorf("%s %q in %s: the server says %s, calendar %s", typ, texts[id], loc, said(got), said(want))
		}
		if native && (before != (want < cutoff.UnixMicro()) || unresolved != (want == sqlgen.Never)) {
			t.Errorf("%s %q in %s: before %s is %v, unresolved is %v, the clock is %s", typ, texts[id], loc, cutoff, before, unresolved, said(want))
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func said(micros int64) string {
	if micros == sqlgen.Never {
		return "unresolved"
	}
	return time.UnixMicro(micros).UTC().String()
}

// TestZeroDates: what is stored as a date and is none is never acted on.
func TestZeroDates(t *testing.T) {
	d := fresh(t)
	conn, err := d.app.Connx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, text := range []string{"SET SESSION sql_mode = 'ALLOW_INVALID_DATES'", "CREATE TABLE z (id INT PRIMARY KEY, d DATETIME(6), dd DATE, ts TIMESTAMP(6) NULL, KEY (d))",
		"INSERT INTO z VALUES (1, '0000-00-00', '0000-00-00', '0000-00-00'), (2, '2001-00-10', '2001-00-10', NULL), (3, '2001-02-00', '2001-02-00', NULL), (4, '2001-02-30 10:00:00', '2001-02-30', NULL), (5, '2001-02-28', '2001-02-28', '2001-02-28')"} {
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	s := d.open(t)
	if _, err := s.Install(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	schema, err := s.Describe(t.Context(), []retention.TableName{{Name: "z"}})
	if err != nil {
		t.Fatal(err)
	}
	for column, want := range map[string]retention.Classes{"d": {Unresolved: 4, Due: 1, Total: 5}, "dd": {Unresolved: 4, Due: 1, Total: 5}, "ts": {Unresolved: 1, Open: 3, Due: 1, Total: 5}} {
		sel := selection(schema, "z", column)
		n, err := s.Count(t.Context(), sel, &retention.HoldSet{}, nil)
		if err != nil || n.Classes != want {
			t.Errorf("%s: %+v, %v, want %+v", column, n.Classes, err, want)
		}
		p, err := s.Page(t.Context(), sel, &retention.HoldSet{}, retention.Cursor{}, 10)
		if err != nil || fmt.Sprint(p.Keys) != "[[5]]" {
			t.Errorf("%s: page %v, %v", column, p.Keys, err)
		}
	}
	out, err := s.Apply(t.Context(), batch(selection(schema, "z", "d"), retention.Act{Kind: retention.Delete}, 1, 2, 3, 4, 5))
	if err != nil || out.Done != 1 || out.Spared.Changed != 4 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestStepsStayApart(t *testing.T) {
	for _, loc := range zones(t) {
		s := stepsOf(loc, time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2190, 1, 1, 0, 0, 0, 0, time.UTC))
		for i := 1; i < len(s.at); i++ {
			if s.at[i-1] >= s.at[i] || s.offsets[i] == s.offsets[i-1] {
				t.Fatalf("%s: step %d at %d, after %d", loc, i, s.at[i], s.at[i-1])
			}
		}
		if strings.HasPrefix(loc.String(), "Europe") && len(s.at) < 400 {
			t.Errorf("%s has %d steps", loc, len(s.at))
		}
	}
}

package calendar

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"
)

// slimZone is a zone as compact time-zone files hold it: no transitions listed,
// only the rule that goes on for ever.
func slimZone(t *testing.T, rule string, offset int32) *time.Location {
	t.Helper()
	var b bytes.Buffer
	header := func(times, types, chars uint32) {
		b.WriteString("TZif2" + strings.Repeat("\x00", 15))
		_ = binary.Write(&b, binary.BigEndian, []uint32{0, 0, 0, times, types, chars})
	}
	header(0, 1, 4)
	b.WriteString("\x00\x00\x00\x00\x00\x00STD\x00")
	header(1, 1, 4)
	_ = binary.Write(&b, binary.BigEndian, int64(0))
	b.WriteByte(0)
	_ = binary.Write(&b, binary.BigEndian, offset)
	b.WriteString("\x00\x00STD\x00\n" + rule + "\n")
	loc, err := time.LoadLocationFromTZData(rule, b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// Compact zone files give the same days as full ones, on the last day of leap
// years too, and beyond the years that any file lists.
func TestCompactZoneFiles(t *testing.T) {
	for _, z := range []struct {
		name, rule string
		offset     int32
		from       int
	}{
		{"Europe/Paris", "CET-1CEST,M3.5.0,M10.5.0/3", 3600, 1997},
		{"America/Havana", "CST5CDT,M3.2.0/0,M11.1.0/1", -18000, 2014},
		{"America/Santiago", "<-04>4<-03>,M9.1.6/24,M4.1.6/24", -14400, 2024},
		{"Australia/Lord_Howe", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 37800, 2009},
	} {
		full, slim := mustZone(t, z.name), slimZone(t, z.rule, z.offset)
		for d := (Date{z.from, 1, 1}); d.Year < 2060; d = d.AddDays(1) {
			if a, b := StartOfDay(d, full), StartOfDay(d, slim); !a.Equal(b) {
				t.Fatalf("%s: %s starts %s, in a compact file %s", z.name, d, a, b)
			}
			for _, hour := range []int{0, 1, 2, 3, 23} {
				if a, b := LocalTime(d, hour, 30, 0, 0, full), LocalTime(d, hour, 30, 0, 0, slim); !a.Equal(b) {
					t.Fatalf("%s: %s %d:30 is %s, in a compact file %s", z.name, d, hour, a, b)
				}
			}
		}
	}
}

// The naive time of every half hour around every change of offset: the later
// instant where there are two, and the offset before the gap where there is none.
func TestLocalTimeAgainstMinutes(t *testing.T) {
	for _, name := range oracleZones {
		loc := mustZone(t, name)
		offset := func(u int64) int64 { _, o := time.Unix(u, 0).In(loc).Zone(); return int64(o) }
		changes := 0
		for u := time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC).Unix(); u < time.Date(lastYear, 1, 1, 0, 0, 0, 0, time.UTC).Unix(); u += 3600 {
			if offset(u) == offset(u+3600) {
				continue
			}
			changes++
			for civil := u + offset(u) - 4*3600; civil < u+offset(u+3600)+4*3600; civil += 1800 {
				checkCivil(t, name, loc, offset, u, civil)
			}
		}
		if changes == 0 && name != "UTC" {
			t.Errorf("%s: no change of offset", name)
		}
	}
}

// checkCivil looks for the civil time in the minutes around the change near u.
func checkCivil(t *testing.T, name string, loc *time.Location, offset func(int64) int64, u, civil int64) {
	t.Helper()
	var want int64
	found := false
	for m := u - 6*3600; m < u+7*3600; m += 300 {
		if m+offset(m) == civil {
			want, found = m, true
		}
	}
	for m := u; !found && m <= u+3600; m += 60 { // in the gap: the minute before the jump
		if m+offset(m) < civil && m+60+offset(m+60) > civil {
			want, found = civil-offset(m), true
		}
	}
	if !found {
		if d := civil - u - offset(u); d > -2*3600 && d < 2*3600 {
			t.Errorf("%s: no minute for civil time %d near %d", name, civil, u)
		}
		return
	}
	if got := localUnix(civil, loc); got != want {
		t.Errorf("%s: civil %s is %s, want %s", name, time.Unix(civil, 0).UTC().Format("2006-01-02 15:04"), time.Unix(got, 0).In(loc), time.Unix(want, 0).In(loc))
	}
}

func TestLocalTimeInASkippedDay(t *testing.T) {
	loc := mustZone(t, "Pacific/Apia")
	got := LocalTime(Date{2011, 12, 30}, 10, 0, 0, 0, loc)
	if want := time.Date(2011, 12, 30, 20, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLoadZone(t *testing.T) {
	for name, want := range map[string]string{
		"": "empty", "Local": "machine's own", "localtime": "machine's own", "Paris": "did you mean Europe/Paris?",
		"europe/paris": "did you mean Europe/Paris?", "Europe/Pari": "did you mean Europe/Paris?", "Europe/Pariss": "did you mean Europe/Paris?",
		"Sao Paulo": "did you mean America/Sao_Paulo?", "+02:00": "an offset knows no summer time", "right/Europe/Paris": "not an IANA name",
		"posix/Europe/Paris": "not an IANA name", "Factory": "not an IANA name", "../UTC": "not known", "Nowhere/Atlantis": "not known", " UTC": "did you mean UTC?",
		"/etc/localtime": "not known", "heure de Paris": "not known",
	} {
		loc, err := LoadZone(name)
		if err == nil || loc != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want an error with %q", name, loc, err, want)
		}
	}
	for name := range strings.Lines(zoneNames) {
		mustZone(t, strings.TrimSpace(name))
	}
}

package calendar

import "testing"

func TestLonger(t *testing.T) {
	for _, v := range []struct {
		p, q string
		want bool
	}{
		{"3 years", "3 years", false}, {"36 months", "3 years", false}, {"3 years", "36 months", false},
		{"13 months", "1 year", true}, {"1 year", "13 months", false},
		{"365 days", "1 year", false}, {"366 days", "1 year", true}, {"1 year", "365 days", true}, {"1 year", "366 days", false},
		{"4 years", "1461 days", false}, {"4 years", "1460 days", true}, {"1461 days", "4 years", true},
		{"30 days", "1 month", true}, {"28 days", "1 month", false}, {"1 month", "31 days", false}, {"1 month", "30 days", true},
		{"1 month 1 day", "1 month", true}, {"1 month", "4 weeks", true}, {"0 days", "0 days", false},
		{"36 hours", "36 hours", false}, {"37 hours", "36 hours", true}, {"60 minutes", "1 hour", false},
		{"0 seconds", "0 days", false}, {"1 second", "0 days", true}, {"0 days", "0 seconds", true},
		{"1 hour", "1 year", false}, {"8784 hours", "1 year", true}, {"1 year", "8784 hours", true}, {"1 year", "9000 hours", false},
	} {
		if got := mustPeriod(t, v.p).Longer(mustPeriod(t, v.q)); got != v.want {
			t.Errorf("%s longer than %s: %v", v.p, v.q, got)
		}
	}
	if (Period{}).Longer(mustPeriod(t, "1 day")) || mustPeriod(t, "1 day").Longer(Period{}) {
		t.Error("no period is compared")
	}
}

// What is accepted is written so that it reads back the same, in each form.
func FuzzParsePeriod(f *testing.F) {
	v := readVectors(f)
	for _, a := range v.Accepted {
		f.Add(a.Text)
	}
	for _, r := range v.Refused {
		f.Add(r.Text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePeriod(s)
		if err != nil {
			if !p.IsZero() {
				t.Fatalf("%q: refused with %v", s, p)
			}
			return
		}
		for _, text := range []string{p.String(), p.ISO(), p.French()} {
			if back, err := ParsePeriod(text); err != nil || back != p {
				t.Fatalf("%q: written as %q, read back as %v, %v", s, text, back, err)
			}
		}
		if p.Duration() < 0 || !p.Exact() && p.add(Date{2024, 2, 29}).Before(Date{2024, 2, 29}) {
			t.Fatalf("%q runs backwards", s)
		}
	})
}

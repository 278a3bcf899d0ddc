package policies

import (
	"regexp"
	"strings"
	"testing"

	"github.com/retentiond/retentiond/retention"
)

const digested = `version: 1
policy: p
title: T
controller: C
timezone: Europe/Paris
source: crm
datasets:
  d: {table: d, subject: {person: id}, children: [{table: c, on: {a: x, b: y}, then: delete}]}
rules:
  - id: r
    title: R
    dataset: d
    from: {column: at, as: date}
    where: {status: closed, country: {in: [FR, BE]}}
    keep: 13 months
    then: redact
    columns: {name: null, phone: {keep_left: 2}}
    limits: {share: 20%}
`

// change decodes the text with one part replaced, which must be there.
func change(t *testing.T, from, to string) *retention.Policy {
	t.Helper()
	if !strings.Contains(digested, from) {
		t.Fatalf("%q is not in the text", from)
	}
	return good(t, "p.yaml", []byte(strings.Replace(digested, from, to, 1)), Env{})
}

func TestDigestForm(t *testing.T) {
	p := change(t, "", "")
	form := regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	if !form.MatchString(p.Digest) || !form.MatchString(p.Rules[0].Meaning) {
		t.Errorf("digest %q, meaning %q", p.Digest, p.Rules[0].Meaning)
	}
}

// What means the same has the same digest.
func TestDigestIgnoresSpelling(t *testing.T) {
	want := change(t, "", "")
	for from, to := range map[string]string{
		"version: 1":              "# a comment\nversion: 1",
		"title: T\ncontroller: C": "controller: 'C'\ntitle: \"T\"",
		"13 months":               "P13M",
		"keep: 13":                "keep:   13",
		"{status: closed, country: {in: [FR, BE]}}": "{country: {in: [FR, \"BE\"]}, all: [{status: closed}]}",
		"{a: x, b: y}":                        "{b: y, a: x}",
		"{name: null, phone: {keep_left: 2}}": "{phone: {keep_left: 2}, name: null}",
		"share: 20%":                          "share: 0.2",
		"table: d,":                           "source: crm, table: d, erase: logical,",
		"as: date}":                           "as: date, zone: Europe/Paris}",
		"id: r\n":                             "id: r\n    approve: first\n    enabled: true\n",
	} {
		got := change(t, from, to)
		if got.Digest != want.Digest || got.Rules[0].Meaning != want.Rules[0].Meaning {
			t.Errorf("%q for %q changes the digest", to, from)
		}
	}
	got := change(t, "13 months", "13 mois")
	if got.Digest != want.Digest {
		t.Error("the language of a period changes the digest")
	}
}

// What changes only words or ceilings keeps the meaning: no new approval.
func TestMeaningIgnoresTitles(t *testing.T) {
	want := change(t, "", "")
	for from, to := range map[string]string{
		"title: R":      "title: Renamed",
		"id: r":         "id: other",
		"policy: p":     "policy: q",
		"dataset: d":    "dataset: d\n    purpose: sales\n    basis: consent\n    categories: [A]\n    cite: here",
		"share: 20%":    "share: 30%",
		"keep:":         "approve: always\n    schedule: \"@daily\"\n    keep:",
		"source: crm\n": "source: crm\nlimits: {rows: 5}\nschedule: \"0 1 * * *\"\n",
		"table: d,":     "table: d, purpose: sales,",
	} {
		got := change(t, from, to)
		if got.Rules[0].Meaning != want.Rules[0].Meaning {
			t.Errorf("%q for %q changes the meaning", to, from)
		}
		if got.Digest == want.Digest {
			t.Errorf("%q for %q keeps the digest", to, from)
		}
	}
}

// What changes the rows, or what happens to them, changes the meaning.
func TestMeaningFollowsWhatTheRuleDoes(t *testing.T) {
	want := change(t, "", "")
	for from, to := range map[string]string{
		"13 months":          "12 months",
		"closed":             "open",
		"[FR, BE]":           "[FR]",
		"Europe/Paris":       "UTC",
		"source: crm":        "source: billing",
		"table: d,":          "table: d2,",
		"{person: id}":       "{person: owner}",
		"then: delete":       "then: detach",
		"{a: x, b: y}":       "{a: x}",
		"column: at":         "column: ended",
		"as: date":           "as: text",
		"name: null":         "name: {set: x}",
		"keep_left: 2":       "keep_left: 3",
		"keep: 13":           "at_least: 1 month\n    keep: 13",
		"then: redact":       "then: anonymise",
		"{column: at":        "{round: month-end, column: at",
		"id: r\n":            "id: r\n    enabled: false\n",
		"title: R":           "title: R\n    effective_from: 2030-01-01",
		"person: id}, child": "person: id}, erase: rewritten, child",
	} {
		if got := change(t, from, to); got.Rules[0].Meaning == want.Rules[0].Meaning {
			t.Errorf("%q for %q keeps the meaning", to, from)
		}
	}
}

package main

import (
	"regexp"
	"strings"
	"time"
)

// Forms in which libraries and other layers write what a person reads otherwise.
var (
	lockedForm = regexp.MustCompile(`(?:sqlite (\S+): )?(?:the source is locked: )?another process holds the write lock: [^(]*\(\d+\) \(SQLITE_[A-Z_]+\)(?: \(context deadline exceeded\))?`)
	sqliteCode = regexp.MustCompile(`(?:: (?:database is locked|interrupted))? \(\d+\) \(SQLITE_[A-Z_]+\)`)
	sliceForm  = regexp.MustCompile(`\["[^",\[\]]*"(?: "[^",\[\]]*")*\]`)
	leaseForm  = regexp.MustCompile(`(?:take a lease: )?another run is at work: (.+?) is taken by (.+?) of (\S+/\d+/\d+|\S+) since (\S+)`)
	stampForm  = regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)`)
	ownerForm  = regexp.MustCompile(`^(.+)/(\d+)/\d+$`)
)

// inWords writes a message for people: no codes of the database's library, no
// list in the form of the program's language.
func inWords(text string) string {
	text = lockedForm.ReplaceAllStringFunc(text, func(s string) string {
		if file := lockedForm.FindStringSubmatch(s)[1]; file != "" {
			return "another process holds the write lock of " + file
		}
		return "another process holds the write lock"
	})
	text = leaseForm.ReplaceAllStringFunc(text, func(s string) string {
		m := leaseForm.FindStringSubmatch(s)
		return "another run is at work: " + m[1] + " is taken by " + m[2] + ", " + ownerWords(m[3]) + ", since " + timeWords(m[4])
	})
	text = stampForm.ReplaceAllStringFunc(text, timeWords)
	text = sqliteCode.ReplaceAllString(text, "")
	return sliceForm.ReplaceAllStringFunc(text, func(s string) string {
		return strings.ReplaceAll(strings.Trim(s, `[]"`), `" "`, ", ")
	})
}

// ownerWords says who holds the lease.
func ownerWords(owner string) string {
	if m := ownerForm.FindStringSubmatch(owner); m != nil {
		return "process " + m[2] + " on " + m[1]
	}
	return owner
}

func timeWords(s string) string {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return instant(t)
	}
	return s
}

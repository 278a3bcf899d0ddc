package retention

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// UnfitApproval is an approval that must not count: of the wrong person, or without
// what the plan asks for. Nothing was stored.
type UnfitApproval struct {
	Why  string
	Hint string
	// Refused: it is the wrong person's, and nothing that this one adds makes it count.
	Refused bool
}

// Error says why; the hint is for the caller to show beside it.
func (e *UnfitApproval) Error() string { return e.Why }

// PersonKey is a person's name as names are compared: trimmed, runs of spaces as
// one, and folded, so that "A. Martin" and " a. MARTIN" are one person.
func PersonKey(name string) string {
	return strings.Map(leastFold, strings.Join(strings.Fields(name), " "))
}

// leastFold is the least letter that differs from the letter only in case.
func leastFold(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return least
}

// Fits refuses an approval that the plan could not count: by somebody who has
// approved it, without the visa that it asks for, or with another visa than the
// approvals before. Under four eyes who planned may not approve.
func (s *SavedPlan) Fits(a Approval, fourEyes bool) error {
	if PersonKey(a.By) == "" {
		return &UnfitApproval{Why: "an approval needs a name", Hint: "add --by NAME"}
	}
	if fourEyes && samePerson(a.By, s.Plan.By) {
		return &UnfitApproval{Refused: true, Why: fmt.Sprintf("plan %s was planned by %s, who may not approve it too (approvals.four_eyes)", s.Plan.ID, s.Plan.By),
			Hint: "somebody else looks at the plan, and approves it"}
	}
	for _, b := range s.Approvals {
		if samePerson(a.By, b.By) {
			return &UnfitApproval{Refused: true, Why: fmt.Sprintf("%s approved plan %s before, at %s: each approval is of another person", b.By, s.Plan.ID, b.At.UTC().Format(time.RFC3339)),
				Hint: "somebody else looks at the plan, and approves it"}
		}
		if a.Visa != b.Visa {
			return &UnfitApproval{Why: fmt.Sprintf("plan %s was approved under the visa %q before: all its approvals are under one", s.Plan.ID, b.Visa),
				Hint: "look at the visa again, or make a new plan"}
		}
	}
	if a.Visa == "" && s.Plan.WantsVisa() {
		return &UnfitApproval{Why: fmt.Sprintf("plan %s has rules that destroy nothing without a visa (visa: required), and none is named", s.Plan.ID),
			Hint: "make the list with `retentiond bordereau " + s.Plan.ID + "`, have it signed, then add --visa REF"}
	}
	return nil
}

func samePerson(a, b string) bool { return PersonKey(a) == PersonKey(b) }

// Enough reports whether the plan has all approvals that it needs; under four eyes
// that of who planned does not count.
func (s *SavedPlan) Enough(fourEyes bool) bool {
	if s.State != PlanApproved {
		return false
	}
	n := 0
	for _, a := range s.Approvals {
		if !fourEyes || !samePerson(a.By, s.Plan.By) {
			n++
		}
	}
	return n >= s.Plan.Approvers()
}

// VisaRef checks the reference of a visa: it must read like a document's number,
// with a digit and nothing but letters, digits, spaces and . , / _ - : ( ) ° #, at
// most 64 characters. It is shown in clear in the audit log, where no person's
// name may be.
func VisaRef(ref string) error {
	digit := false
	for _, r := range ref {
		digit = digit || unicode.IsDigit(r)
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" .,/_-:()°#", r) {
			return fmt.Errorf("a visa's reference has no %q", r)
		}
	}
	switch {
	case strings.TrimSpace(ref) != ref || len([]rune(ref)) > 64:
		return fmt.Errorf("a visa's reference has no spaces at its ends, and at most 64 characters")
	case !digit:
		return fmt.Errorf("a visa's reference is a document's number, and has a digit")
	}
	return nil
}

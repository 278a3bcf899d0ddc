package main

import "fmt"

// fillCned fills enrolments, the learning space and surveys.
func fillCned(f *filler) {
	courses := f.table("courses", "id", "title")
	for i, t := range []string{"CAP Petite enfance", "Terminale générale", "BTS Comptabilité", "Agrégation de lettres"} {
		courses.add(i+1, t)
	}
	courses.close()
	f.cnedEnrolments()
	f.cnedRequests()
	f.cnedReviews()
	f.cnedCookies()
	f.cnedSuppliers()
	f.cnedUndecided()
}

// enrolment is what varies between enrolments.
type enrolment struct {
	id, learner, client int64
	employer            any
	note, certificate   any
	healthUntil, ended  any
}

func (f *filler) cnedEnrolments() {
	rows := f.table("enrolments", "id", "learner_id", "client_id", "employer_id", "course_id", "last_name", "first_name",
		"family_situation", "curriculum", "tax_income_cents", "disability_note", "medical_certificate_path",
		"health_needed_until", "enrolled_on", "purpose_ended_on")
	work := f.table("assignments", "enrolment_id", "title", "grade", "submitted_at")
	defer rows.close()
	defer work.close()
	add := func(e enrolment) {
		p, began := f.person(e.learner), f.within(f.ago(12*9, 0), f.ago(12*7, 0))
		rows.add(e.id, e.learner, e.client, e.employer, 1+f.IntN(4), p.last, p.first, f.pick("célibataire|mariée|parent isolé"),
			"Baccalauréat", 1_000_000+f.IntN(5_000_000), e.note, e.certificate, e.healthUntil, f.write(asDate, began), e.ended)
		for n := range 1 + f.IntN(5) {
			work.add(e.id, fmt.Sprintf("Devoir %d", n+1), f.IntN(21), f.write(asUTC, began.AddDate(0, n+1, 0)))
		}
	}
	for _, e := range f.enrolmentStories() {
		add(e)
	}
	for i := range f.some(3) {
		add(f.ordinaryEnrolment(100 + i))
	}
}

func (f *filler) enrolmentStories() []enrolment {
	past := func(months int) any { return f.write(asDate, f.ago(months, 2)) }
	note, certificate := "Tiers temps accordé.", "sante/certificat.pdf"
	f.story("inscriptions", 1, "closed six years ago; the learner is not in the dispute, but the customer is: held")
	f.story("inscriptions", 2, "closed and its health data no longer needed: redacted first, archived by the next run")
	f.story("inscriptions", 3, "health data whose period nobody chose: open under the health rule, and not archived with it")
	f.story("inscriptions", 4, "two types of subject: the learner, and the employer (organisation:7)")
	return []enrolment{
		{id: 1, learner: 51, client: disputedID, ended: past(72)},
		{id: 2, learner: 52, client: 52, note: note, certificate: certificate, healthUntil: past(1), ended: past(3)},
		{id: 3, learner: 53, client: 53, note: note, ended: past(3)},
		{id: 4, learner: 54, client: 54, employer: 7, ended: past(5)},
	}
}

func (f *filler) ordinaryEnrolment(id int64) enrolment {
	people := f.some(4)
	e := enrolment{id: id, learner: f.someone(people)}
	if e.client = e.learner; f.chance(35) {
		e.client = f.someone(people)
	}
	if f.chance(15) {
		e.employer = 1 + f.IntN(30)
	}
	if f.chance(12) {
		e.note, e.healthUntil = "Aménagement d'examen.", f.ended(asDate, 0, 25)
	}
	switch p := f.IntN(100); {
	case p < 50:
	case p < 53:
		e.ended = f.odd(asDate)
	case p < 60:
		e.ended = f.write(asDate, f.within(f.ago(12*7, 0), f.ago(61, 0)))
	default:
		e.ended = f.write(asDate, f.within(f.ago(59, 0), f.ago(0, 2)))
	}
	return e
}

func (f *filler) cnedRequests() {
	rows := f.table("information_requests", "person_id", "email", "question", "received_at", "purpose_ended_on")
	defer rows.close()
	for range f.some(4) {
		id := f.someone(f.some(4))
		rows.add(id, f.person(id).email, f.pick("Tarifs ?|Brochure BTS|Dates d'inscription"), f.write(asUTC, f.within(f.ago(60, 0), f.ago(40, 0))),
			f.ended(asDate, 0, 45))
	}
}

// cnedReviews spreads the due reviews evenly over courses and decades of
// birth, so that no small group stands out.
func (f *filler) cnedReviews() {
	rows := f.table("course_reviews", "learner_id", "course_id", "birth_year", "score", "remarks", "submitted_on", "purpose_ended_on", "anonymised_at")
	defer rows.close()
	people, year := f.some(4), f.asOf.Year()
	for i := range int(f.some(4)) {
		course, decade := 1+i%4, 1970+i/4%3*10
		sent := f.within(f.ago(48, 0), f.ago(6, 0))
		switch p := f.IntN(100); {
		case p < 8: // done before: only statistics are left
			rows.add(nil, course, decade, 1+f.IntN(5), nil, fmt.Sprint(year-3, "-01-01"), fmt.Sprint(year-2, "-01-01"), f.write(asUTC, f.ago(0, 40)))
		case p < 45:
			rows.add(f.someone(people), course, decade+f.IntN(10), 1+f.IntN(5), "Très bien.", f.write(asDate, sent), nil, nil)
		case p < 50:
			rows.add(f.someone(people), course, decade+f.IntN(10), 1+f.IntN(5), "Bien.", f.write(asDate, sent), f.odd(asDate), nil)
		default:
			rows.add(f.someone(people), course, decade+f.IntN(10), 1+f.IntN(5), "Trop de devoirs.", f.write(asDate, sent), f.write(asDate, f.within(sent, f.ago(0, 2))), nil)
		}
	}
}

func (f *filler) cnedCookies() {
	rows := f.table("cookies", "id", "person_id", "kind", "set_at", "session_ended_at")
	defer rows.close()
	rows.add(1, disputedID, "marketing", f.ago(20, 0).Unix(), nil)
	rows.add(2, 55, "session", f.ago(0, 1).Unix(), f.asOf.Unix()-120)
	rows.add(3, 55, "session", f.asOf.Unix()-3600, nil)
	f.story("cookies", 1, "overdue, and held for the dispute")
	f.story("cookies", 2, "a session cookie whose session ended two minutes ago: due at once")
	f.story("cookies", 3, "a session that goes on: open under the session rule, active under the thirteen months")
	for i := range f.some(2) {
		var ended any
		kind := f.pick("session|fonctionnel|audience|marketing")
		if kind == "session" {
			ended = f.ended(asUnix, 0, 60)
		}
		rows.add(100+i, f.maybe(f.some(4), 40), kind, f.clock(asUnix, 13), ended)
	}
}

func (f *filler) cnedSuppliers() {
	suppliers := f.table("suppliers", "id", "name", "contract_ended_on")
	suppliers.add(1, "Langues en ligne", f.write(asDate, f.ago(24, 0)))
	suppliers.add(2, "Orientation Plus", nil)
	suppliers.add(3, "Examens à distance", f.write(asDate, f.asOf.AddDate(0, 6, 0)))
	suppliers.add(4, "Bibliothèque numérique", "0000-00-00")
	suppliers.add(5, "Classes virtuelles", f.write(asDate, f.ago(1, 0)))
	suppliers.close()
	f.story("comptes_fournisseurs", 1, "its supplier's contract ended two years ago, but the person is in a dispute: held")
	f.story("comptes_fournisseurs", 2, "the supplier's contract has an unreadable end: unresolved")
	rows := f.table("supplier_accounts", "id", "person_id", "supplier_id", "external_login", "results", "created_at")
	defer rows.close()
	add := func(id, person, supplier int64) {
		rows.add(id, person, supplier, fmt.Sprint("ext", id), "Niveau B1", f.write(asUTC, f.within(f.ago(60, 0), f.ago(3, 0))))
	}
	add(1, disputedID, 1)
	add(2, 56, 4)
	of := []int64{1, 1, 1, 2, 2, 2, 2, 3, 5, 2}
	for i := range f.some(4) {
		add(100+i, f.someone(f.some(4)), of[f.IntN(len(of))])
	}
}

func (f *filler) cnedUndecided() {
	people := f.some(4)
	accounts := f.table("customer_accounts", "person_id", "login", "created_at", "last_login_at")
	payments := f.table("payments", "person_id", "enrolment_number", "method", "amount_cents", "paid_on")
	messages := f.table("learning_space_messages", "person_id", "body", "sent_at")
	logs := f.table("connection_logs", "person_id", "ip", "logged_at")
	defer accounts.close()
	defer payments.close()
	defer messages.close()
	defer logs.close()
	for i := range f.some(4) {
		accounts.add(firstPerson+i, fmt.Sprint("client", i), f.clock(asUTC, 60), f.write(asUTC, f.within(f.ago(60, 0), f.asOf)))
		payments.add(f.someone(people), 100+i, f.pick("chèque|carte|virement|CPA"), 5_000+f.IntN(90_000), f.clock(asDate, 60))
		messages.add(f.someone(people), "Bonjour à tous", f.clock(asUTC, 24))
		logs.add(f.maybe(people, 10), f.ip(), f.clock(asUTC, 12))
	}
	cases := f.table("unpaid_cases", "person_id", "amount_cents", "opened_on", "closed_on")
	quotes := f.table("testimonials", "person_id", "body", "consented_on", "withdrawn_on")
	defer cases.close()
	defer quotes.close()
	for range f.some(100) {
		cases.add(f.someone(people), 5_000+f.IntN(90_000), f.clock(asDate, 60), f.ended(asDate, 60, 30))
		quotes.add(f.someone(people), "Une belle expérience.", f.clock(asDate, 36), f.ended(asDate, 12, 80))
	}
}

package main

import (
	"fmt"
	"time"
)

// fillConservatoire fills the public site and the ticket office.
func fillConservatoire(f *filler) {
	f.conservatoirePeople()
	f.conservatoireEmails()
	f.conservatoireMoney()
	f.conservatoireTraces()
	f.conservatoireViews()
	f.conservatoireUndecided()
}

func (f *filler) conservatoirePeople() {
	people := f.table("people", "id", "last_name", "first_name", "birth_date", "phone", "address", "postcode", "city",
		"service_started_on", "service_ended_on")
	guardians := f.table("guardians", "person_id", "guardian_id", "last_name", "first_name", "email", "consent_given_at")
	defer people.close()
	defer guardians.close()
	add := func(id int64, ended any) {
		p := f.person(id)
		people.add(id, p.last, p.first, p.birth, p.phone, p.address, p.postcode, p.city,
			f.write(asDate, f.within(f.ago(12*15, 0), f.ago(12*8, 0))), ended)
	}
	guard := func(pupil, parent int64) {
		p := f.person(parent)
		guardians.add(pupil, parent, p.last, p.first, p.email, f.write(asLocal, f.within(f.ago(12*9, 0), f.ago(12*7, 0))))
	}
	add(disputedID, f.write(asDate, f.ago(12*6+3, 0)))
	f.story("identification", disputedID, "service ended more than five years ago, but the person is in a dispute: held")
	add(17, f.write(asDate, f.ago(12*5+8, 0)))
	guard(17, disputedID)
	f.story("identification", 17, "overdue, but the pupil's guardian is the person in the dispute: blocked")
	due, active := f.border(60)
	add(11, f.write(asDate, due))
	add(archivedID, f.write(asDate, active))
	f.story("identification", 11, "the five years ended last: due for the end, and never archived")
	f.story("identification", archivedID, "ended one day later than person 11: only its archive is due")
	add(13, "9999-12-31")
	f.story("identification", 13, "a sentinel date is no end of service: unresolved, never acted on")
	add(14, nil)
	f.story("identification", 14, "the service goes on: open")
	for i := range f.some(4) {
		id := firstPerson + i
		add(id, f.serviceEnd())
		if f.chance(8) {
			guard(id, f.someone(f.some(4)))
		}
	}
}

// serviceEnd is NULL for half of the people, and past for most others.
func (f *filler) serviceEnd() any {
	switch p := f.IntN(100); {
	case p < 55:
		return nil
	case p < 58:
		return f.odd(asDate)
	case p < 61:
		return f.write(asDate, f.within(f.asOf, f.asOf.AddDate(1, 0, 0)))
	case p < 64:
		return f.corner(asDate)
	case p < 72:
		return f.write(asDate, f.within(f.ago(12*8, 0), f.ago(61, 0)))
	}
	return f.write(asDate, f.within(f.ago(59, 0), f.ago(0, 2)))
}

// conservatoireEmails gives each person an account, an address, or both: an
// account has the number of its address.
func (f *filler) conservatoireEmails() {
	accounts := f.table("accounts", "id", "person_id", "login", "password_hash", "created_at", "last_login_at", "deleted_at")
	emails := f.table("email_addresses", "id", "person_id", "account_id", "email", "newsletter_since", "newsletter_until")
	defer accounts.close()
	defer emails.close()
	since := func() any { return f.write(asUTC, f.within(f.ago(90, 0), f.ago(50, 0))) }
	add := func(id, person int64, account, newsletter bool, deleted, until any) {
		p := f.person(person)
		var number, subscribed any
		if account {
			number = id
			accounts.add(id, person, fmt.Sprint("u", id), "argon2id$demo", since(), f.write(asUTC, f.within(f.ago(40, 0), f.asOf)), deleted)
		}
		if newsletter {
			subscribed = since()
		}
		emails.add(id, person, number, p.email, subscribed, until)
	}
	past := f.write(asUTC, f.ago(7, 0))
	add(1, disputedID, true, true, past, past)
	f.story("adresses_email", 1, "no purpose is left, but the person is in a dispute: held")
	add(2, 18, true, true, past, nil)
	f.story("adresses_email", 2, "the account is deleted, the newsletter goes on: the address stays (nulls: open)")
	add(3, 19, true, true, past, f.write(asUTC, f.ago(2, 0)))
	f.story("adresses_email", 3, "account deleted and newsletter ended: the later of the two counts, due")
	for i := range f.some(4) {
		kind := f.IntN(4)
		add(100+i, firstPerson+i, kind != 1, kind == 1 || kind == 2, f.ended(asUTC, 0, 55), f.newsletterEnd(kind))
	}
}

func (f *filler) newsletterEnd(kind int) any {
	if kind != 1 && kind != 2 {
		return nil
	}
	return f.ended(asUTC, 0, 50)
}

func (f *filler) conservatoireMoney() {
	pay := f.table("transactions", "id", "person_id", "reference", "kind", "amount_cents", "iban", "card_last4", "card_code", "started_at", "completed_at")
	book := f.table("accounting_entries", "person_id", "reference", "label", "amount_cents", "completed_on")
	defer pay.close()
	defer book.close()
	add := func(id, person int64, code, completed any) {
		ref, cents := fmt.Sprintf("T-%07d", id), 500+f.IntN(40_000)
		pay.add(id, person, ref, f.pick("achat|achat|don"), cents, fmt.Sprintf("FR76 0000 0000 %07d", id),
			fmt.Sprintf("%04d", f.IntN(10_000)), code, f.within(f.ago(120, 0), f.ago(0, 1)).Unix(), completed)
	}
	add(1, disputedID, "123", f.ago(70, 0).Unix())
	f.story("transactions", 1, "five years are over and a card code is left, but the person is in a dispute: held by both rules")
	add(2, 18, "456", f.ago(0, 1).Unix())
	f.story("transactions", 2, "completed yesterday: the card code goes now, the payment in five years")
	add(3, 19, "789", nil)
	f.story("transactions", 3, "still in progress: open, the card code is needed")
	for i := range f.some(4) {
		var code any
		if f.chance(40) {
			code = fmt.Sprintf("%03d", f.IntN(1000))
		}
		add(100+i, f.someone(f.some(4)), code, f.ended(asUnix, 60, 3))
	}
	book.add(disputedID, "T-0000000", "Don", 5000, f.write(asDate, f.ago(12*11, 0)))
	for i := range f.some(4) {
		book.add(f.maybe(f.some(4), 5), fmt.Sprintf("T-%07d", 100+i), f.pick("Billet de concert|Frais de dossier|Don"), 500+f.IntN(40_000), f.clock(asDate, 120))
	}
}

func (f *filler) conservatoireTraces() {
	logs := f.table("connection_logs", "person_id", "ip", "user_agent", "path", "logged_at")
	cookies := f.table("cookies", "person_id", "visitor", "name", "set_at", "last_seen_at")
	defer logs.close()
	defer cookies.close()
	for i := range int64(3) {
		logs.add(disputedID, f.ip(), "Mozilla/5.0", "/compte", f.write(asUTC, f.ago(14, int(i))))
	}
	f.story("journaux_connexion", 1, "overdue, and held for the dispute")
	for range f.some(1) {
		logs.add(f.maybe(f.some(4), 30), f.ip(), f.pick("Mozilla/5.0|curl/8.5|bot"), f.pick("/|/agenda|/newsletter|/compte|/boutique"), f.clock(asUTC, 12))
	}
	seen := f.write(asLocal, f.ago(0, 1))
	due, active := f.border(13)
	cookie := func(person any, set any) { cookies.add(person, fmt.Sprintf("%016x", f.Uint64()), "consent", set, seen) }
	cookie(disputedID, f.write(asLocal, f.ago(15, 0)))
	cookie(18, f.write(asLocal, due))
	cookie(18, f.write(asLocal, active))
	cookie(19, fmt.Sprintf("%d-01-31 18:00:00", f.asOf.Year()-2))
	cookie(19, f.changeover(f.asOf.Year()-2).Format("2006-01-02")+" 02:30:00")
	f.story("cookies", 2, "thirteen months ended last; a visit yesterday does not renew them (fixed clock)")
	f.story("cookies", 3, "set one day later than cookie 2: still active")
	f.story("cookies", 4, "set on 31 January: thirteen months end on the last day of February")
	f.story("cookies", 5, "set in an hour that summer time skips or repeats")
	for range f.some(4) {
		cookie(f.maybe(f.some(4), 60), f.clock(asLocal, 13))
	}
}

// conservatoireViews spreads the due views evenly over quarters and
// departments, so that no small group stands out.
func (f *filler) conservatoireViews() {
	videos := f.table("videos", "id", "title", "published_on")
	for i := range int64(6) {
		videos.add(i+1, fmt.Sprintf("Concert n° %d", i+1), "2019-03-01")
	}
	videos.close()
	views := f.table("video_views", "person_id", "video_id", "watched_on", "seconds", "ip", "postcode", "anonymised_at")
	defer views.close()
	now := f.asOf.In(f.paris)
	quarter := time.Date(now.Year(), now.Month()-(now.Month()-1)%3, 1, 12, 0, 0, 0, f.paris)
	for i := range int(f.some(2)) {
		start := quarter.AddDate(0, -3*(1+i%4), 0)
		postcode := []string{"75011", "69003", "13006", "92100", "59000"}[i/4%5]
		day, video := start.AddDate(0, 0, f.IntN(88)), 1+f.IntN(6)
		switch p := f.IntN(100); {
		case p < 8: // done before: only statistics are left
			views.add(nil, video, f.write(asDate, start), 60*f.IntN(90), nil, postcode[:2], f.write(asUTC, f.ago(0, 20)))
			continue
		case p < 50: // today's views, due tomorrow
			views.add(f.someone(f.some(4)), video, f.write(asDate, f.asOf), f.IntN(5400), f.ip(), postcode, nil)
			continue
		case p < 53:
			views.add(f.someone(f.some(4)), video, f.odd(asDate), f.IntN(5400), f.ip(), postcode, nil)
			continue
		}
		views.add(f.maybe(f.some(4), 20), video, f.write(asDate, day), f.IntN(5400), f.ip(), postcode, nil)
	}
}

func (f *filler) conservatoireUndecided() {
	people := f.some(4)
	jobs := f.table("applications", "person_id", "position", "letter", "received_at")
	mails := f.table("contact_messages", "person_id", "email", "body", "received_at")
	files := f.table("uploads", "person_id", "path", "uploaded_at")
	defer jobs.close()
	defer mails.close()
	defer files.close()
	for i := range f.some(40) {
		id := f.someone(people)
		jobs.add(id, f.pick("Régisseur|Bibliothécaire|Accompagnateur"), "Madame, Monsieur, …", f.clock(asUTC, 24))
		mails.add(f.maybe(people, 50), f.person(id).email, "Bonjour, …", f.clock(asUTC, 12))
		files.add(id, fmt.Sprintf("uploads/%06d.pdf", i), f.clock(asUTC, 36))
	}
}

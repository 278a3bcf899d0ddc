package main

import "fmt"

// fillCartesia fills customer relations and registrations.
func fillCartesia(f *filler) {
	f.cartesiaProspects()
	f.cartesiaRegistrations()
	f.cartesiaOthers()
}

// prospects writes a prospect with its contacts and, for some, the file of a
// reduction.
type prospects struct {
	*filler
	people, contacts, files, documents *writer
	file                               int64
}

func (p *prospects) prospect(id int64, created any) {
	w := p.person(id)
	p.people.add(id, w.civility, w.last, w.first, w.email, w.phone, w.address, w.postcode, w.city,
		p.pick("Médecine|Droit|Sciences Po|Ingénieur"), created)
}

func (p *prospects) contact(id int64, direction string, at any) {
	p.contacts.add(id, direction, p.pick("email|téléphone|formulaire"), p.pick("Question|Rappel|Résultats|Inscription"), at)
}

// ask submits a reduction file: the prospect makes a contact by it.
func (p *prospects) ask(id int64, at any) int64 {
	p.file++
	p.files.add(p.file, id, 900_000+p.IntN(3_000_000), p.pick("0bis|1|2|3|4|5|6|7"), at)
	p.contact(id, "inbound", at)
	for _, kind := range []string{"avis_imposition", "notification_bourse", "piece_identite"} {
		if p.chance(70) {
			path := fmt.Sprintf("egalite/%06d/%s.pdf", p.file, kind)
			p.documents.add(p.file, id, kind, path, at)
			p.keep(piecesOf, path, document(kind))
		}
	}
	return p.file
}

func (f *filler) cartesiaProspects() {
	p := &prospects{
		filler: f,
		people: f.table("prospects", "id", "civility", "last_name", "first_name", "email", "phone", "address", "postcode",
			"city", "training", "created_at"),
		contacts:  f.table("interactions", "prospect_id", "direction", "channel", "subject", "occurred_at"),
		files:     f.table("equal_opportunity_files", "id", "prospect_id", "reference_income_cents", "scholarship_level", "submitted_at"),
		documents: f.table("supporting_documents", "file_id", "prospect_id", "kind", "path", "uploaded_at"),
	}
	defer p.people.close()
	defer p.contacts.close()
	defer p.files.close()
	defer p.documents.close()
	p.stories()
	for i := range f.some(4) {
		p.ordinary(firstPerson + i)
	}
}

// stories are the prospects that show how the last contact is found.
func (p *prospects) stories() {
	at := func(months int) any { return p.write(asUTC, p.ago(months, 5)) }
	p.prospect(disputedID, at(60))
	p.contact(disputedID, "inbound", at(50))
	p.ask(disputedID, at(49))
	p.story("prospects", disputedID, "last contact four years ago, but the person is in a dispute: held, with everything that hangs on it")
	p.prospect(21, at(60))
	p.contact(21, "inbound", at(48))
	p.contact(21, "outbound", at(1))
	p.story("prospects", 21, "we wrote last month, but the prospect's own last contact is four years old: due")
	p.prospect(22, at(60))
	p.contact(22, "inbound", at(0))
	p.story("prospects", 22, "created five years ago, called last week: active")
	p.prospect(23, at(55))
	p.contact(23, "inbound", at(40))
	file := p.ask(23, at(41))
	p.story("prospects", 23, "became a student: the prospect is due, the registration keeps its own clock")
	p.story("egalite_des_chances", file, "tax notice and identity document of an applicant who became a student: due with the same last contact")
	p.prospect(24, at(60))
	p.contact(24, "inbound", "n/a")
	p.story("prospects", 24, "a contact whose date cannot be read: unresolved, never acted on")
	due, active := p.border(36)
	p.prospect(25, p.write(asUTC, due))
	p.prospect(26, p.write(asUTC, active))
	p.story("prospects", 25, "never heard of since, three years ended last: due")
	p.story("prospects", 26, "one day later than prospect 25: active")
}

// ordinary makes a prospect with one to seven contacts, the last of them long
// ago for some four in ten.
func (p *prospects) ordinary(id int64) {
	from, to := p.ago(36, -3), p.asOf
	if p.chance(42) {
		from, to = p.ago(36+48, 0), p.ago(36, 3)
	}
	created := p.within(from, to)
	if p.chance(3) {
		p.prospect(id, p.clock(asUTC, 36))
	} else {
		p.prospect(id, p.write(asUTC, created))
	}
	for range 1 + p.IntN(7) {
		switch n := p.IntN(400); {
		case n < 1:
			p.contact(id, "inbound", p.odd(asUTC))
		case n < 3:
			p.contact(id, "inbound", nil)
		case n < 200:
			p.contact(id, "outbound", p.write(asUTC, p.within(created, p.asOf)))
		default:
			p.contact(id, "inbound", p.write(asUTC, p.within(created, to)))
		}
	}
	if p.chance(20) {
		p.ask(id, p.write(asUTC, p.within(created, to)))
	}
}

func (f *filler) cartesiaRegistrations() {
	trainings := f.table("trainings", "id", "title")
	for i, t := range []string{"Médecine", "Droit", "Sciences Po", "Ingénieur"} {
		trainings.add(i+1, t)
	}
	trainings.close()
	contracts := f.table("registrations", "id", "student_id", "payer_id", "training_id", "civility", "last_name", "first_name",
		"email", "phone", "address", "price_cents", "signed_on", "contract_ended_on")
	parts := f.table("installments", "registration_id", "due_on", "paid_on", "amount_cents")
	defer contracts.close()
	defer parts.close()
	add := func(id, student, payer int64, ended any) {
		p, signed, cents := f.person(student), f.within(f.ago(12*14, 0), f.ago(12*11, 0)), 60_000+f.IntN(400_000)
		contracts.add(id, student, payer, 1+f.IntN(4), p.civility, p.last, p.first, p.email, p.phone, p.address,
			cents, f.write(asDate, signed), ended)
		for n := range 1 + f.IntN(4) {
			day := f.write(asDate, signed.AddDate(0, n, 0))
			parts.add(id, day, day, cents/4)
		}
	}
	add(1, 27, disputedID, f.write(asDate, f.ago(12*10+4, 0)))
	f.story("inscriptions", 1, "ten years are over; the student is not in the dispute, but who paid is: held")
	add(2, 23, 23, nil)
	f.story("inscriptions", 2, "the contract of prospect 23 still runs: open")
	due, active := f.border(120)
	add(3, 28, 28, f.write(asDate, due))
	add(4, 28, 28, f.write(asDate, active))
	f.story("inscriptions", 3, "ten years ended last, and the row was never archived: a person must approve")
	f.story("inscriptions", 4, "one day later than registration 3: only its archive is due")
	people := f.some(4)
	for i := range f.some(5) {
		student := f.someone(people)
		payer := student
		if f.chance(30) {
			payer = f.someone(people)
		}
		add(100+i, student, payer, f.contractEnd())
	}
}

// contractEnd is NULL for most, past for four in ten, over ten years for a few.
func (f *filler) contractEnd() any {
	switch p := f.IntN(100); {
	case p < 50:
		return nil
	case p < 53:
		return f.odd(asDate)
	case p < 56:
		return f.write(asDate, f.within(f.asOf, f.asOf.AddDate(1, 0, 0)))
	case p < 63:
		return f.write(asDate, f.within(f.ago(12*13, 0), f.ago(121, 0)))
	}
	return f.write(asDate, f.within(f.ago(119, 0), f.ago(0, 2)))
}

func (f *filler) cartesiaOthers() {
	people := f.some(4)
	cookies := f.table("cookies", "id", "person_id", "purpose", "created_at")
	accounts := f.table("student_accounts", "person_id", "login", "created_at", "last_login_at")
	opposed := f.table("phone_opposition", "phone", "registered_on")
	defer cookies.close()
	defer accounts.close()
	defer opposed.close()
	cookies.add("c-disputed", disputedID, "audience", f.ago(20, 0).Unix())
	for i := range f.some(4) {
		cookies.add(fmt.Sprintf("c-%08x-%06d", f.Uint32(), i), f.maybe(people, 50), f.pick("nécessaire|audience|publicité"), f.clock(asUnix, 13))
	}
	f.story("cookies", "c-disputed", "a text key; overdue, and held for the dispute")
	for i := range f.some(10) {
		accounts.add(f.someone(people), fmt.Sprint("eleve", i), f.clock(asUTC, 36), f.write(asUTC, f.within(f.ago(30, 0), f.asOf)))
	}
	for i := range min(f.some(50), 9_999) {
		opposed.add(fmt.Sprintf("+33 6 39 98 %02d %02d", i/100, i%100), f.write(asDate, f.within(f.ago(90, 0), f.asOf)))
	}
}

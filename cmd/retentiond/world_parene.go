package main

import "fmt"

// fillParene fills the learning platform and its request desk.
func fillParene(f *filler) {
	f.pareneAccounts()
	f.pareneRequests()
	f.pareneInvoices()
	f.pareneUndecided()
}

func (f *filler) pareneAccounts() {
	accounts := f.table("accounts", "id", "person_id", "last_name", "first_name", "email", "created_at", "last_login_at", "erasure_granted_at")
	terms := f.table("account_agreements", "account_id", "document", "accepted_at")
	defer accounts.close()
	defer terms.close()
	add := func(id, person int64, erased any) {
		p, created := f.person(person), f.within(f.ago(12*9, 0), f.ago(12*6, 0))
		accounts.add(id, person, p.last, p.first, p.email, f.write(asUTC, created), f.write(asUTC, f.within(created, f.asOf)), erased)
		for n := range 1 + f.IntN(2) {
			terms.add(id, fmt.Sprintf("CGU %d", 2019+n), f.write(asUTC, created.AddDate(n, 0, 0)))
		}
	}
	add(1, disputedID, f.write(asUTC, f.ago(3, 0)))
	f.story("comptes", 1, "erasure was granted, then came the dispute: held, it is not even archived")
	add(2, 31, f.write(asUTC, f.ago(2, 0)))
	f.story("comptes", 2, "erasure granted: kept as proof in the archive, with a reason and an end")
	add(3, 32, nil)
	f.story("comptes", 3, "no erasure was asked for: open (the text gives accounts no period)")
	for i := range f.some(4) {
		add(100+i, firstPerson+i, f.erasure())
	}
}

// erasure is NULL for most accounts.
func (f *filler) erasure() any {
	switch p := f.IntN(100); {
	case p < 60:
		return nil
	case p < 62:
		return f.odd(asUTC)
	case p < 68:
		return f.write(asUTC, f.within(f.ago(12*7, 0), f.ago(61, 0)))
	}
	return f.write(asUTC, f.within(f.ago(59, 0), f.ago(0, 2)))
}

func (f *filler) pareneRequests() {
	requests := f.table("rights_requests", "id", "person_id", "kind", "received_on", "closed_at", "answer")
	copies := f.table("identity_copies", "request_id", "path", "received_on")
	defer requests.close()
	defer copies.close()
	add := func(id, person int64, closed any, identified bool) {
		day := f.write(asDate, f.within(f.ago(12*11, 0), f.ago(12*10, 0)))
		requests.add(id, person, f.pick("accès|rectification|effacement|opposition|portabilité"), day, closed, "Réponse envoyée.")
		if identified {
			copies.add(id, fmt.Sprintf("identites/%06d.pdf", id), day)
		}
	}
	add(1, disputedID, f.write(asLocal, f.ago(12*7, 0)), true)
	f.story("demandes_droits", 1, "six years are over, but the person is in a dispute: held, the identity copy too")
	due, active := f.border(72)
	add(2, 33, f.write(asLocal, due), true)
	add(3, 33, f.write(asLocal, active), true)
	f.story("demandes_droits", 2, "six years from the closing ended last: due, and the identity copy goes along")
	f.story("demandes_droits", 3, "closed one day later than request 2: active")
	add(4, 34, nil, true)
	f.story("demandes_droits", 4, "received ten years ago and never closed: open, someone should look")
	for i := range f.some(10) {
		add(100+i, f.someone(f.some(4)), f.ended(asLocal, 72, 10), f.chance(60))
	}
}

func (f *filler) pareneInvoices() {
	invoices := f.table("invoices", "id", "person_id", "number", "amount_cents", "issued_on", "erasure_granted_at")
	defer invoices.close()
	add := func(id, person int64, issued, erased any) {
		invoices.add(id, person, fmt.Sprintf("F-%07d", id), 1_000+f.IntN(90_000), issued, erased)
	}
	granted := f.write(asUTC, f.ago(2, 0))
	add(1, disputedID, f.write(asDate, f.ago(12*11, 0)), granted)
	f.story("factures", 1, "erasure granted and ten years over, but the person is in a dispute: held")
	add(2, 31, f.write(asDate, f.ago(12*4, 0)), granted)
	f.story("factures", 2, "erasure granted, but an accounting item of four years ago: protected by the legal minimum")
	add(3, 31, f.write(asDate, f.ago(12*11, 0)), granted)
	f.story("factures", 3, "erasure granted and the ten years over: due")
	add(4, 31, "n/a", granted)
	f.story("factures", 4, "erasure granted, date of issue unreadable: the unknown protects")
	for i := range f.some(3) {
		issued := f.write(asDate, f.within(f.ago(12*20, 0), f.ago(0, 10)))
		if f.chance(2) {
			issued = f.odd(asDate)
		}
		add(100+i, f.someone(f.some(4)), issued, f.ended(asUTC, 0, 40))
	}
}

func (f *filler) pareneUndecided() {
	people := f.some(4)
	resources := f.table("resources", "id", "title")
	for i := range 20 {
		resources.add(i+1, fmt.Sprintf("Ressource %d", i+1))
	}
	resources.close()
	activity := f.table("learning_activity", "person_id", "resource_id", "verb", "occurred_at")
	for range f.some(1) {
		activity.add(f.someone(people), 1+f.IntN(20), f.pick("ouvert|lu|terminé"), f.clock(asUTC, 36))
	}
	activity.close()
	profiles := f.table("profiles", "person_id", "nationality", "residence", "birth_date", "gender", "updated_at")
	details := f.table("connection_details", "person_id", "ip", "connected_at")
	cookies := f.table("cookies", "person_id", "name", "set_at")
	defer profiles.close()
	defer details.close()
	defer cookies.close()
	for i := range f.some(4) {
		p := f.person(firstPerson + i)
		profiles.add(firstPerson+i, f.pick("française|belge|marocaine|sénégalaise"), p.city, p.birth, f.pick("f|m|autre"), f.clock(asUTC, 36))
		details.add(f.maybe(people, 20), f.ip(), f.clock(asUTC, 12))
		cookies.add(f.maybe(people, 60), "session", f.clock(asUTC, 13))
	}
	partners := f.table("partner_contacts", "person_id", "organisation", "email", "since")
	defer partners.close()
	for range f.some(50) {
		id := f.someone(people)
		partners.add(id, f.pick("Éditions du Pont|Université de Loire|Lycée des Lilas"), f.person(id).email, f.clock(asDate, 60))
	}
}

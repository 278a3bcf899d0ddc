package main

import (
	"fmt"
	"time"
)

// fillWebinaire fills web conferences; a webinar and its session have one number.
func fillWebinaire(f *filler) {
	f.webinaireOrganisers()
	f.webinaireWebinars()
	f.webinaireLogs()
}

func (f *filler) webinaireOrganisers() {
	rows := f.table("organisers", "id", "last_name", "first_name", "email", "ministry", "created_at", "last_activity_at", "deactivated_at")
	defer rows.close()
	add := func(id int64, active, off any) {
		p := f.person(id)
		rows.add(id, p.last, p.first, p.email, f.pick("Culture|Éducation nationale|Intérieur|Santé"),
			f.write(asLocal, f.within(f.ago(12*6, 0), f.ago(12*5, 0))), active, off)
	}
	add(disputedID, f.write(asLocal, f.ago(20, 0)), nil)
	f.story("organisateurs", disputedID, "inactive for twenty months, but the person is in a dispute: held")
	add(61, f.write(asLocal, f.ago(0, 3)), f.write(asLocal, f.ago(0, 1)))
	f.story("organisateurs", 61, "active three days ago and deactivated yesterday: the earlier rule wins, due; the webinar stays, detached")
	due, active := f.border(12)
	add(62, f.write(asLocal, due), nil)
	add(63, f.write(asLocal, active), nil)
	f.story("organisateurs", 62, "twelve months of inactivity ended last: due")
	f.story("organisateurs", 63, "active one day later than organiser 62: stays")
	add(64, nil, nil)
	f.story("organisateurs", 64, "never active since the account was made: its creation counts")
	for i := range f.some(10) {
		add(firstPerson+i, f.ended(asLocal, 12, 3), f.deactivation())
	}
}

func (f *filler) deactivation() any {
	switch p := f.IntN(100); {
	case p < 88:
		return nil
	case p < 90:
		return f.odd(asLocal)
	}
	return f.write(asLocal, f.within(f.ago(30, 0), f.asOf))
}

// webinars writes webinars with all that hangs on them.
type webinars struct {
	*filler
	rows, sessions, recordings, chat, votes *writer
	recording                               int64
}

func (f *filler) webinaireWebinars() {
	w := &webinars{
		filler:     f,
		rows:       f.table("webinars", "id", "organiser_id", "title", "held_on"),
		sessions:   f.table("sessions", "id", "webinar_id", "started_at", "ended_at"),
		recordings: f.table("recordings", "id", "webinar_id", "path", "bytes", "uploaded_at"),
		chat:       f.table("chat_messages", "session_id", "person_id", "nickname", "body", "sent_at"),
		votes:      f.table("votes", "session_id", "ballot", "voter", "person_id", "choice", "cast_at"),
	}
	defer w.rows.close()
	defer w.sessions.close()
	defer w.recordings.close()
	defer w.chat.close()
	defer w.votes.close()
	w.stories()
	for i := range f.some(8) {
		w.ordinary(100 + i)
	}
}

func (w *webinars) hold(id int64, organiser, held any, start time.Time, ended any) {
	w.rows.add(id, organiser, fmt.Sprintf("Webinaire n° %d", id), held)
	w.sessions.add(id, id, w.write(asUTC, start), ended)
}

func (w *webinars) record(webinar int64, uploaded time.Time) int64 {
	w.recording++
	path, size := fmt.Sprintf("videos/%d.mp4", webinar), 2_000+w.IntN(6_000)
	w.recordings.add(w.recording, webinar, path, size, w.write(asUTC, uploaded))
	w.keep(videosOf, path, w.video(size))
	return w.recording
}

func (w *webinars) talk(session int64, person any, messages int, at time.Time) {
	for n := range messages {
		w.chat.add(session, person, w.pick("Camille|Léo|Invité|Agent 7"), w.pick("Bonjour|On ne vous entend pas|Merci !|Une question"),
			w.write(asUTC, at.Add(time.Duration(n)*time.Second)))
	}
}

func (w *webinars) vote(session int64, ballot int, person any, at time.Time) {
	w.votes.add(session, ballot, fmt.Sprintf("v%d", ballot), person, w.pick("oui|non|abstention"), w.write(asUTC, at))
}

func (w *webinars) stories() {
	hour := w.asOf.Add(-time.Hour)
	w.hold(1, int64(61), w.write(asDate, w.asOf), hour, nil)
	w.talk(1, nil, 20, hour)
	w.vote(1, 1, nil, hour)
	w.story("chat", 1, "the session is running: open")
	w.hold(2, int64(61), w.write(asDate, w.asOf), hour, w.write(asUTC, w.asOf.Add(-2*time.Minute)))
	w.talk(2, int64(65), 5, hour)
	w.vote(2, 1, int64(65), hour)
	w.story("chat", 21, "the session ended two minutes ago: due at once")
	w.story("votes", `[2,1,"v1"]`, "a composite key; its session ended two minutes ago: due at once")
	w.talk(2, int64(disputedID), 2, hour)
	w.vote(2, 2, int64(disputedID), hour)
	w.story("chat", 26, "the same session, but written by the person in the dispute: held")
	old := w.ago(20, 0)
	w.hold(3, int64(disputedID), w.write(asDate, old), old, w.write(asUTC, old.Add(time.Hour)))
	w.story("enregistrements", w.record(3, old), "the webinar was 20 months ago, but its organiser is in the dispute: held")
	w.hold(4, int64(62), w.write(asDate, w.ago(14, 0)), w.ago(14, 0), w.write(asUTC, w.ago(14, -1)))
	w.story("enregistrements", w.record(4, w.ago(1, 0)), "uploaded last month, but the webinar was 14 months ago: due")
	w.hold(5, int64(63), "n/a", w.ago(14, 0), w.write(asUTC, w.ago(14, -1)))
	w.story("enregistrements", w.record(5, w.ago(14, 0)), "the webinar's date cannot be read: unresolved, never acted on")
}

// ordinary makes a webinar, years of backlog included; a few are running now.
func (w *webinars) ordinary(id int64) {
	organiser := any(firstPerson + w.Int64N(w.some(10)))
	if w.chance(5) {
		organiser = nil
	}
	held := w.ended(asDate, 12, 2)
	start := w.within(w.ago(48, 0), w.ago(0, 1))
	ended := w.write(asUTC, start.Add(90*time.Minute))
	switch p := w.IntN(100); {
	case p < 35: // now running
		start, ended = w.asOf.Add(-time.Duration(1+w.IntN(100))*time.Minute), nil
	case p < 38:
		ended = w.odd(asUTC)
	case p < 55: // the end was agreed in advance, and is still to come
		start, ended = w.asOf.Add(-time.Hour), w.write(asUTC, w.asOf.Add(time.Hour))
	}
	w.hold(id, organiser, held, start, ended)
	if w.chance(75) {
		w.record(id, start.Add(2*time.Hour))
	}
	w.talk(id, w.maybe(w.some(4), 40), 1+w.IntN(7), start)
	w.vote(id, 1, w.maybe(w.some(4), 40), start)
}

func (f *filler) webinaireLogs() {
	logs := f.table("access_logs", "person_id", "ip", "path", "logged_at")
	cookies := f.table("auth_cookies", "person_id", "issued_at")
	defer logs.close()
	defer cookies.close()
	due, active := f.border(12)
	logs.add(disputedID, f.ip(), "/salle/3", f.ago(20, 0).Unix())
	logs.add(66, f.ip(), "/", due.Unix())
	logs.add(66, f.ip(), "/", active.Unix())
	f.story("journaux", 1, "overdue, and held for the dispute")
	f.story("journaux", 2, "the twelve months, minimum and maximum, ended last: due")
	f.story("journaux", 3, "one day later than entry 2: must stay until the end of the day")
	for range f.some(1) {
		logs.add(f.maybe(f.some(4), 20), f.ip(), f.pick("/|/salle/1|/salle/2|/api/join"), f.clock(asUnix, 12))
	}
	for range f.some(20) {
		cookies.add(f.someone(f.some(4)), f.clock(asUTC, 1))
	}
}

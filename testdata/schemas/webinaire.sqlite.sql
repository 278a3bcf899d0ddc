-- Webinaire: web conferences of the civil service.
-- Schema of the system that policies/ready/webinaire.yaml governs, for SQLite.
-- Organisers carry naive Paris time, sessions and chat UTC instants in ISO 8601 with Z, access
-- logs unix seconds, and the date of a webinar is a DATE.

-- Accounts of organisers. id is the person's number, the same in every system.
CREATE TABLE organisers (
    id               INTEGER PRIMARY KEY,
    last_name        TEXT NOT NULL,
    first_name       TEXT NOT NULL,
    email            TEXT NOT NULL,
    ministry         TEXT,
    created_at       TEXT NOT NULL,
    last_activity_at TEXT,
    deactivated_at   TEXT
);
CREATE INDEX organisers_created_at_idx ON organisers (created_at);
CREATE INDEX organisers_last_activity_at_idx ON organisers (last_activity_at);
CREATE INDEX organisers_deactivated_at_idx ON organisers (deactivated_at);

-- Webinars; organiser_id becomes NULL when the organiser's account goes.
CREATE TABLE webinars (
    id           INTEGER PRIMARY KEY,
    organiser_id INTEGER,
    title        TEXT NOT NULL,
    held_on      DATE,
    FOREIGN KEY (organiser_id) REFERENCES organisers (id) ON DELETE SET NULL
);
CREATE INDEX webinars_organiser_id_idx ON webinars (organiser_id);
CREATE INDEX webinars_held_on_idx ON webinars (held_on);

-- Sessions of a webinar; ended_at is NULL while one is running.
CREATE TABLE sessions (
    id         INTEGER PRIMARY KEY,
    webinar_id INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    ended_at   TEXT,
    FOREIGN KEY (webinar_id) REFERENCES webinars (id)
);
CREATE INDEX sessions_webinar_id_idx ON sessions (webinar_id);
CREATE INDEX sessions_ended_at_idx ON sessions (ended_at);

-- Video recordings; path leads to the file, which is called as its webinar is numbered: videos/4.mp4.
-- uploaded_at is not the date that counts.
CREATE TABLE recordings (
    id          INTEGER PRIMARY KEY,
    webinar_id  INTEGER NOT NULL,
    path        TEXT NOT NULL,
    bytes       INTEGER NOT NULL,
    uploaded_at TEXT NOT NULL,
    FOREIGN KEY (webinar_id) REFERENCES webinars (id)
);
CREATE INDEX recordings_webinar_id_idx ON recordings (webinar_id);

-- Chat of a session.
CREATE TABLE chat_messages (
    id         INTEGER PRIMARY KEY,
    session_id INTEGER NOT NULL,
    person_id  INTEGER,
    nickname   TEXT NOT NULL,
    body       TEXT NOT NULL,
    sent_at    TEXT NOT NULL,
    FOREIGN KEY (session_id) REFERENCES sessions (id)
);
CREATE INDEX chat_messages_session_id_idx ON chat_messages (session_id);
CREATE INDEX chat_messages_person_id_idx ON chat_messages (person_id);

-- Votes of a session.
CREATE TABLE votes (
    session_id INTEGER NOT NULL,
    ballot     INTEGER NOT NULL,
    voter      TEXT NOT NULL,
    person_id  INTEGER,
    choice     TEXT NOT NULL,
    cast_at    TEXT NOT NULL,
    PRIMARY KEY (session_id, ballot, voter),
    FOREIGN KEY (session_id) REFERENCES sessions (id)
);
CREATE INDEX votes_person_id_idx ON votes (person_id);

-- Connection data of the service.
CREATE TABLE access_logs (
    id        INTEGER PRIMARY KEY,
    person_id INTEGER,
    ip        TEXT NOT NULL,
    path      TEXT,
    logged_at INTEGER NOT NULL
);
CREATE INDEX access_logs_logged_at_idx ON access_logs (logged_at);
CREATE INDEX access_logs_person_id_idx ON access_logs (person_id);

-- Authentication cookies of the service.
CREATE TABLE auth_cookies (
    id        INTEGER PRIMARY KEY,
    person_id INTEGER NOT NULL,
    issued_at TEXT NOT NULL
);
CREATE INDEX auth_cookies_person_id_idx ON auth_cookies (person_id);

-- Conservatoire: public site, ticket office and newsletter.
-- Schema of the system that policies/ready/conservatoire.yaml governs, for SQLite.
-- UTC instants are TEXT in ISO 8601 with Z, civil dates are DATE, cookies carry naive Paris
-- time, and the ticket office writes unix seconds. An amount is in cents.

-- Identification data. id is the person's number, the same in every system.
CREATE TABLE people (
    id                 INTEGER PRIMARY KEY,
    last_name          TEXT NOT NULL,
    first_name         TEXT NOT NULL,
    birth_date         DATE,
    phone              TEXT,
    address            TEXT,
    postcode           TEXT,
    city               TEXT,
    service_started_on DATE NOT NULL,
    service_ended_on   DATE
);
CREATE INDEX people_service_ended_on_idx ON people (service_ended_on);

-- The parent who consented for a pupil under 15; guardian_id is a person too.
CREATE TABLE guardians (
    id               INTEGER PRIMARY KEY,
    person_id        INTEGER NOT NULL,
    guardian_id      INTEGER,
    last_name        TEXT NOT NULL,
    first_name       TEXT NOT NULL,
    email            TEXT,
    consent_given_at TEXT NOT NULL,
    FOREIGN KEY (person_id) REFERENCES people (id)
);
CREATE INDEX guardians_person_id_idx ON guardians (person_id);
CREATE INDEX guardians_guardian_id_idx ON guardians (guardian_id);

-- Accounts of the site.
CREATE TABLE accounts (
    id            INTEGER PRIMARY KEY,
    person_id     INTEGER NOT NULL,
    login         TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_at    TEXT NOT NULL,
    last_login_at TEXT,
    deleted_at    TEXT
);
CREATE INDEX accounts_person_id_idx ON accounts (person_id);
CREATE INDEX accounts_deleted_at_idx ON accounts (deleted_at);

-- One address, one or two purposes: technical messages (account_id), newsletter (newsletter_since).
CREATE TABLE email_addresses (
    id               INTEGER PRIMARY KEY,
    person_id        INTEGER,
    account_id       INTEGER,
    email            TEXT NOT NULL,
    newsletter_since TEXT,
    newsletter_until TEXT,
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);
CREATE INDEX email_addresses_person_id_idx ON email_addresses (person_id);
CREATE INDEX email_addresses_account_id_idx ON email_addresses (account_id);
CREATE INDEX email_addresses_newsletter_until_idx ON email_addresses (newsletter_until);

-- Purchases and donations paid online. completed_at is NULL until the transaction has ended.
CREATE TABLE transactions (
    id           INTEGER PRIMARY KEY,
    person_id    INTEGER NOT NULL,
    reference    TEXT NOT NULL UNIQUE,
    kind         TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    iban         TEXT,
    card_last4   TEXT,
    card_code    TEXT,
    started_at   INTEGER NOT NULL,
    completed_at INTEGER
);
CREATE INDEX transactions_completed_at_idx ON transactions (completed_at);
CREATE INDEX transactions_person_id_idx ON transactions (person_id);

-- Accounting items; the transaction is named by its reference, which outlives it.
CREATE TABLE accounting_entries (
    id           INTEGER PRIMARY KEY,
    person_id    INTEGER,
    reference    TEXT NOT NULL,
    label        TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    completed_on DATE NOT NULL
);
CREATE INDEX accounting_entries_completed_on_idx ON accounting_entries (completed_on);
CREATE INDEX accounting_entries_person_id_idx ON accounting_entries (person_id);

-- Connection data.
CREATE TABLE connection_logs (
    id         INTEGER PRIMARY KEY,
    person_id  INTEGER,
    ip         TEXT NOT NULL,
    user_agent TEXT,
    path       TEXT,
    logged_at  TEXT NOT NULL
);
CREATE INDEX connection_logs_logged_at_idx ON connection_logs (logged_at);
CREATE INDEX connection_logs_person_id_idx ON connection_logs (person_id);

-- Cookies as the consent server recorded them.
CREATE TABLE cookies (
    id           INTEGER PRIMARY KEY,
    person_id    INTEGER,
    visitor      TEXT NOT NULL,
    name         TEXT NOT NULL,
    set_at       TEXT NOT NULL,
    last_seen_at TEXT
);
CREATE INDEX cookies_set_at_idx ON cookies (set_at);
CREATE INDEX cookies_person_id_idx ON cookies (person_id);

-- Catalogue of videos.
CREATE TABLE videos (
    id           INTEGER PRIMARY KEY,
    title        TEXT NOT NULL,
    published_on DATE NOT NULL
);

-- Individual views; anonymised_at marks those that are only statistics.
CREATE TABLE video_views (
    id            INTEGER PRIMARY KEY,
    person_id     INTEGER,
    video_id      INTEGER NOT NULL,
    watched_on    DATE NOT NULL,
    seconds       INTEGER NOT NULL,
    ip            TEXT,
    postcode      TEXT,
    anonymised_at TEXT,
    FOREIGN KEY (video_id) REFERENCES videos (id)
);
CREATE INDEX video_views_watched_on_idx ON video_views (watched_on);
CREATE INDEX video_views_person_id_idx ON video_views (person_id);
CREATE INDEX video_views_video_id_idx ON video_views (video_id);

-- Job applications received through the site.
CREATE TABLE applications (
    id          INTEGER PRIMARY KEY,
    person_id   INTEGER NOT NULL,
    position    TEXT NOT NULL,
    letter      TEXT,
    received_at TEXT NOT NULL
);
CREATE INDEX applications_person_id_idx ON applications (person_id);
CREATE INDEX applications_received_at_idx ON applications (received_at);

-- Messages of the contact form.
CREATE TABLE contact_messages (
    id          INTEGER PRIMARY KEY,
    person_id   INTEGER,
    email       TEXT NOT NULL,
    body        TEXT NOT NULL,
    received_at TEXT NOT NULL
);
CREATE INDEX contact_messages_person_id_idx ON contact_messages (person_id);
CREATE INDEX contact_messages_received_at_idx ON contact_messages (received_at);

-- Documents that users imported; path leads to the file.
CREATE TABLE uploads (
    id          INTEGER PRIMARY KEY,
    person_id   INTEGER NOT NULL,
    path        TEXT NOT NULL,
    uploaded_at TEXT NOT NULL
);
CREATE INDEX uploads_person_id_idx ON uploads (person_id);
CREATE INDEX uploads_uploaded_at_idx ON uploads (uploaded_at);

-- Cartesia: customer relations and registrations.
-- Schema of the system that policies/ready/cartesia.yaml governs, for SQLite.
-- UTC instants are TEXT in ISO 8601 with Z, civil dates are DATE, cookies carry unix seconds.

-- Prospects. id is the person's number, the same in every system.
CREATE TABLE prospects (
    id         INTEGER PRIMARY KEY,
    civility   TEXT,
    last_name  TEXT NOT NULL,
    first_name TEXT NOT NULL,
    email      TEXT NOT NULL,
    phone      TEXT,
    address    TEXT,
    postcode   TEXT,
    city       TEXT,
    training   TEXT,
    created_at TEXT NOT NULL
);
CREATE INDEX prospects_created_at_idx ON prospects (created_at);

-- Contacts in both directions; only inbound ones are contacts by the prospect.
CREATE TABLE interactions (
    id          INTEGER PRIMARY KEY,
    prospect_id INTEGER NOT NULL,
    direction   TEXT NOT NULL,
    channel     TEXT NOT NULL,
    subject     TEXT,
    occurred_at TEXT,
    FOREIGN KEY (prospect_id) REFERENCES prospects (id) ON DELETE CASCADE
);
CREATE INDEX interactions_prospect_id_occurred_at_idx ON interactions (prospect_id, occurred_at);
CREATE INDEX interactions_occurred_at_idx ON interactions (occurred_at);

-- Requests for a reduction (programme « Égalité des chances »).
CREATE TABLE equal_opportunity_files (
    id                     INTEGER PRIMARY KEY,
    prospect_id            INTEGER NOT NULL,
    reference_income_cents INTEGER,
    scholarship_level      TEXT,
    submitted_at           TEXT NOT NULL,
    FOREIGN KEY (prospect_id) REFERENCES prospects (id) ON DELETE RESTRICT
);
CREATE INDEX equal_opportunity_files_prospect_id_idx ON equal_opportunity_files (prospect_id);
CREATE INDEX equal_opportunity_files_submitted_at_idx ON equal_opportunity_files (submitted_at);

-- Tax notices, scholarship notices, identity documents; path leads to the file, prospect_id to
-- whom it is about: once the row is gone, nothing else would tell.
CREATE TABLE supporting_documents (
    id          INTEGER PRIMARY KEY,
    file_id     INTEGER NOT NULL,
    prospect_id INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    path        TEXT NOT NULL,
    uploaded_at TEXT NOT NULL,
    FOREIGN KEY (file_id) REFERENCES equal_opportunity_files (id) ON DELETE CASCADE
);
CREATE INDEX supporting_documents_file_id_idx ON supporting_documents (file_id);
CREATE INDEX supporting_documents_prospect_id_idx ON supporting_documents (prospect_id);
CREATE INDEX supporting_documents_path_idx ON supporting_documents (path);
CREATE INDEX supporting_documents_uploaded_at_idx ON supporting_documents (uploaded_at);

-- Catalogue of trainings.
CREATE TABLE trainings (
    id    INTEGER PRIMARY KEY,
    title TEXT NOT NULL
);

-- Registrations: who learns, and who pays. contract_ended_on is NULL until the contract has ended.
CREATE TABLE registrations (
    id                INTEGER PRIMARY KEY,
    student_id        INTEGER NOT NULL,
    payer_id          INTEGER NOT NULL,
    training_id       INTEGER NOT NULL,
    civility          TEXT,
    last_name         TEXT NOT NULL,
    first_name        TEXT NOT NULL,
    email             TEXT NOT NULL,
    phone             TEXT,
    address           TEXT,
    price_cents       INTEGER NOT NULL,
    signed_on         DATE NOT NULL,
    contract_ended_on DATE,
    FOREIGN KEY (training_id) REFERENCES trainings (id)
);
CREATE INDEX registrations_contract_ended_on_idx ON registrations (contract_ended_on);
CREATE INDEX registrations_student_id_idx ON registrations (student_id);
CREATE INDEX registrations_payer_id_idx ON registrations (payer_id);
CREATE INDEX registrations_training_id_idx ON registrations (training_id);

-- Payments of a registration.
CREATE TABLE installments (
    id              INTEGER PRIMARY KEY,
    registration_id INTEGER NOT NULL,
    due_on          DATE NOT NULL,
    paid_on         DATE,
    amount_cents    INTEGER NOT NULL,
    FOREIGN KEY (registration_id) REFERENCES registrations (id)
);
CREATE INDEX installments_registration_id_idx ON installments (registration_id);

-- Accounts « élève » of the learning platforms.
CREATE TABLE student_accounts (
    id            INTEGER PRIMARY KEY,
    person_id     INTEGER NOT NULL,
    login         TEXT NOT NULL UNIQUE,
    created_at    TEXT NOT NULL,
    last_login_at TEXT
);
CREATE INDEX student_accounts_person_id_idx ON student_accounts (person_id);

-- Cookies as the consent server recorded them; the key is the visitor's token.
CREATE TABLE cookies (
    id         TEXT NOT NULL PRIMARY KEY,
    person_id  INTEGER,
    purpose    TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX cookies_created_at_idx ON cookies (created_at);
CREATE INDEX cookies_person_id_idx ON cookies (person_id);

-- Opposition list for telephone canvassing.
CREATE TABLE phone_opposition (
    id            INTEGER PRIMARY KEY,
    phone         TEXT NOT NULL UNIQUE,
    registered_on DATE NOT NULL
);

-- PARENE: learning platform and rights requests.
-- Schema of the system that policies/ready/parene.yaml governs, for SQLite.
-- UTC instants are TEXT in ISO 8601 with Z, civil dates are DATE, the request desk writes naive
-- Paris time.

-- Accounts of the platform; erasure_granted_at is when an erasure request was granted.
CREATE TABLE accounts (
    id                 INTEGER PRIMARY KEY,
    person_id          INTEGER NOT NULL,
    last_name          TEXT NOT NULL,
    first_name         TEXT NOT NULL,
    email              TEXT NOT NULL,
    created_at         TEXT NOT NULL,
    last_login_at      TEXT,
    erasure_granted_at TEXT
);
CREATE INDEX accounts_person_id_idx ON accounts (person_id);
CREATE INDEX accounts_erasure_granted_at_idx ON accounts (erasure_granted_at);

-- Proof of the terms that the account's holder accepted.
CREATE TABLE account_agreements (
    id          INTEGER PRIMARY KEY,
    account_id  INTEGER NOT NULL,
    document    TEXT NOT NULL,
    accepted_at TEXT NOT NULL,
    FOREIGN KEY (account_id) REFERENCES accounts (id)
);
CREATE INDEX account_agreements_account_id_idx ON account_agreements (account_id);

-- Nationality, residence, birth and gender.
CREATE TABLE profiles (
    person_id   INTEGER PRIMARY KEY,
    nationality TEXT,
    residence   TEXT,
    birth_date  DATE,
    gender      TEXT,
    updated_at  TEXT NOT NULL
);

-- Requests by which people exercise their rights; closed_at is NULL while one is being handled.
CREATE TABLE rights_requests (
    id          INTEGER PRIMARY KEY,
    person_id   INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    received_on DATE NOT NULL,
    closed_at   TEXT,
    answer      TEXT
);
CREATE INDEX rights_requests_closed_at_idx ON rights_requests (closed_at);
CREATE INDEX rights_requests_person_id_idx ON rights_requests (person_id);

-- Copies of identity documents sent with a request; path leads to the file.
CREATE TABLE identity_copies (
    id          INTEGER PRIMARY KEY,
    request_id  INTEGER NOT NULL,
    path        TEXT,
    received_on DATE NOT NULL,
    FOREIGN KEY (request_id) REFERENCES rights_requests (id)
);
CREATE INDEX identity_copies_request_id_idx ON identity_copies (request_id);

-- Invoices; erasure_granted_at is stamped when their holder's erasure is granted.
CREATE TABLE invoices (
    id                 INTEGER PRIMARY KEY,
    person_id          INTEGER NOT NULL,
    number             TEXT NOT NULL UNIQUE,
    amount_cents       INTEGER NOT NULL,
    issued_on          DATE NOT NULL,
    erasure_granted_at TEXT
);
CREATE INDEX invoices_erasure_granted_at_idx ON invoices (erasure_granted_at);
CREATE INDEX invoices_issued_on_idx ON invoices (issued_on);
CREATE INDEX invoices_person_id_idx ON invoices (person_id);

-- Catalogue of learning resources.
CREATE TABLE resources (
    id    INTEGER PRIMARY KEY,
    title TEXT NOT NULL
);

-- What learners did with the resources.
CREATE TABLE learning_activity (
    id          INTEGER PRIMARY KEY,
    person_id   INTEGER NOT NULL,
    resource_id INTEGER NOT NULL,
    verb        TEXT NOT NULL,
    occurred_at TEXT NOT NULL,
    FOREIGN KEY (resource_id) REFERENCES resources (id)
);
CREATE INDEX learning_activity_person_id_idx ON learning_activity (person_id);
CREATE INDEX learning_activity_resource_id_idx ON learning_activity (resource_id);
CREATE INDEX learning_activity_occurred_at_idx ON learning_activity (occurred_at);

-- IP addresses and connection details.
CREATE TABLE connection_details (
    id           INTEGER PRIMARY KEY,
    person_id    INTEGER,
    ip           TEXT NOT NULL,
    connected_at TEXT NOT NULL
);
CREATE INDEX connection_details_person_id_idx ON connection_details (person_id);
CREATE INDEX connection_details_connected_at_idx ON connection_details (connected_at);

-- Cookies and web beacons.
CREATE TABLE cookies (
    id        INTEGER PRIMARY KEY,
    person_id INTEGER,
    name      TEXT NOT NULL,
    set_at    TEXT NOT NULL
);
CREATE INDEX cookies_person_id_idx ON cookies (person_id);
CREATE INDEX cookies_set_at_idx ON cookies (set_at);

-- People at customers, suppliers and partners.
CREATE TABLE partner_contacts (
    id           INTEGER PRIMARY KEY,
    person_id    INTEGER NOT NULL,
    organisation TEXT NOT NULL,
    email        TEXT NOT NULL,
    since        DATE NOT NULL
);
CREATE INDEX partner_contacts_person_id_idx ON partner_contacts (person_id);

-- Cned: enrolments, learning space and surveys.
-- Schema of the system that policies/ready/cned.yaml governs, for SQLite.
-- UTC instants are TEXT in ISO 8601 with Z, civil dates are DATE, cookies carry unix seconds.
-- purpose_ended_on is when the service closed the file: the end of the necessary period.

-- Requests for information and brochures by prospects.
CREATE TABLE information_requests (
    id               INTEGER PRIMARY KEY,
    person_id        INTEGER NOT NULL,
    email            TEXT NOT NULL,
    question         TEXT,
    received_at      TEXT NOT NULL,
    purpose_ended_on DATE
);
CREATE INDEX information_requests_purpose_ended_on_idx ON information_requests (purpose_ended_on);
CREATE INDEX information_requests_person_id_idx ON information_requests (person_id);

-- Customer accounts.
CREATE TABLE customer_accounts (
    id            INTEGER PRIMARY KEY,
    person_id     INTEGER NOT NULL,
    login         TEXT NOT NULL UNIQUE,
    created_at    TEXT NOT NULL,
    last_login_at TEXT
);
CREATE INDEX customer_accounts_person_id_idx ON customer_accounts (person_id);

-- Catalogue of courses.
CREATE TABLE courses (
    id    INTEGER PRIMARY KEY,
    title TEXT NOT NULL
);

-- Enrolments: who learns, who ordered, and which employer, if any, pays. Health data is in two columns.
CREATE TABLE enrolments (
    id                       INTEGER PRIMARY KEY,
    learner_id               INTEGER NOT NULL,
    client_id                INTEGER NOT NULL,
    employer_id              INTEGER,
    course_id                INTEGER NOT NULL,
    last_name                TEXT NOT NULL,
    first_name               TEXT NOT NULL,
    family_situation         TEXT,
    curriculum               TEXT,
    tax_income_cents         INTEGER,
    disability_note          TEXT,
    medical_certificate_path TEXT,
    health_needed_until      DATE,
    enrolled_on              DATE NOT NULL,
    purpose_ended_on         DATE,
    FOREIGN KEY (course_id) REFERENCES courses (id)
);
CREATE INDEX enrolments_purpose_ended_on_idx ON enrolments (purpose_ended_on);
CREATE INDEX enrolments_health_needed_until_idx ON enrolments (health_needed_until);
CREATE INDEX enrolments_learner_id_idx ON enrolments (learner_id);
CREATE INDEX enrolments_client_id_idx ON enrolments (client_id);
CREATE INDEX enrolments_employer_id_idx ON enrolments (employer_id);
CREATE INDEX enrolments_course_id_idx ON enrolments (course_id);

-- Marked work of an enrolment.
CREATE TABLE assignments (
    id           INTEGER PRIMARY KEY,
    enrolment_id INTEGER NOT NULL,
    title        TEXT NOT NULL,
    grade        INTEGER,
    submitted_at TEXT NOT NULL,
    FOREIGN KEY (enrolment_id) REFERENCES enrolments (id) ON DELETE CASCADE
);
CREATE INDEX assignments_enrolment_id_idx ON assignments (enrolment_id);
CREATE INDEX assignments_submitted_at_idx ON assignments (submitted_at);

-- End-of-course reviews; anonymised_at marks those that are only statistics.
CREATE TABLE course_reviews (
    id               INTEGER PRIMARY KEY,
    learner_id       INTEGER,
    course_id        INTEGER NOT NULL,
    birth_year       INTEGER,
    score            INTEGER NOT NULL,
    remarks          TEXT,
    submitted_on     DATE NOT NULL,
    purpose_ended_on DATE,
    anonymised_at    TEXT,
    FOREIGN KEY (course_id) REFERENCES courses (id)
);
CREATE INDEX course_reviews_purpose_ended_on_idx ON course_reviews (purpose_ended_on);
CREATE INDEX course_reviews_learner_id_idx ON course_reviews (learner_id);
CREATE INDEX course_reviews_course_id_idx ON course_reviews (course_id);

-- Payments (cheques, cards, transfers).
CREATE TABLE payments (
    id               INTEGER PRIMARY KEY,
    person_id        INTEGER NOT NULL,
    enrolment_number INTEGER,
    method           TEXT NOT NULL,
    amount_cents     INTEGER NOT NULL,
    paid_on          DATE NOT NULL
);
CREATE INDEX payments_person_id_idx ON payments (person_id);
CREATE INDEX payments_paid_on_idx ON payments (paid_on);

-- Unpaid bills and disputes.
CREATE TABLE unpaid_cases (
    id           INTEGER PRIMARY KEY,
    person_id    INTEGER NOT NULL,
    amount_cents INTEGER NOT NULL,
    opened_on    DATE NOT NULL,
    closed_on    DATE
);
CREATE INDEX unpaid_cases_person_id_idx ON unpaid_cases (person_id);

-- Cookies as the consent server recorded them; session_ended_at only for session cookies.
CREATE TABLE cookies (
    id               INTEGER PRIMARY KEY,
    person_id        INTEGER,
    kind             TEXT NOT NULL,
    set_at           INTEGER NOT NULL,
    session_ended_at INTEGER
);
CREATE INDEX cookies_set_at_idx ON cookies (set_at);
CREATE INDEX cookies_session_ended_at_idx ON cookies (session_ended_at);
CREATE INDEX cookies_person_id_idx ON cookies (person_id);

-- Suppliers of third-party services; contract_ended_on is NULL while their contract runs.
CREATE TABLE suppliers (
    id                INTEGER PRIMARY KEY,
    name              TEXT NOT NULL,
    contract_ended_on DATE
);

-- Learners' data at a supplier, and the results it sent back.
CREATE TABLE supplier_accounts (
    id             INTEGER PRIMARY KEY,
    person_id      INTEGER NOT NULL,
    supplier_id    INTEGER NOT NULL,
    external_login TEXT NOT NULL,
    results        TEXT,
    created_at     TEXT NOT NULL,
    FOREIGN KEY (supplier_id) REFERENCES suppliers (id)
);
CREATE INDEX supplier_accounts_person_id_idx ON supplier_accounts (person_id);
CREATE INDEX supplier_accounts_supplier_id_idx ON supplier_accounts (supplier_id);

-- Forums and internal messages of the learning space.
CREATE TABLE learning_space_messages (
    id        INTEGER PRIMARY KEY,
    person_id INTEGER NOT NULL,
    body      TEXT NOT NULL,
    sent_at   TEXT NOT NULL
);
CREATE INDEX learning_space_messages_person_id_idx ON learning_space_messages (person_id);
CREATE INDEX learning_space_messages_sent_at_idx ON learning_space_messages (sent_at);

-- Connection data (category E).
CREATE TABLE connection_logs (
    id        INTEGER PRIMARY KEY,
    person_id INTEGER,
    ip        TEXT NOT NULL,
    logged_at TEXT NOT NULL
);
CREATE INDEX connection_logs_person_id_idx ON connection_logs (person_id);
CREATE INDEX connection_logs_logged_at_idx ON connection_logs (logged_at);

-- Testimonials, published with consent.
CREATE TABLE testimonials (
    id           INTEGER PRIMARY KEY,
    person_id    INTEGER NOT NULL,
    body         TEXT NOT NULL,
    consented_on DATE NOT NULL,
    withdrawn_on DATE
);
CREATE INDEX testimonials_person_id_idx ON testimonials (person_id);

-- Cned: enrolments, learning space and surveys.
-- Schema of the system that policies/ready/cned.yaml governs, for MariaDB.
-- UTC instants are TIMESTAMP, cookies carry unix seconds.
-- purpose_ended_on is when the service closed the file: the end of the necessary period.

-- Requests for information and brochures by prospects.
CREATE TABLE information_requests (
    id               BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id        BIGINT NOT NULL,
    email            VARCHAR(254) NOT NULL,
    question         TEXT,
    received_at      TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    purpose_ended_on DATE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX information_requests_purpose_ended_on_idx ON information_requests (purpose_ended_on);
CREATE INDEX information_requests_person_id_idx ON information_requests (person_id);

-- Customer accounts.
CREATE TABLE customer_accounts (
    id            BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id     BIGINT NOT NULL,
    login         VARCHAR(190) NOT NULL UNIQUE,
    created_at    TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_login_at TIMESTAMP NULL DEFAULT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX customer_accounts_person_id_idx ON customer_accounts (person_id);

-- Catalogue of courses.
CREATE TABLE courses (
    id    BIGINT PRIMARY KEY,
    title VARCHAR(200) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- Enrolments: who learns, who ordered, and which employer, if any, pays. Health data is in two columns.
CREATE TABLE enrolments (
    id                       BIGINT AUTO_INCREMENT PRIMARY KEY,
    learner_id               BIGINT NOT NULL,
    client_id                BIGINT NOT NULL,
    employer_id              BIGINT,
    course_id                BIGINT NOT NULL,
    last_name                VARCHAR(120) NOT NULL,
    first_name               VARCHAR(120) NOT NULL,
    family_situation         VARCHAR(60),
    curriculum               VARCHAR(200),
    tax_income_cents         BIGINT,
    disability_note          TEXT,
    medical_certificate_path VARCHAR(255),
    health_needed_until      DATE,
    enrolled_on              DATE NOT NULL,
    purpose_ended_on         DATE,
    CONSTRAINT enrolments_course_id_fk FOREIGN KEY (course_id) REFERENCES courses (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX enrolments_purpose_ended_on_idx ON enrolments (purpose_ended_on);
CREATE INDEX enrolments_health_needed_until_idx ON enrolments (health_needed_until);
CREATE INDEX enrolments_learner_id_idx ON enrolments (learner_id);
CREATE INDEX enrolments_client_id_idx ON enrolments (client_id);
CREATE INDEX enrolments_employer_id_idx ON enrolments (employer_id);
CREATE INDEX enrolments_course_id_idx ON enrolments (course_id);

-- Marked work of an enrolment.
CREATE TABLE assignments (
    id           BIGINT AUTO_INCREMENT PRIMARY KEY,
    enrolment_id BIGINT NOT NULL,
    title        VARCHAR(120) NOT NULL,
    grade        SMALLINT,
    submitted_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT assignments_enrolment_id_fk FOREIGN KEY (enrolment_id) REFERENCES enrolments (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX assignments_enrolment_id_idx ON assignments (enrolment_id);
CREATE INDEX assignments_submitted_at_idx ON assignments (submitted_at);

-- End-of-course reviews; anonymised_at marks those that are only statistics.
CREATE TABLE course_reviews (
    id               BIGINT AUTO_INCREMENT PRIMARY KEY,
    learner_id       BIGINT,
    course_id        BIGINT NOT NULL,
    birth_year       SMALLINT,
    score            SMALLINT NOT NULL,
    remarks          TEXT,
    submitted_on     DATE NOT NULL,
    purpose_ended_on DATE,
    anonymised_at    TIMESTAMP NULL DEFAULT NULL,
    CONSTRAINT course_reviews_course_id_fk FOREIGN KEY (course_id) REFERENCES courses (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX course_reviews_purpose_ended_on_idx ON course_reviews (purpose_ended_on);
CREATE INDEX course_reviews_learner_id_idx ON course_reviews (learner_id);
CREATE INDEX course_reviews_course_id_idx ON course_reviews (course_id);

-- Payments (cheques, cards, transfers).
CREATE TABLE payments (
    id               BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id        BIGINT NOT NULL,
    enrolment_number BIGINT,
    method           VARCHAR(20) NOT NULL,
    amount_cents     BIGINT NOT NULL,
    paid_on          DATE NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX payments_person_id_idx ON payments (person_id);
CREATE INDEX payments_paid_on_idx ON payments (paid_on);

-- Unpaid bills and disputes.
CREATE TABLE unpaid_cases (
    id           BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id    BIGINT NOT NULL,
    amount_cents BIGINT NOT NULL,
    opened_on    DATE NOT NULL,
    closed_on    DATE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX unpaid_cases_person_id_idx ON unpaid_cases (person_id);

-- Cookies as the consent server recorded them; session_ended_at only for session cookies.
CREATE TABLE cookies (
    id               BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id        BIGINT,
    kind             VARCHAR(20) NOT NULL,
    set_at           BIGINT NOT NULL,
    session_ended_at BIGINT
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX cookies_set_at_idx ON cookies (set_at);
CREATE INDEX cookies_session_ended_at_idx ON cookies (session_ended_at);
CREATE INDEX cookies_person_id_idx ON cookies (person_id);

-- Suppliers of third-party services; contract_ended_on is NULL while their contract runs.
CREATE TABLE suppliers (
    id                BIGINT PRIMARY KEY,
    name              VARCHAR(120) NOT NULL,
    contract_ended_on DATE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- Learners' data at a supplier, and the results it sent back.
CREATE TABLE supplier_accounts (
    id             BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id      BIGINT NOT NULL,
    supplier_id    BIGINT NOT NULL,
    external_login VARCHAR(190) NOT NULL,
    results        TEXT,
    created_at     TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT supplier_accounts_supplier_id_fk FOREIGN KEY (supplier_id) REFERENCES suppliers (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX supplier_accounts_person_id_idx ON supplier_accounts (person_id);
CREATE INDEX supplier_accounts_supplier_id_idx ON supplier_accounts (supplier_id);

-- Forums and internal messages of the learning space.
CREATE TABLE learning_space_messages (
    id        BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id BIGINT NOT NULL,
    body      TEXT NOT NULL,
    sent_at   TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX learning_space_messages_person_id_idx ON learning_space_messages (person_id);
CREATE INDEX learning_space_messages_sent_at_idx ON learning_space_messages (sent_at);

-- Connection data (category E).
CREATE TABLE connection_logs (
    id        BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id BIGINT,
    ip        VARCHAR(45) NOT NULL,
    logged_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX connection_logs_person_id_idx ON connection_logs (person_id);
CREATE INDEX connection_logs_logged_at_idx ON connection_logs (logged_at);

-- Testimonials, published with consent.
CREATE TABLE testimonials (
    id           BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id    BIGINT NOT NULL,
    body         TEXT NOT NULL,
    consented_on DATE NOT NULL,
    withdrawn_on DATE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX testimonials_person_id_idx ON testimonials (person_id);

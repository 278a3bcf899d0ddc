-- Cartesia: customer relations and registrations.
-- Schema of the system that policies/ready/cartesia.yaml governs, for MariaDB.
-- UTC instants are TIMESTAMP, cookies carry unix seconds.

-- Prospects. id is the person's number, the same in every system.
CREATE TABLE prospects (
    id         BIGINT PRIMARY KEY,
    civility   VARCHAR(10),
    last_name  VARCHAR(120) NOT NULL,
    first_name VARCHAR(120) NOT NULL,
    email      VARCHAR(254) NOT NULL,
    phone      VARCHAR(30),
    address    VARCHAR(200),
    postcode   VARCHAR(10),
    city       VARCHAR(100),
    training   VARCHAR(120),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX prospects_created_at_idx ON prospects (created_at);

-- Contacts in both directions; only inbound ones are contacts by the prospect.
CREATE TABLE interactions (
    id          BIGINT AUTO_INCREMENT PRIMARY KEY,
    prospect_id BIGINT NOT NULL,
    direction   VARCHAR(10) NOT NULL,
    channel     VARCHAR(20) NOT NULL,
    subject     VARCHAR(200),
    occurred_at TIMESTAMP NULL DEFAULT NULL,
    CONSTRAINT interactions_prospect_id_fk FOREIGN KEY (prospect_id) REFERENCES prospects (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX interactions_prospect_id_occurred_at_idx ON interactions (prospect_id, occurred_at);
CREATE INDEX interactions_occurred_at_idx ON interactions (occurred_at);

-- Requests for a reduction (programme « Égalité des chances »).
CREATE TABLE equal_opportunity_files (
    id                     BIGINT AUTO_INCREMENT PRIMARY KEY,
    prospect_id            BIGINT NOT NULL,
    reference_income_cents BIGINT,
    scholarship_level      VARCHAR(10),
    submitted_at           TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT equal_opportunity_files_prospect_id_fk FOREIGN KEY (prospect_id) REFERENCES prospects (id) ON DELETE RESTRICT
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX equal_opportunity_files_prospect_id_idx ON equal_opportunity_files (prospect_id);
CREATE INDEX equal_opportunity_files_submitted_at_idx ON equal_opportunity_files (submitted_at);

-- Tax notices, scholarship notices, identity documents; path leads to the file, prospect_id to
-- whom it is about: once the row is gone, nothing else would tell.
CREATE TABLE supporting_documents (
    id          BIGINT AUTO_INCREMENT PRIMARY KEY,
    file_id     BIGINT NOT NULL,
    prospect_id BIGINT NOT NULL,
    kind        VARCHAR(30) NOT NULL,
    path        VARCHAR(255) NOT NULL,
    uploaded_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT supporting_documents_file_id_fk FOREIGN KEY (file_id) REFERENCES equal_opportunity_files (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX supporting_documents_file_id_idx ON supporting_documents (file_id);
CREATE INDEX supporting_documents_prospect_id_idx ON supporting_documents (prospect_id);
CREATE INDEX supporting_documents_path_idx ON supporting_documents (path);
CREATE INDEX supporting_documents_uploaded_at_idx ON supporting_documents (uploaded_at);

-- Catalogue of trainings.
CREATE TABLE trainings (
    id    BIGINT PRIMARY KEY,
    title VARCHAR(200) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- Registrations: who learns, and who pays. contract_ended_on is NULL until the contract has ended.
CREATE TABLE registrations (
    id                BIGINT AUTO_INCREMENT PRIMARY KEY,
    student_id        BIGINT NOT NULL,
    payer_id          BIGINT NOT NULL,
    training_id       BIGINT NOT NULL,
    civility          VARCHAR(10),
    last_name         VARCHAR(120) NOT NULL,
    first_name        VARCHAR(120) NOT NULL,
    email             VARCHAR(254) NOT NULL,
    phone             VARCHAR(30),
    address           VARCHAR(200),
    price_cents       BIGINT NOT NULL,
    signed_on         DATE NOT NULL,
    contract_ended_on DATE,
    CONSTRAINT registrations_training_id_fk FOREIGN KEY (training_id) REFERENCES trainings (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX registrations_contract_ended_on_idx ON registrations (contract_ended_on);
CREATE INDEX registrations_student_id_idx ON registrations (student_id);
CREATE INDEX registrations_payer_id_idx ON registrations (payer_id);
CREATE INDEX registrations_training_id_idx ON registrations (training_id);

-- Payments of a registration.
CREATE TABLE installments (
    id              BIGINT AUTO_INCREMENT PRIMARY KEY,
    registration_id BIGINT NOT NULL,
    due_on          DATE NOT NULL,
    paid_on         DATE,
    amount_cents    BIGINT NOT NULL,
    CONSTRAINT installments_registration_id_fk FOREIGN KEY (registration_id) REFERENCES registrations (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX installments_registration_id_idx ON installments (registration_id);

-- Accounts « élève » of the learning platforms.
CREATE TABLE student_accounts (
    id            BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id     BIGINT NOT NULL,
    login         VARCHAR(190) NOT NULL UNIQUE,
    created_at    TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_login_at TIMESTAMP NULL DEFAULT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX student_accounts_person_id_idx ON student_accounts (person_id);

-- Cookies as the consent server recorded them; the key is the visitor's token.
CREATE TABLE cookies (
    id         VARCHAR(40) PRIMARY KEY,
    person_id  BIGINT,
    purpose    VARCHAR(30) NOT NULL,
    created_at BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX cookies_created_at_idx ON cookies (created_at);
CREATE INDEX cookies_person_id_idx ON cookies (person_id);

-- Opposition list for telephone canvassing.
CREATE TABLE phone_opposition (
    id            BIGINT AUTO_INCREMENT PRIMARY KEY,
    phone         VARCHAR(30) NOT NULL UNIQUE,
    registered_on DATE NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- PARENE: learning platform and rights requests.
-- Schema of the system that policies/ready/parene.yaml governs, for MariaDB.
-- UTC instants are TIMESTAMP, the request desk writes naive Paris time (DATETIME).

-- Accounts of the platform; erasure_granted_at is when an erasure request was granted.
CREATE TABLE accounts (
    id                 BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id          BIGINT NOT NULL,
    last_name          VARCHAR(120) NOT NULL,
    first_name         VARCHAR(120) NOT NULL,
    email              VARCHAR(254) NOT NULL,
    created_at         TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_login_at      TIMESTAMP NULL DEFAULT NULL,
    erasure_granted_at TIMESTAMP NULL DEFAULT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX accounts_person_id_idx ON accounts (person_id);
CREATE INDEX accounts_erasure_granted_at_idx ON accounts (erasure_granted_at);

-- Proof of the terms that the account's holder accepted.
CREATE TABLE account_agreements (
    id          BIGINT AUTO_INCREMENT PRIMARY KEY,
    account_id  BIGINT NOT NULL,
    document    VARCHAR(120) NOT NULL,
    accepted_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT account_agreements_account_id_fk FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX account_agreements_account_id_idx ON account_agreements (account_id);

-- Nationality, residence, birth and gender.
CREATE TABLE profiles (
    person_id   BIGINT PRIMARY KEY,
    nationality VARCHAR(60),
    residence   VARCHAR(100),
    birth_date  DATE,
    gender      VARCHAR(20),
    updated_at  TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- Requests by which people exercise their rights; closed_at is NULL while one is being handled.
CREATE TABLE rights_requests (
    id          BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id   BIGINT NOT NULL,
    kind        VARCHAR(30) NOT NULL,
    received_on DATE NOT NULL,
    closed_at   DATETIME,
    answer      TEXT
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX rights_requests_closed_at_idx ON rights_requests (closed_at);
CREATE INDEX rights_requests_person_id_idx ON rights_requests (person_id);

-- Copies of identity documents sent with a request; path leads to the file.
CREATE TABLE identity_copies (
    id          BIGINT AUTO_INCREMENT PRIMARY KEY,
    request_id  BIGINT NOT NULL,
    path        VARCHAR(255),
    received_on DATE NOT NULL,
    CONSTRAINT identity_copies_request_id_fk FOREIGN KEY (request_id) REFERENCES rights_requests (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX identity_copies_request_id_idx ON identity_copies (request_id);

-- Invoices; erasure_granted_at is stamped when their holder's erasure is granted.
CREATE TABLE invoices (
    id                 BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id          BIGINT NOT NULL,
    number             VARCHAR(40) NOT NULL UNIQUE,
    amount_cents       BIGINT NOT NULL,
    issued_on          DATE NOT NULL,
    erasure_granted_at TIMESTAMP NULL DEFAULT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX invoices_erasure_granted_at_idx ON invoices (erasure_granted_at);
CREATE INDEX invoices_issued_on_idx ON invoices (issued_on);
CREATE INDEX invoices_person_id_idx ON invoices (person_id);

-- Catalogue of learning resources.
CREATE TABLE resources (
    id    BIGINT PRIMARY KEY,
    title VARCHAR(200) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- What learners did with the resources.
CREATE TABLE learning_activity (
    id          BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id   BIGINT NOT NULL,
    resource_id BIGINT NOT NULL,
    verb        VARCHAR(20) NOT NULL,
    occurred_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT learning_activity_resource_id_fk FOREIGN KEY (resource_id) REFERENCES resources (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX learning_activity_person_id_idx ON learning_activity (person_id);
CREATE INDEX learning_activity_resource_id_idx ON learning_activity (resource_id);
CREATE INDEX learning_activity_occurred_at_idx ON learning_activity (occurred_at);

-- IP addresses and connection details.
CREATE TABLE connection_details (
    id           BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id    BIGINT,
    ip           VARCHAR(45) NOT NULL,
    connected_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX connection_details_person_id_idx ON connection_details (person_id);
CREATE INDEX connection_details_connected_at_idx ON connection_details (connected_at);

-- Cookies and web beacons.
CREATE TABLE cookies (
    id        BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id BIGINT,
    name      VARCHAR(60) NOT NULL,
    set_at    TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX cookies_person_id_idx ON cookies (person_id);
CREATE INDEX cookies_set_at_idx ON cookies (set_at);

-- People at customers, suppliers and partners.
CREATE TABLE partner_contacts (
    id           BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id    BIGINT NOT NULL,
    organisation VARCHAR(120) NOT NULL,
    email        VARCHAR(254) NOT NULL,
    since        DATE NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX partner_contacts_person_id_idx ON partner_contacts (person_id);

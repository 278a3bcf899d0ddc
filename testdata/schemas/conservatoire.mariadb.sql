-- Conservatoire: public site, ticket office and newsletter.
-- Schema of the system that policies/ready/conservatoire.yaml governs, for MariaDB.
-- UTC instants are TIMESTAMP, cookies carry naive Paris time (DATETIME), and the ticket
-- office writes unix seconds. An amount is in cents.

-- Identification data. id is the person's number, the same in every system.
CREATE TABLE people (
    id                 BIGINT PRIMARY KEY,
    last_name          VARCHAR(120) NOT NULL,
    first_name         VARCHAR(120) NOT NULL,
    birth_date         DATE,
    phone              VARCHAR(30),
    address            VARCHAR(200),
    postcode           VARCHAR(10),
    city               VARCHAR(100),
    service_started_on DATE NOT NULL,
    service_ended_on   DATE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX people_service_ended_on_idx ON people (service_ended_on);

-- The parent who consented for a pupil under 15; guardian_id is a person too.
CREATE TABLE guardians (
    id               BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id        BIGINT NOT NULL,
    guardian_id      BIGINT,
    last_name        VARCHAR(120) NOT NULL,
    first_name       VARCHAR(120) NOT NULL,
    email            VARCHAR(254),
    consent_given_at DATETIME NOT NULL,
    CONSTRAINT guardians_person_id_fk FOREIGN KEY (person_id) REFERENCES people (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX guardians_person_id_idx ON guardians (person_id);
CREATE INDEX guardians_guardian_id_idx ON guardians (guardian_id);

-- Accounts of the site.
CREATE TABLE accounts (
    id            BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id     BIGINT NOT NULL,
    login         VARCHAR(190) NOT NULL UNIQUE,
    password_hash VARCHAR(255) NOT NULL,
    created_at    TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_login_at TIMESTAMP NULL DEFAULT NULL,
    deleted_at    TIMESTAMP NULL DEFAULT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX accounts_person_id_idx ON accounts (person_id);
CREATE INDEX accounts_deleted_at_idx ON accounts (deleted_at);

-- One address, one or two purposes: technical messages (account_id), newsletter (newsletter_since).
CREATE TABLE email_addresses (
    id               BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id        BIGINT,
    account_id       BIGINT,
    email            VARCHAR(254) NOT NULL,
    newsletter_since TIMESTAMP NULL DEFAULT NULL,
    newsletter_until TIMESTAMP NULL DEFAULT NULL,
    CONSTRAINT email_addresses_account_id_fk FOREIGN KEY (account_id) REFERENCES accounts (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX email_addresses_person_id_idx ON email_addresses (person_id);
CREATE INDEX email_addresses_account_id_idx ON email_addresses (account_id);
CREATE INDEX email_addresses_newsletter_until_idx ON email_addresses (newsletter_until);

-- Purchases and donations paid online. completed_at is NULL until the transaction has ended.
CREATE TABLE transactions (
    id           BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id    BIGINT NOT NULL,
    reference    VARCHAR(40) NOT NULL UNIQUE,
    kind         VARCHAR(20) NOT NULL,
    amount_cents BIGINT NOT NULL,
    iban         VARCHAR(34),
    card_last4   VARCHAR(4),
    card_code    VARCHAR(4),
    started_at   BIGINT NOT NULL,
    completed_at BIGINT
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX transactions_completed_at_idx ON transactions (completed_at);
CREATE INDEX transactions_person_id_idx ON transactions (person_id);

-- Accounting items; the transaction is named by its reference, which outlives it.
CREATE TABLE accounting_entries (
    id           BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id    BIGINT,
    reference    VARCHAR(40) NOT NULL,
    label        VARCHAR(200) NOT NULL,
    amount_cents BIGINT NOT NULL,
    completed_on DATE NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX accounting_entries_completed_on_idx ON accounting_entries (completed_on);
CREATE INDEX accounting_entries_person_id_idx ON accounting_entries (person_id);

-- Connection data.
CREATE TABLE connection_logs (
    id         BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id  BIGINT,
    ip         VARCHAR(45) NOT NULL,
    user_agent VARCHAR(255),
    path       VARCHAR(255),
    logged_at  TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX connection_logs_logged_at_idx ON connection_logs (logged_at);
CREATE INDEX connection_logs_person_id_idx ON connection_logs (person_id);

-- Cookies as the consent server recorded them.
CREATE TABLE cookies (
    id           BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id    BIGINT,
    visitor      VARCHAR(64) NOT NULL,
    name         VARCHAR(60) NOT NULL,
    set_at       DATETIME NOT NULL,
    last_seen_at DATETIME
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX cookies_set_at_idx ON cookies (set_at);
CREATE INDEX cookies_person_id_idx ON cookies (person_id);

-- Catalogue of videos.
CREATE TABLE videos (
    id           BIGINT PRIMARY KEY,
    title        VARCHAR(200) NOT NULL,
    published_on DATE NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- Individual views; anonymised_at marks those that are only statistics.
CREATE TABLE video_views (
    id            BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id     BIGINT,
    video_id      BIGINT NOT NULL,
    watched_on    DATE NOT NULL,
    seconds       INT NOT NULL,
    ip            VARCHAR(45),
    postcode      VARCHAR(10),
    anonymised_at TIMESTAMP NULL DEFAULT NULL,
    CONSTRAINT video_views_video_id_fk FOREIGN KEY (video_id) REFERENCES videos (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX video_views_watched_on_idx ON video_views (watched_on);
CREATE INDEX video_views_person_id_idx ON video_views (person_id);
CREATE INDEX video_views_video_id_idx ON video_views (video_id);

-- Job applications received through the site.
CREATE TABLE applications (
    id          BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id   BIGINT NOT NULL,
    position    VARCHAR(120) NOT NULL,
    letter      TEXT,
    received_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX applications_person_id_idx ON applications (person_id);
CREATE INDEX applications_received_at_idx ON applications (received_at);

-- Messages of the contact form.
CREATE TABLE contact_messages (
    id          BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id   BIGINT,
    email       VARCHAR(254) NOT NULL,
    body        TEXT NOT NULL,
    received_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX contact_messages_person_id_idx ON contact_messages (person_id);
CREATE INDEX contact_messages_received_at_idx ON contact_messages (received_at);

-- Documents that users imported; path leads to the file.
CREATE TABLE uploads (
    id          BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id   BIGINT NOT NULL,
    path        VARCHAR(255) NOT NULL,
    uploaded_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX uploads_person_id_idx ON uploads (person_id);
CREATE INDEX uploads_uploaded_at_idx ON uploads (uploaded_at);

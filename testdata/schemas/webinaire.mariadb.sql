-- Webinaire: web conferences of the civil service.
-- Schema of the system that policies/ready/webinaire.yaml governs, for MariaDB.
-- Organisers carry naive Paris time (DATETIME), sessions and chat TIMESTAMP, access logs unix
-- seconds, and the date of a webinar is a DATE.

-- Accounts of organisers. id is the person's number, the same in every system.
CREATE TABLE organisers (
    id               BIGINT PRIMARY KEY,
    last_name        VARCHAR(120) NOT NULL,
    first_name       VARCHAR(120) NOT NULL,
    email            VARCHAR(254) NOT NULL,
    ministry         VARCHAR(120),
    created_at       DATETIME NOT NULL,
    last_activity_at DATETIME,
    deactivated_at   DATETIME
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX organisers_created_at_idx ON organisers (created_at);
CREATE INDEX organisers_last_activity_at_idx ON organisers (last_activity_at);
CREATE INDEX organisers_deactivated_at_idx ON organisers (deactivated_at);

-- Webinars; organiser_id becomes NULL when the organiser's account goes.
CREATE TABLE webinars (
    id           BIGINT AUTO_INCREMENT PRIMARY KEY,
    organiser_id BIGINT,
    title        VARCHAR(200) NOT NULL,
    held_on      DATE,
    CONSTRAINT webinars_organiser_id_fk FOREIGN KEY (organiser_id) REFERENCES organisers (id) ON DELETE SET NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX webinars_organiser_id_idx ON webinars (organiser_id);
CREATE INDEX webinars_held_on_idx ON webinars (held_on);

-- Sessions of a webinar; ended_at is NULL while one is running.
CREATE TABLE sessions (
    id         BIGINT AUTO_INCREMENT PRIMARY KEY,
    webinar_id BIGINT NOT NULL,
    started_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    ended_at   TIMESTAMP NULL DEFAULT NULL,
    CONSTRAINT sessions_webinar_id_fk FOREIGN KEY (webinar_id) REFERENCES webinars (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX sessions_webinar_id_idx ON sessions (webinar_id);
CREATE INDEX sessions_ended_at_idx ON sessions (ended_at);

-- Video recordings; path leads to the file, which is called as its webinar is numbered: videos/4.mp4.
-- uploaded_at is not the date that counts.
CREATE TABLE recordings (
    id          BIGINT AUTO_INCREMENT PRIMARY KEY,
    webinar_id  BIGINT NOT NULL,
    path        VARCHAR(255) NOT NULL,
    bytes       BIGINT NOT NULL,
    uploaded_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT recordings_webinar_id_fk FOREIGN KEY (webinar_id) REFERENCES webinars (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX recordings_webinar_id_idx ON recordings (webinar_id);

-- Chat of a session.
CREATE TABLE chat_messages (
    id         BIGINT AUTO_INCREMENT PRIMARY KEY,
    session_id BIGINT NOT NULL,
    person_id  BIGINT,
    nickname   VARCHAR(60) NOT NULL,
    body       TEXT NOT NULL,
    sent_at    TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT chat_messages_session_id_fk FOREIGN KEY (session_id) REFERENCES sessions (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX chat_messages_session_id_idx ON chat_messages (session_id);
CREATE INDEX chat_messages_person_id_idx ON chat_messages (person_id);

-- Votes of a session.
CREATE TABLE votes (
    session_id BIGINT NOT NULL,
    ballot     INT NOT NULL,
    voter      VARCHAR(60) NOT NULL,
    person_id  BIGINT,
    choice     VARCHAR(120) NOT NULL,
    cast_at    TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (session_id, ballot, voter),
    CONSTRAINT votes_session_id_fk FOREIGN KEY (session_id) REFERENCES sessions (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX votes_person_id_idx ON votes (person_id);

-- Connection data of the service.
CREATE TABLE access_logs (
    id        BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id BIGINT,
    ip        VARCHAR(45) NOT NULL,
    path      VARCHAR(255),
    logged_at BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX access_logs_logged_at_idx ON access_logs (logged_at);
CREATE INDEX access_logs_person_id_idx ON access_logs (person_id);

-- Authentication cookies of the service.
CREATE TABLE auth_cookies (
    id        BIGINT AUTO_INCREMENT PRIMARY KEY,
    person_id BIGINT NOT NULL,
    issued_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE INDEX auth_cookies_person_id_idx ON auth_cookies (person_id);

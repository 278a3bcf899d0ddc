-- +goose Up
-- The whole schema as SQLite's has it after its fourth migration; from here on both
-- go in step, number by number. Times are integer microseconds UTC, 0 is none; flags
-- are 0 or 1. Texts compare byte by byte, whatever the database's language is.
CREATE TABLE meta (name TEXT COLLATE "C" NOT NULL PRIMARY KEY, value TEXT COLLATE "C" NOT NULL);

CREATE TABLE policies (digest TEXT COLLATE "C" NOT NULL PRIMARY KEY, policy TEXT COLLATE "C" NOT NULL, body BYTEA NOT NULL, at BIGINT NOT NULL);
CREATE TABLE policy_now (policy TEXT COLLATE "C" NOT NULL PRIMARY KEY, digest TEXT COLLATE "C" NOT NULL);

CREATE TABLE sources (uuid TEXT COLLATE "C" NOT NULL PRIMARY KEY, name TEXT COLLATE "C" NOT NULL UNIQUE);
CREATE TABLE totals (source_uuid TEXT COLLATE "C" NOT NULL, tab TEXT COLLATE "C" NOT NULL, total BIGINT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (source_uuid, tab));

CREATE TABLE plans (id TEXT COLLATE "C" NOT NULL PRIMARY KEY, digest TEXT COLLATE "C" NOT NULL, made_at BIGINT NOT NULL, state TEXT COLLATE "C" NOT NULL,
  body BYTEA NOT NULL, decided_by TEXT COLLATE "C" NOT NULL DEFAULT '', reason TEXT COLLATE "C" NOT NULL DEFAULT '',
  decided_at BIGINT NOT NULL DEFAULT 0, until BIGINT NOT NULL DEFAULT 0);
CREATE TABLE spool_keys (plan TEXT COLLATE "C" NOT NULL PRIMARY KEY, secret BYTEA NOT NULL, at BIGINT NOT NULL);
CREATE TABLE spool (plan TEXT COLLATE "C" NOT NULL, step BIGINT NOT NULL, seq BIGINT NOT NULL, body BYTEA NOT NULL,
  PRIMARY KEY (plan, step, seq));
CREATE TABLE seen (policy TEXT COLLATE "C" NOT NULL, rule TEXT COLLATE "C" NOT NULL, meaning TEXT COLLATE "C" NOT NULL, fingerprint TEXT COLLATE "C" NOT NULL,
  approved BIGINT NOT NULL, ran_at BIGINT NOT NULL, complete BIGINT NOT NULL, PRIMARY KEY (policy, rule));

CREATE TABLE lease (name TEXT COLLATE "C" NOT NULL PRIMARY KEY, owner TEXT COLLATE "C" NOT NULL, process TEXT COLLATE "C" NOT NULL, attempt BIGINT NOT NULL,
  since BIGINT NOT NULL, until BIGINT NOT NULL);
CREATE INDEX lease_attempt ON lease (attempt);
CREATE TABLE runs (id TEXT COLLATE "C" NOT NULL PRIMARY KEY, plan TEXT COLLATE "C" NOT NULL, as_of BIGINT NOT NULL, started BIGINT NOT NULL,
  attempt BIGINT NOT NULL, actor TEXT COLLATE "C" NOT NULL, ended BIGINT NOT NULL DEFAULT 0, report BYTEA);
CREATE INDEX runs_started ON runs (started);

CREATE TABLE intents (id TEXT COLLATE "C" NOT NULL PRIMARY KEY, run TEXT COLLATE "C" NOT NULL, attempt BIGINT NOT NULL, source TEXT COLLATE "C" NOT NULL,
  source_uuid TEXT COLLATE "C" NOT NULL, policy TEXT COLLATE "C" NOT NULL, rule TEXT COLLATE "C" NOT NULL, stage BIGINT NOT NULL, action TEXT COLLATE "C" NOT NULL,
  tab TEXT COLLATE "C" NOT NULL, part TEXT COLLATE "C" NOT NULL DEFAULT '', planned BIGINT NOT NULL, at BIGINT NOT NULL, entry BIGINT NOT NULL,
  concluded BIGINT NOT NULL DEFAULT 0, settled BIGINT NOT NULL DEFAULT 0, outcome BYTEA, prune BIGINT NOT NULL DEFAULT 0);
CREATE INDEX intents_open ON intents (at) WHERE concluded = 0;
CREATE INDEX intents_prune ON intents (source_uuid, concluded) WHERE prune = 1;
CREATE INDEX intents_run ON intents (run);

CREATE TABLE holds (id TEXT COLLATE "C" NOT NULL PRIMARY KEY, seq BIGINT NOT NULL, matter TEXT COLLATE "C" NOT NULL, scopes BYTEA NOT NULL,
  scoped BIGINT NOT NULL, condition BYTEA, where_text TEXT COLLATE "C" NOT NULL, reason TEXT COLLATE "C" NOT NULL, placed_by TEXT COLLATE "C" NOT NULL,
  placed_at BIGINT NOT NULL, review TEXT COLLATE "C" NOT NULL, state TEXT COLLATE "C" NOT NULL, not_covered BYTEA NOT NULL, covers BYTEA NOT NULL,
  entry BIGINT NOT NULL, version BIGINT NOT NULL, in_force_at BIGINT NOT NULL DEFAULT 0,
  released_at BIGINT NOT NULL DEFAULT 0, released_by TEXT COLLATE "C" NOT NULL DEFAULT '', release_reason TEXT COLLATE "C" NOT NULL DEFAULT '',
  grace_until BIGINT NOT NULL DEFAULT 0);
CREATE INDEX holds_state ON holds (state, grace_until);
CREATE TABLE hold_subjects (hold TEXT COLLATE "C" NOT NULL, type TEXT COLLATE "C" NOT NULL, subject TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (hold, type, subject));
CREATE TABLE hold_sources (hold TEXT COLLATE "C" NOT NULL, source TEXT COLLATE "C" NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (hold, source));

-- One log a year. A dropped log keeps its row: its number of entries counts on.
CREATE TABLE audit_logs (log TEXT COLLATE "C" NOT NULL PRIMARY KEY, base BIGINT NOT NULL, size BIGINT NOT NULL, last_at BIGINT NOT NULL,
  mac BYTEA, secret BYTEA, dropped BIGINT NOT NULL DEFAULT 0);
CREATE TABLE audit_head (id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1), log TEXT COLLATE "C" NOT NULL);
CREATE TABLE audit_entries (log TEXT COLLATE "C" NOT NULL, n BIGINT NOT NULL, at BIGINT NOT NULL, kind TEXT COLLATE "C" NOT NULL, run TEXT COLLATE "C" NOT NULL,
  line BYTEA NOT NULL, PRIMARY KEY (log, n));
CREATE INDEX audit_entries_run ON audit_entries (run, log, n) WHERE run <> '';
CREATE INDEX audit_entries_holds ON audit_entries (log, n) WHERE kind IN ('hold.placed', 'hold.in_force', 'hold.released');
CREATE TABLE audit_hashes (log TEXT COLLATE "C" NOT NULL, idx BIGINT NOT NULL, hash BYTEA NOT NULL, PRIMARY KEY (log, idx));
CREATE TABLE audit_checkpoints (log TEXT COLLATE "C" NOT NULL, size BIGINT NOT NULL, root TEXT COLLATE "C" NOT NULL, note BYTEA NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (log, size));
CREATE TABLE audit_salts (log TEXT COLLATE "C" NOT NULL, digest TEXT COLLATE "C" NOT NULL, salt BYTEA NOT NULL, PRIMARY KEY (log, digest));

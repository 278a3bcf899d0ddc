-- +goose Up
-- Times are integer microseconds UTC; 0 is none.
CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE policies (digest TEXT NOT NULL PRIMARY KEY, policy TEXT NOT NULL, body BLOB NOT NULL, at BIGINT NOT NULL);
CREATE TABLE policy_now (policy TEXT NOT NULL PRIMARY KEY, digest TEXT NOT NULL);

CREATE TABLE sources (uuid TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE totals (source_uuid TEXT NOT NULL, tab TEXT NOT NULL, total BIGINT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (source_uuid, tab));

CREATE TABLE plans (id TEXT NOT NULL PRIMARY KEY, digest TEXT NOT NULL, made_at BIGINT NOT NULL, state TEXT NOT NULL,
  body BLOB NOT NULL, decided_by TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '',
  decided_at BIGINT NOT NULL DEFAULT 0, until BIGINT NOT NULL DEFAULT 0);
CREATE TABLE spool_keys (plan TEXT NOT NULL PRIMARY KEY, secret BLOB NOT NULL, at BIGINT NOT NULL);
CREATE TABLE spool (plan TEXT NOT NULL, step INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (plan, step, seq));
CREATE TABLE seen (policy TEXT NOT NULL, rule TEXT NOT NULL, meaning TEXT NOT NULL, fingerprint TEXT NOT NULL,
  approved INTEGER NOT NULL, ran_at BIGINT NOT NULL, complete INTEGER NOT NULL, PRIMARY KEY (policy, rule));

CREATE TABLE lease (name TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, process TEXT NOT NULL, attempt BIGINT NOT NULL,
  since BIGINT NOT NULL, until BIGINT NOT NULL);
CREATE TABLE runs (id TEXT NOT NULL PRIMARY KEY, plan TEXT NOT NULL, as_of BIGINT NOT NULL, started BIGINT NOT NULL,
  attempt BIGINT NOT NULL, actor TEXT NOT NULL, ended BIGINT NOT NULL DEFAULT 0, report BLOB);
CREATE INDEX runs_started ON runs (started);

CREATE TABLE intents (id TEXT NOT NULL PRIMARY KEY, run TEXT NOT NULL, attempt BIGINT NOT NULL, source TEXT NOT NULL,
  source_uuid TEXT NOT NULL, policy TEXT NOT NULL, rule TEXT NOT NULL, stage INTEGER NOT NULL, action TEXT NOT NULL,
  tab TEXT NOT NULL, planned BIGINT NOT NULL, at BIGINT NOT NULL, entry BIGINT NOT NULL,
  concluded BIGINT NOT NULL DEFAULT 0, settled INTEGER NOT NULL DEFAULT 0, outcome BLOB, prune INTEGER NOT NULL DEFAULT 0);
CREATE INDEX intents_open ON intents (at) WHERE concluded = 0;
CREATE INDEX intents_prune ON intents (source_uuid, concluded) WHERE prune = 1;
CREATE INDEX intents_run ON intents (run);

CREATE TABLE holds (id TEXT NOT NULL PRIMARY KEY, seq BIGINT NOT NULL, matter TEXT NOT NULL, scopes BLOB NOT NULL,
  scoped INTEGER NOT NULL, condition BLOB, where_text TEXT NOT NULL, reason TEXT NOT NULL, placed_by TEXT NOT NULL,
  placed_at BIGINT NOT NULL, review TEXT NOT NULL, state TEXT NOT NULL, not_covered BLOB NOT NULL, covers BLOB NOT NULL,
  entry BIGINT NOT NULL, version BIGINT NOT NULL, in_force_at BIGINT NOT NULL DEFAULT 0,
  released_at BIGINT NOT NULL DEFAULT 0, released_by TEXT NOT NULL DEFAULT '', release_reason TEXT NOT NULL DEFAULT '',
  grace_until BIGINT NOT NULL DEFAULT 0);
CREATE INDEX holds_state ON holds (state, grace_until);
CREATE TABLE hold_subjects (hold TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL,
  PRIMARY KEY (hold, type, subject)) WITHOUT ROWID;
CREATE TABLE hold_sources (hold TEXT NOT NULL, source TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (hold, source));

-- One log a year. A dropped log keeps its row: its number of entries counts on.
CREATE TABLE audit_logs (log TEXT NOT NULL PRIMARY KEY, base BIGINT NOT NULL, size BIGINT NOT NULL, last_at BIGINT NOT NULL,
  mac BLOB, secret BLOB, dropped INTEGER NOT NULL DEFAULT 0);
CREATE TABLE audit_head (id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1), log TEXT NOT NULL);
CREATE TABLE audit_entries (log TEXT NOT NULL, n BIGINT NOT NULL, at BIGINT NOT NULL, kind TEXT NOT NULL, run TEXT NOT NULL,
  line BLOB NOT NULL, PRIMARY KEY (log, n));
CREATE INDEX audit_entries_run ON audit_entries (run, log, n) WHERE run <> '';
CREATE TABLE audit_hashes (log TEXT NOT NULL, idx BIGINT NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (log, idx)) WITHOUT ROWID;
CREATE TABLE audit_checkpoints (log TEXT NOT NULL, size BIGINT NOT NULL, root TEXT NOT NULL, note BLOB NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (log, size));
CREATE TABLE audit_salts (log TEXT NOT NULL, digest TEXT NOT NULL, salt BLOB NOT NULL, PRIMARY KEY (log, digest));

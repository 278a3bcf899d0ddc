-- +goose Up
-- Until when the slots of each rule set were fired, and when one of them was last claimed.
CREATE TABLE schedules (policy TEXT NOT NULL, rule_set TEXT NOT NULL, fired BIGINT NOT NULL, claimed BIGINT NOT NULL DEFAULT 0,
  retired BIGINT NOT NULL DEFAULT 0, PRIMARY KEY (policy, rule_set));
CREATE TABLE slots (policy TEXT NOT NULL, rule_set TEXT NOT NULL, slot BIGINT NOT NULL, zone TEXT NOT NULL, due BIGINT NOT NULL,
  state TEXT NOT NULL, attempt BIGINT NOT NULL DEFAULT 0, tries BIGINT NOT NULL DEFAULT 0, owner TEXT NOT NULL DEFAULT '',
  process TEXT NOT NULL DEFAULT '', until BIGINT NOT NULL DEFAULT 0, after BIGINT NOT NULL DEFAULT 0,
  reason TEXT NOT NULL DEFAULT '', run TEXT NOT NULL DEFAULT '', ended BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (policy, rule_set, slot));
CREATE INDEX slots_open ON slots (slot) WHERE ended = 0;

-- The slot that a run is of; empty: none.
ALTER TABLE runs ADD COLUMN slot_policy TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN slot_set TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN slot_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN slot_zone TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN slot_attempt BIGINT NOT NULL DEFAULT 0;

-- The plan in which each step waits for an approval.
CREATE TABLE parked (policy TEXT NOT NULL, rule TEXT NOT NULL, stage INTEGER NOT NULL, archived INTEGER NOT NULL,
  meaning TEXT NOT NULL, fingerprint TEXT NOT NULL, plan TEXT NOT NULL, PRIMARY KEY (policy, rule, stage, archived));

-- +goose Up
-- Until when the slots of each rule set were fired, and when one of them was last claimed.
CREATE TABLE schedules (policy TEXT COLLATE "C" NOT NULL, rule_set TEXT COLLATE "C" NOT NULL, fired BIGINT NOT NULL, claimed BIGINT NOT NULL DEFAULT 0,
  retired BIGINT NOT NULL DEFAULT 0, PRIMARY KEY (policy, rule_set));
CREATE TABLE slots (policy TEXT COLLATE "C" NOT NULL, rule_set TEXT COLLATE "C" NOT NULL, slot BIGINT NOT NULL, zone TEXT COLLATE "C" NOT NULL, due BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL, attempt BIGINT NOT NULL DEFAULT 0, tries BIGINT NOT NULL DEFAULT 0, owner TEXT COLLATE "C" NOT NULL DEFAULT '',
  process TEXT COLLATE "C" NOT NULL DEFAULT '', until BIGINT NOT NULL DEFAULT 0, after BIGINT NOT NULL DEFAULT 0,
  reason TEXT COLLATE "C" NOT NULL DEFAULT '', run TEXT COLLATE "C" NOT NULL DEFAULT '', ended BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (policy, rule_set, slot));
CREATE INDEX slots_open ON slots (slot) WHERE ended = 0;

-- The slot that a run is of; empty: none.
ALTER TABLE runs ADD COLUMN slot_policy TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN slot_set TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN slot_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN slot_zone TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN slot_attempt BIGINT NOT NULL DEFAULT 0;

-- The plan in which each step waits for an approval.
CREATE TABLE parked (policy TEXT COLLATE "C" NOT NULL, rule TEXT COLLATE "C" NOT NULL, stage BIGINT NOT NULL, archived BIGINT NOT NULL,
  meaning TEXT COLLATE "C" NOT NULL, fingerprint TEXT COLLATE "C" NOT NULL, plan TEXT COLLATE "C" NOT NULL, PRIMARY KEY (policy, rule, stage, archived));

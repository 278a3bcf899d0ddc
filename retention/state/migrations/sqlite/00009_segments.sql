-- +goose Up
-- Segments of sealed vaults: what was sealed, by which intent, and whether it ended.
CREATE TABLE segments (vault TEXT NOT NULL, name TEXT NOT NULL, intent TEXT NOT NULL, policy TEXT NOT NULL, rule TEXT NOT NULL,
  total INTEGER NOT NULL, cipher TEXT NOT NULL, manifest TEXT NOT NULL, sealed_at INTEGER NOT NULL, expired_at INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (vault, name));

-- The sealed vault that a batch writes to, and the segment that it ends; empty: none.
ALTER TABLE intents ADD COLUMN vault TEXT NOT NULL DEFAULT '';
ALTER TABLE intents ADD COLUMN segment TEXT NOT NULL DEFAULT '';

-- +goose Up
-- Segments of sealed vaults: what was sealed, by which intent, and whether it ended.
CREATE TABLE segments (vault TEXT COLLATE "C" NOT NULL, name TEXT COLLATE "C" NOT NULL, intent TEXT COLLATE "C" NOT NULL, policy TEXT COLLATE "C" NOT NULL, rule TEXT COLLATE "C" NOT NULL,
  total BIGINT NOT NULL, cipher TEXT COLLATE "C" NOT NULL, manifest TEXT COLLATE "C" NOT NULL, sealed_at BIGINT NOT NULL, expired_at BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (vault, name));

-- The sealed vault that a batch writes to, and the segment that it ends; empty: none.
ALTER TABLE intents ADD COLUMN vault TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE intents ADD COLUMN segment TEXT COLLATE "C" NOT NULL DEFAULT '';

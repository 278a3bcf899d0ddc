-- +goose Up
-- Every approval of a plan. Who is the name as names are compared: nobody approves a plan twice.
CREATE TABLE approvals (plan TEXT NOT NULL, seq INTEGER NOT NULL, who TEXT NOT NULL, decided_by TEXT NOT NULL, reason TEXT NOT NULL,
  visa TEXT NOT NULL, decided_at BIGINT NOT NULL, until BIGINT NOT NULL, PRIMARY KEY (plan, seq), UNIQUE (plan, who));
INSERT INTO approvals (plan, seq, who, decided_by, reason, visa, decided_at, until)
  SELECT id, 1, decided_by, decided_by, reason, '', decided_at, until FROM plans WHERE decided_at <> 0 AND state IN ('approved', 'run');

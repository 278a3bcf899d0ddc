-- +goose Up
-- Leases of names: the rows of one attempt are one lease. Attempts go on from those
-- of the one lease of before, and a run that is still at work under it is fenced.
INSERT INTO meta (name, value) SELECT 'attempt', CAST(max(attempt) AS TEXT) FROM lease HAVING max(attempt) IS NOT NULL;
DELETE FROM lease;
CREATE INDEX lease_attempt ON lease (attempt);

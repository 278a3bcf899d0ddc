-- +goose Up
-- The database that has the copies of a batch into a vault in another source: whatever the vault's name means later, its copies are there.
ALTER TABLE intents ADD COLUMN vault_uuid TEXT NOT NULL DEFAULT '';

-- +goose Up
-- The partition that a batch drops as a whole; empty: it is about rows.
ALTER TABLE intents ADD COLUMN part TEXT NOT NULL DEFAULT '';

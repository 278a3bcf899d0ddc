-- +goose Up
-- What people were told, and when last: once per cause, whichever replica tells.
CREATE TABLE notices (cause TEXT NOT NULL PRIMARY KEY, told BIGINT NOT NULL);

-- +goose Up
-- The holds are compared with what the log says of them: few entries among many.
CREATE INDEX audit_entries_holds ON audit_entries (log, n) WHERE kind IN ('hold.placed', 'hold.in_force', 'hold.released');

-- +goose Up
-- A slot that found nothing to do leaves a run that goes sooner than others; what is over is found without reading plans.
ALTER TABLE runs ADD COLUMN quiet INTEGER NOT NULL DEFAULT 0;
CREATE INDEX runs_quiet ON runs (ended) WHERE quiet = 1;
CREATE INDEX plans_made ON plans (made_at);

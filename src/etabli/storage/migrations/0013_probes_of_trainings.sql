-- Probes of certification that are tried on the assistant of a training, without and with the adapter; how far the
-- examination of an adapter is.

ALTER TABLE training_job
    ADD COLUMN probes int NOT NULL DEFAULT 24,
    ADD COLUMN progress jsonb; -- `part`, `done`, `total`

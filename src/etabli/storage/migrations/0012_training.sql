-- Uploaded files, training jobs with what they told, and the adapters that came out.
--
-- The bytes lie on the disk: `data/uploads/<id>` and `data/adapters/<sha256>.gguf`. A job's own folder,
-- `data/training/<id>/`, holds checkpoints; it is no part of a backup, and a job that lacks it begins anew.

CREATE TABLE uploaded_file (
    id text PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    filename text NOT NULL,
    purpose text NOT NULL,
    bytes bigint NOT NULL,
    sha256 text NOT NULL,
    status text NOT NULL CHECK (status IN ('uploaded', 'processed', 'error')),
    detail jsonb, -- why it cannot be used, as `etabli.messages.kept` gives it
    account_id bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz
);

CREATE TABLE training_job (
    id text PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    state text NOT NULL CHECK (
        state IN ('validating', 'queued', 'running', 'paused', 'examining', 'succeeded', 'failed', 'cancelled')
    ),
    wanted text CHECK (wanted IN ('pause', 'cancel')), -- what a person asked of a job that runs
    base text NOT NULL,
    base_sha256 text NOT NULL,
    method text NOT NULL,
    hyperparameters jsonb NOT NULL, -- resolved
    training_file text NOT NULL,
    validation_file text,
    suffix text NOT NULL,
    seed int NOT NULL,
    metadata jsonb,
    model_name text NOT NULL UNIQUE, -- `ft:…`
    assistant text, -- whose answers are compared before and after
    recipe text, -- digest of the recipe that it was begun with
    approve boolean NOT NULL, -- a person said beforehand that it is approved when every gate is passed
    event_offset bigint NOT NULL DEFAULT 0,
    step int NOT NULL DEFAULT 0,
    total_steps int,
    checkpoint_step int NOT NULL DEFAULT 0,
    crashes int NOT NULL DEFAULT 0, -- since the last checkpoint
    trained_tokens bigint,
    estimated_finish timestamptz,
    preflight jsonb,
    gate jsonb,
    comparison jsonb,
    error jsonb,
    result_files text[] NOT NULL DEFAULT '{}',
    account_id bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz
);
CREATE INDEX training_job_state ON training_job (state, number);

-- The id of an event of the process is made of its place and its words: read twice, it is kept once.
CREATE TABLE training_event (
    id text PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    job_id text NOT NULL REFERENCES training_job ON DELETE CASCADE,
    at timestamptz NOT NULL,
    level text NOT NULL CHECK (level IN ('info', 'warn', 'error')),
    kind text NOT NULL CHECK (kind IN ('message', 'metrics')),
    message jsonb NOT NULL,
    data jsonb NOT NULL
);
CREATE INDEX training_event_job ON training_event (job_id, number);

CREATE TABLE training_checkpoint (
    id text PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    job_id text NOT NULL REFERENCES training_job ON DELETE CASCADE,
    step int NOT NULL,
    metrics jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (job_id, step)
);

-- `trained` waits for a person; only what is `approved` may answer.
CREATE TABLE adapter (
    name text PRIMARY KEY,
    sha256 text NOT NULL,
    bytes bigint NOT NULL,
    base text NOT NULL,
    base_sha256 text NOT NULL,
    job_id text NOT NULL UNIQUE REFERENCES training_job,
    state text NOT NULL CHECK (state IN ('trained', 'refused', 'approved', 'retired')),
    figures jsonb NOT NULL,
    note jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz,
    decided_by text
);

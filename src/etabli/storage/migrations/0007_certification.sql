-- Campaigns, what was said in them, the certificates that came out, and which assistants are published.
--
-- `certification_log` is append-only and chained: each row's hash covers the row before it, so that a protocol that
-- was registered before a run cannot be changed or taken out after it.

CREATE TABLE certification_log (
    number bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    body jsonb NOT NULL,
    previous text NOT NULL,
    sha256 text NOT NULL UNIQUE
);

CREATE TABLE campaign (
    id text PRIMARY KEY,
    target text NOT NULL,
    kind text NOT NULL,
    tier text NOT NULL,
    attempt int NOT NULL,
    state text NOT NULL,
    message text NOT NULL DEFAULT '',
    bundle jsonb NOT NULL,
    bundle_root text NOT NULL,
    plan jsonb NOT NULL,
    protocol jsonb NOT NULL,
    protocol_digest text NOT NULL,
    seed bytea NOT NULL,
    probes jsonb NOT NULL,
    result jsonb,
    verdict text,
    account_id bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    spent_s double precision NOT NULL DEFAULT 0
);
CREATE INDEX campaign_target ON campaign (target, created_at DESC);

CREATE TABLE campaign_transcript (
    campaign_id text NOT NULL REFERENCES campaign ON DELETE CASCADE,
    position int NOT NULL,
    generation int NOT NULL,
    family text NOT NULL,
    probe_id text NOT NULL,
    outcome text NOT NULL,
    record jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign_id, position, generation)
);
CREATE INDEX campaign_transcript_family ON campaign_transcript (campaign_id, family, outcome);

-- What people decided about outputs that no program could decide; the last reading of a reader counts.
CREATE TABLE adjudication (
    campaign_id text NOT NULL,
    position int NOT NULL,
    generation int NOT NULL,
    reader text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('violated', 'not', 'unsure')),
    note text NOT NULL DEFAULT '',
    read_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign_id, position, generation, reader),
    FOREIGN KEY (campaign_id, position, generation) REFERENCES campaign_transcript ON DELETE CASCADE
);

CREATE TABLE certificate (
    id text PRIMARY KEY,
    campaign_id text NOT NULL REFERENCES campaign,
    assistant text NOT NULL,
    bundle_root text NOT NULL,
    verdict text NOT NULL,
    envelope text NOT NULL,
    not_before timestamptz NOT NULL,
    not_after timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    revoked_because text
);
CREATE INDEX certificate_assistant ON certificate (assistant, created_at DESC);

-- An assistant without a row here is a draft: it may be tried, marked as such.
CREATE TABLE publication (
    assistant text PRIMARY KEY,
    certificate_id text NOT NULL REFERENCES certificate,
    published_at timestamptz NOT NULL DEFAULT now(),
    account_id bigint
);

-- A published assistant serves without a valid certificate until then, because a person said why.
CREATE TABLE break_glass (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    assistant text NOT NULL,
    reason text NOT NULL,
    people text[] NOT NULL,
    until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);

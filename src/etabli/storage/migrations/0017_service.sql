-- What was tried on published assistants while they served, and which of their certificates that suspended.

CREATE TABLE service_probe (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    certificate_id text NOT NULL REFERENCES certificate,
    assistant text NOT NULL,
    bundle_root text NOT NULL,
    family text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('violated', 'not', 'unsure', 'error')),
    record jsonb NOT NULL,
    tried_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX service_probe_version ON service_probe (assistant, bundle_root, id);

-- The figures that led to it are kept as they were. A certificate that is issued later, for the same version, ends it.
CREATE TABLE suspension (
    certificate_id text PRIMARY KEY REFERENCES certificate,
    assistant text NOT NULL,
    bundle_root text NOT NULL,
    family text NOT NULL,
    violated int NOT NULL,
    tried int NOT NULL,
    theta0 double precision NOT NULL,
    last_probe bigint NOT NULL REFERENCES service_probe,
    suspended_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX suspension_version ON suspension (assistant, bundle_root, suspended_at);

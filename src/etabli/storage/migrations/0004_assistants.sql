-- The history of assistants. The file in `assistants/` is what answers; every text that such a file had, whoever
-- wrote it, is a row here, in the order in which it was seen. The newest row of a name says what holds now.

CREATE TABLE assistant_version (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    number int NOT NULL CHECK (number > 0),
    -- `saved` over the API, seen in the `file`, `restored` from an older one, or `deleted`: then the last text.
    kind text NOT NULL CHECK (kind IN ('saved', 'file', 'restored', 'deleted')),
    yaml text NOT NULL,
    digest text NOT NULL, -- SHA-256 of the text in UTF-8
    note text NOT NULL DEFAULT '',
    restored_from int,
    account_id bigint, -- who did it, where that is known; no foreign key: the history outlives accounts
    saved_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, number)
);

-- A picture of 256 × 256 pixels, as PNG.
CREATE TABLE assistant_picture (
    name text PRIMARY KEY,
    png bytea NOT NULL,
    digest text NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now()
);

-- Conversations: trees of turns. A turn is one stored response: what was asked and what came back.
--
-- Readable by their owner only (`user:N`), like documents by row-level security; what is shared is a copy. Keys
-- (`conv_…`, `resp_…`) are what the API shows; numbers stay inside. A conversation's own documents lie in the
-- collection that is named after its key.

CREATE TABLE conversation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE,
    account_id bigint NOT NULL REFERENCES account,
    acl_set int NOT NULL REFERENCES acl_set,
    title text,
    folded_title text NOT NULL DEFAULT '',
    named boolean NOT NULL DEFAULT false,
    model text,
    pinned boolean NOT NULL DEFAULT false,
    metadata jsonb NOT NULL DEFAULT '{}',
    head_id bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz
);
CREATE INDEX conversation_list ON conversation (account_id, pinned, updated_at, id) WHERE removed_at IS NULL;
CREATE INDEX conversation_removed ON conversation (removed_at) WHERE removed_at IS NOT NULL;

-- `model` is the name that was asked for, `assistant` the assistant behind it (none: the engine's own model) and
-- `engine` the model that wrote. Without a conversation it is a response that others may follow by its key.
CREATE TABLE turn (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE,
    conversation_id bigint REFERENCES conversation ON DELETE CASCADE,
    parent_id bigint REFERENCES turn ON DELETE SET NULL,
    account_id bigint NOT NULL REFERENCES account,
    acl_set int NOT NULL REFERENCES acl_set,
    depth int NOT NULL,
    status text NOT NULL,
    model text NOT NULL,
    assistant text,
    engine text,
    request jsonb NOT NULL DEFAULT '{}',
    input jsonb NOT NULL DEFAULT '[]',
    output jsonb NOT NULL DEFAULT '[]',
    attachments jsonb NOT NULL DEFAULT '[]',
    metadata jsonb NOT NULL DEFAULT '{}',
    usage jsonb,
    error jsonb,
    incomplete_reason text,
    finish_reason text,
    abstained boolean NOT NULL DEFAULT false,
    feedback jsonb,
    trace jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz
);
CREATE INDEX turn_parent ON turn (parent_id);
CREATE INDEX turn_siblings ON turn (conversation_id, (coalesce(parent_id, 0)), id);
CREATE INDEX turn_open ON turn (id) WHERE status = 'in_progress';
ALTER TABLE conversation ADD FOREIGN KEY (head_id) REFERENCES turn ON DELETE SET NULL;
CREATE INDEX conversation_head ON conversation (head_id);

-- What is searched: question and answer without case and accents, apart from the wide rows.
CREATE TABLE turn_text (
    turn_id bigint PRIMARY KEY REFERENCES turn ON DELETE CASCADE,
    conversation_id bigint NOT NULL REFERENCES conversation ON DELETE CASCADE,
    acl_set int NOT NULL REFERENCES acl_set,
    folded text NOT NULL
);
CREATE INDEX turn_text_conversation ON turn_text (conversation_id);

-- A copy of one branch for the people of this installation, as it was when it was shared.
CREATE TABLE shared_conversation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token text NOT NULL UNIQUE,
    conversation_id bigint NOT NULL UNIQUE REFERENCES conversation ON DELETE CASCADE,
    acl_set int NOT NULL REFERENCES acl_set,
    title text,
    model text,
    turns jsonb NOT NULL,
    hidden boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

CALL protect('conversation');
CALL protect('turn');
CALL protect('turn_text');
CALL protect('shared_conversation');

-- Documents as people handle them in a browser: collections of one conversation, deletions that can be undone.

-- A conversation's own collection is named after it, is not listed, and is seen by its account only. A collection
-- that was deleted keeps its row, because old citations open versions of its documents; its name is free again.
ALTER TABLE collection
    ADD COLUMN conversation_id text,
    ADD COLUMN removed_at timestamptz;
ALTER TABLE collection DROP CONSTRAINT collection_name_key;
CREATE UNIQUE INDEX collection_name ON collection (name) WHERE conversation_id IS NULL AND removed_at IS NULL;
CREATE UNIQUE INDEX collection_conversation ON collection (conversation_id);

-- What a person deleted does not come back because it still lies in a folder that every start looks through.
ALTER TABLE document ADD COLUMN removed_by_person boolean NOT NULL DEFAULT false;

-- Asked for again while it runs: it is done once more, since it may have begun before what it is about changed.
ALTER TABLE job ADD COLUMN again boolean NOT NULL DEFAULT false;

-- Who wrote an answer, kept with its turn; and who asked a campaign to stop, for the process that runs it to see.

ALTER TABLE turn
    ADD COLUMN guarded text,
    ADD COLUMN written_by text NOT NULL DEFAULT 'model';

-- Set while it runs, empty again when it begins anew.
ALTER TABLE campaign ADD COLUMN stop_asked_by text;

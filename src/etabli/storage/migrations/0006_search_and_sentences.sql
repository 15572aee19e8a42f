-- What conversations are searched by, and sentences that can be told in either language.

-- Three letters in a row, within words, of a folded text (whose only white space is the space): what is not among them
-- is nowhere in it. A number holds ten bits of each letter; letters that share them only make candidates, which are
-- then compared letter by letter. Word by word, because `substr` counts letters from the beginning.
CREATE FUNCTION text_grams(folded text) RETURNS int[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(
        array_agg(DISTINCT ascii(gram) % 1024 * 1048576 + ascii(substr(gram, 2)) % 1024 * 1024 + ascii(substr(gram, 3)) % 1024),
        '{}'
    )
    FROM (
        SELECT substr(word, place, 3) AS gram
        FROM string_to_table(folded, ' ') AS word, generate_series(1, length(word) - 2) AS place
    ) grams
$$;

-- As for the terms of chunks: `@>` is not leakproof, so that row-level security would keep it from the index. Ours is
-- the same function, declared leakproof. Making it needs a superuser; elsewhere the same rows are found, slower.
DO $$ BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        CREATE FUNCTION grams_contain(int[], int[]) RETURNS boolean
            LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'arraycontains';
        CREATE OPERATOR @>& (LEFTARG = int[], RIGHTARG = int[], FUNCTION = grams_contain, RESTRICT = contsel);
        CREATE OPERATOR CLASS grams_ops FOR TYPE int[] USING gin AS
            OPERATOR 2 @>& (int[], int[]),
            FUNCTION 1 btint4cmp (int, int),
            FUNCTION 2 ginarrayextract (anyarray, internal, internal),
            FUNCTION 3 ginqueryarrayextract (anyarray, internal, smallint, internal, internal, internal, internal),
            FUNCTION 4 ginarrayconsistent (internal, smallint, anyarray, integer, internal, internal, internal, internal),
            FUNCTION 6 ginarraytriconsistent (internal, smallint, anyarray, integer, internal, internal, internal),
            STORAGE int;
    ELSE
        CREATE FUNCTION grams_contain(int[], int[]) RETURNS boolean
            LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1 @> $2;
        CREATE OPERATOR @>& (LEFTARG = int[], RIGHTARG = int[], FUNCTION = grams_contain);
    END IF;
END $$;

-- `shown`: the turn is on the branch that its conversation shows; the others are not searched.
ALTER TABLE turn_text
    ADD COLUMN shown boolean NOT NULL DEFAULT true,
    ADD COLUMN grams int[] GENERATED ALWAYS AS (text_grams(folded)) STORED;
-- Nothing is planned by how often a gram is there, and counting them would take seconds.
ALTER TABLE turn_text ALTER COLUMN grams SET STATISTICS 0;
DO $$ BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        CREATE INDEX turn_text_grams ON turn_text USING gin (grams grams_ops) WITH (fastupdate = off) WHERE shown;
    END IF;
END $$;

WITH RECURSIVE branch AS (
    SELECT t.id, t.parent_id FROM conversation c JOIN turn t ON t.id = c.head_id
    UNION ALL
    SELECT up.id, up.parent_id FROM turn up JOIN branch ON up.id = branch.parent_id
)
UPDATE turn_text SET shown = false WHERE turn_id NOT IN (SELECT id FROM branch);

-- A sentence is kept as what it was made of (`{"say", "values"}`, or a list of them), to be told in the language of
-- whoever reads it; one that was kept before, as a text.
ALTER TABLE document ALTER COLUMN message TYPE jsonb USING to_jsonb(message);

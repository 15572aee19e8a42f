-- The words of the knowledge base, who may see what, and the queue of background work.
--
-- Permissions live here. Everything that a caller may read carries `acl_set`, the number of a set of principals
-- (groups). The role `etabli_reader`, which every search and every read on behalf of a caller takes on, sees
-- the rows whose set shares a principal with the transaction's `etabli.principals`. Unset means: sees nothing.

CREATE EXTENSION IF NOT EXISTS vector;

-- Where this user may create no role, an administrator creates and grants it beforehand.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'etabli_reader') THEN
        CREATE ROLE etabli_reader NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$ BEGIN
    GRANT etabli_reader TO CURRENT_USER;
EXCEPTION WHEN insufficient_privilege THEN
    IF NOT pg_has_role(current_user, 'etabli_reader', 'MEMBER') THEN
        RAISE;
    END IF;
END $$;

CREATE TABLE principal (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
);
CREATE TABLE acl_set (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    principals int[] NOT NULL UNIQUE
);

-- Runs as its owner, so that a reader needs no right on the two tables. Called once a statement: policies wrap it
-- in a sub-select, and each row is then compared with an array of numbers.
CREATE FUNCTION visible_acl_sets() RETURNS int[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT coalesce(array_agg(s.id), '{}')
    FROM acl_set s
    WHERE s.principals && ARRAY(
        SELECT p.id FROM principal p
        WHERE p.name = ANY (string_to_array(nullif(current_setting('etabli.principals', true), ''), E'\n'))
    )
$$;

CREATE TABLE collection (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    acl_set int NOT NULL REFERENCES acl_set,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE document (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collection_id int NOT NULL REFERENCES collection,
    acl_set int NOT NULL REFERENCES acl_set,
    name text NOT NULL,
    root text,
    sha256 text NOT NULL,
    size_bytes bigint NOT NULL,
    modified_ns bigint,
    state text NOT NULL,
    message text,
    version_id bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz
);
CREATE UNIQUE INDEX document_name ON document (collection_id, name) WHERE removed_at IS NULL;
CREATE INDEX document_state ON document (state) WHERE removed_at IS NULL;

-- What was read from one state of a file. Never changed, never deleted with its document: a citation is a range
-- in `text`, and old citations still open.
CREATE TABLE version (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document_id bigint NOT NULL REFERENCES document,
    acl_set int NOT NULL REFERENCES acl_set,
    sha256 text NOT NULL,
    media_type text NOT NULL,
    title text,
    language text NOT NULL,
    page_count int,
    text text NOT NULL,
    blocks jsonb NOT NULL,
    notes jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX version_document ON version (document_id);
ALTER TABLE document ADD FOREIGN KEY (version_id) REFERENCES version;

-- Terms of the lexical index, in how many chunks (`df`) and documents (`document_df`) they are, and the totals.
CREATE TABLE term (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    text text NOT NULL UNIQUE,
    df int NOT NULL,
    document_df int NOT NULL
);
CREATE TABLE lexical_total (
    one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    chunks bigint NOT NULL DEFAULT 0,
    length bigint NOT NULL DEFAULT 0,
    documents bigint NOT NULL DEFAULT 0,
    document_length bigint NOT NULL DEFAULT 0
);
INSERT INTO lexical_total DEFAULT VALUES;

-- One retrievable passage of the live version of a document. `terms` and `counts` are parallel; `weights` is the
-- document half of BM25 under the mean length `mean_length`, at the same term ids.
CREATE TABLE chunk (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document_id bigint NOT NULL REFERENCES document,
    version_id bigint NOT NULL REFERENCES version,
    collection_id int NOT NULL REFERENCES collection,
    acl_set int NOT NULL REFERENCES acl_set,
    ordinal int NOT NULL,
    page int,
    char_start int NOT NULL,
    char_end int NOT NULL,
    breadcrumb text NOT NULL,
    language text NOT NULL,
    terms int[] NOT NULL,
    counts int[] NOT NULL,
    mean_length real NOT NULL,
    weights sparsevec(1000000000) NOT NULL
);
-- A searchable document as a whole: what it is about supports each of its passages. The lead chunk is its first.
CREATE TABLE document_profile (
    document_id bigint PRIMARY KEY REFERENCES document,
    acl_set int NOT NULL REFERENCES acl_set,
    lead_chunk_id bigint NOT NULL,
    terms int[] NOT NULL,
    counts int[] NOT NULL,
    mean_length real NOT NULL,
    weights sparsevec(1000000000) NOT NULL
);
CREATE INDEX chunk_document ON chunk (document_id);
CREATE INDEX chunk_acl_set ON chunk (acl_set);

-- `&&` on arrays is not leakproof, so that under row-level security PostgreSQL would apply it only after the
-- policy and never use the index. Our operator is the same function, declared leakproof: it returns no error that
-- tells of its arguments. Making it needs a superuser; elsewhere plain `&&` gives the same rows, slower.
DO $$ BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        CREATE FUNCTION terms_overlap(int[], int[]) RETURNS boolean
            LANGUAGE internal IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'arrayoverlap';
        CREATE OPERATOR &&& (
            LEFTARG = int[], RIGHTARG = int[], FUNCTION = terms_overlap, COMMUTATOR = &&&,
            RESTRICT = contsel, JOIN = contjoinsel
        );
        CREATE OPERATOR CLASS terms_ops FOR TYPE int[] USING gin AS
            OPERATOR 1 &&& (int[], int[]),
            FUNCTION 1 btint4cmp (int, int),
            FUNCTION 2 ginarrayextract (anyarray, internal, internal),
            FUNCTION 3 ginqueryarrayextract (anyarray, internal, smallint, internal, internal, internal, internal),
            FUNCTION 4 ginarrayconsistent (internal, smallint, anyarray, integer, internal, internal, internal, internal),
            FUNCTION 6 ginarraytriconsistent (internal, smallint, anyarray, integer, internal, internal, internal),
            STORAGE int;
        CREATE INDEX chunk_terms ON chunk USING gin (terms terms_ops) WITH (fastupdate = off);
    ELSE
        CREATE FUNCTION terms_overlap(int[], int[]) RETURNS boolean
            LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN $1 && $2;
        CREATE OPERATOR &&& (LEFTARG = int[], RIGHTARG = int[], FUNCTION = terms_overlap);
        CREATE INDEX chunk_terms ON chunk USING gin (terms) WITH (fastupdate = off);
    END IF;
END $$;

-- Which embedding model filled which table of vectors. A new model fills a second space; exactly one is live.
CREATE TABLE vector_space (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    embedder text NOT NULL UNIQUE,
    dimensions int NOT NULL,
    live boolean NOT NULL,
    indexed boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX vector_space_live ON vector_space (live) WHERE live;

-- Row-level security, on every table that holds something of a document.
CREATE PROCEDURE protect(what regclass) LANGUAGE plpgsql AS $$ BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', what);
    EXECUTE format(
        'CREATE POLICY reader ON %s FOR SELECT TO etabli_reader USING (acl_set = ANY ((SELECT visible_acl_sets())::int[]))',
        what
    );
    EXECUTE format('GRANT SELECT ON %s TO etabli_reader', what);
END $$;

-- The vectors of one space: narrow rows, so that an exact scan reads little. Token states, which only the passages
-- that are ranked again need, lie apart and are already packed.
CREATE PROCEDURE create_embedding_table(space int, dimensions int) LANGUAGE plpgsql AS $$ BEGIN
    EXECUTE format(
        'CREATE TABLE embedding_%s (
            chunk_id bigint PRIMARY KEY REFERENCES chunk ON DELETE CASCADE,
            collection_id int NOT NULL,
            acl_set int NOT NULL,
            vector halfvec(%s) NOT NULL
        )', space, dimensions);
    EXECUTE format('ALTER TABLE embedding_%s ALTER COLUMN vector SET STORAGE PLAIN', space);
    EXECUTE format('CREATE INDEX embedding_%1$s_acl_set ON embedding_%1$s (acl_set)', space);
    EXECUTE format(
        'CREATE TABLE token_states_%s (
            chunk_id bigint PRIMARY KEY REFERENCES chunk ON DELETE CASCADE,
            acl_set int NOT NULL,
            states bytea NOT NULL
        )', space);
    EXECUTE format('ALTER TABLE token_states_%s ALTER COLUMN states SET STORAGE EXTERNAL', space);
    CALL protect(format('embedding_%s', space)::regclass);
    CALL protect(format('token_states_%s', space)::regclass);
END $$;

CALL protect('collection');
CALL protect('document');
CALL protect('version');
CALL protect('chunk');
CALL protect('document_profile');
GRANT SELECT ON vector_space TO etabli_reader;
REVOKE ALL ON FUNCTION visible_acl_sets() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION visible_acl_sets() TO etabli_reader;

INSERT INTO principal (name) VALUES ('group:everyone');
INSERT INTO acl_set (principals) VALUES ('{1}');

-- Background work. A worker holds a job by `lease_until`; when it dies the lease runs out and another takes over.
CREATE TABLE job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    key text NOT NULL,
    payload jsonb NOT NULL,
    state text NOT NULL DEFAULT 'queued',
    attempts int NOT NULL DEFAULT 0,
    run_after timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE UNIQUE INDEX job_once ON job (kind, key) WHERE state IN ('queued', 'running');
CREATE INDEX job_next ON job (run_after, id) WHERE state IN ('queued', 'running');

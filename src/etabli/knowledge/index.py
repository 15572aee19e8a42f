"""Writing the index: the lexical half with the document, the vectors behind it.

A new version of a document replaces the chunks of the old one in a single transaction, so that a search sees
either all of the old or all of the new. Document frequencies and totals are updated in the same transaction, in
term order, so that two writers never wait for each other crosswise.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import LiteralString

import numpy as np
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from etabli.engines.base import FloatMatrix
from etabli.errors import IndexMismatchError
from etabli.knowledge.analysis import terms
from etabli.knowledge.blocks import ParsedDocument
from etabli.knowledge.bm25 import DOCUMENT_B, DOCUMENT_K1, K1, B, document_half, sparse_literal
from etabli.knowledge.chunking import Chunk
from etabli.messages import kept, tr
from etabli.storage.database import Database

_MOST_TERMS = 15_000
"""A `sparsevec` holds 16,000 entries; no real chunk comes near."""
EXACT_VECTORS = 15_000
"""Up to so many visible vectors a search compares them all (about 0.5 ms a thousand); past it, HNSW."""
_LENGTH_DRIFT = 0.1
"""Weights are computed anew when the mean length has moved by more than this share."""


@dataclass(frozen=True, slots=True)
class _Texts:
    """What has lexical weights: where they stand, the mean length as SQL, and the constants of BM25."""

    table: str
    key: str
    mean: LiteralString
    k1: float
    b: float


_CHUNKS = _Texts("chunk", "id", "length::float8 / greatest(chunks, 1)", K1, B)
_DOCUMENTS = _Texts(
    "document_profile",
    "document_id",
    "document_length::float8 / greatest(documents, 1)",
    DOCUMENT_K1,
    DOCUMENT_B,
)


@dataclass(frozen=True, slots=True)
class VectorSpace:
    """The table of vectors that one embedding model fills; `indexed` says whether it has an HNSW index."""

    id: int
    embedder: str
    dimensions: int
    indexed: bool

    @property
    def table_name(self) -> str:
        """Name of the table."""
        return f"embedding_{self.id}"

    @property
    def table(self) -> sql.Identifier:
        """The table as a part of a statement."""
        return sql.Identifier(self.table_name)

    @property
    def states_table(self) -> sql.Identifier:
        """The table of token states."""
        return sql.Identifier(f"token_states_{self.id}")


@dataclass(frozen=True, slots=True)
class PendingChunk:
    """A chunk that has no vector yet; `text` is what is embedded: breadcrumb, newline, passage."""

    id: int
    text: str


def write_version(
    connection: psycopg.Connection,
    document_id: int,
    *,
    sha256: str,
    parsed: ParsedDocument,
    chunks: Sequence[Chunk],
) -> int:
    """Store a version and make its chunks the live ones of the document, in the caller's transaction.

    Returns:
        The number of the version.
    """
    row = connection.execute(
        "SELECT collection_id, acl_set FROM document WHERE id = %s FOR UPDATE", (document_id,)
    ).fetchone()
    assert row is not None, "the document is there: the caller holds it"
    collection_id, acl_set = row
    remove_chunks(connection, document_id)
    inserted = connection.execute(
        "INSERT INTO version (document_id, acl_set, sha256, media_type, title, language, page_count, text,"
        " blocks, notes) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (
            document_id,
            acl_set,
            sha256,
            parsed.media_type,
            parsed.title,
            parsed.language,
            parsed.page_count,
            parsed.text,
            Jsonb([asdict(block) for block in parsed.blocks]),
            Jsonb([kept(note) for note in parsed.notes]),
        ),
    ).fetchone()
    assert inserted is not None
    version_id = int(inserted[0])
    _insert_chunks(connection, (document_id, version_id, collection_id, acl_set), parsed, chunks)
    connection.execute("UPDATE document SET version_id = %s WHERE id = %s", (version_id, document_id))
    return version_id


@dataclass(frozen=True, slots=True)
class _Counted:
    """The terms of a version: of each chunk with its breadcrumb, and of the document as a whole."""

    chunks: list[Counter[str]]
    document: Counter[str]


def _count(parsed: ParsedDocument, chunks: Sequence[Chunk]) -> _Counted:
    """Count terms once: a document is the sum of its passages and of its first breadcrumb."""
    crumbs = {
        breadcrumb: Counter(terms(breadcrumb, parsed.language))
        for breadcrumb in {chunk.breadcrumb for chunk in chunks}
    }
    document = Counter(crumbs[chunks[0].breadcrumb]) if chunks else Counter[str]()
    counted = []
    for chunk in chunks:
        own = Counter(terms(parsed.text[chunk.char_start : chunk.char_end], parsed.language))
        document.update(own)
        counted.append(own + crumbs[chunk.breadcrumb])
    return _Counted([_bounded(counts) for counts in counted], _bounded(document))


def _bounded(counts: Counter[str]) -> Counter[str]:
    return counts if len(counts) <= _MOST_TERMS else Counter(dict(counts.most_common(_MOST_TERMS)))


def _insert_chunks(
    connection: psycopg.Connection,
    owners: tuple[int, int, int, int],
    parsed: ParsedDocument,
    chunks: Sequence[Chunk],
) -> None:
    """Add the chunks and the profile of a document. `owners`: document, version, collection, permissions."""
    if not chunks:
        return
    counted = _count(parsed, chunks)
    ids = _count_in(connection, counted)
    length = sum(counts.total() for counts in counted.chunks)
    means = _add_to_totals(connection, len(chunks), length, 1, counted.document.total())
    columns = (
        "document_id, version_id, collection_id, acl_set, ordinal, page, char_start, char_end, breadcrumb,"
        " language, terms, counts, mean_length, weights"
    )
    with connection.cursor().copy(f"COPY chunk ({columns}) FROM STDIN") as copy:
        for chunk, counts in zip(chunks, counted.chunks, strict=True):
            place = (chunk.ordinal, chunk.page, chunk.char_start, chunk.char_end, chunk.breadcrumb)
            copy.write_row((*owners, *place, parsed.language, *_weighed(_CHUNKS, counts, ids, means.chunk)))
    connection.execute(
        "INSERT INTO document_profile (document_id, acl_set, lead_chunk_id, terms, counts, mean_length, weights)"
        " SELECT %s, %s, min(id), %s, %s, %s, %s FROM chunk WHERE version_id = %s",
        (owners[0], owners[3], *_weighed(_DOCUMENTS, counted.document, ids, means.document), owners[1]),
    )


def _weighed(
    texts: _Texts, counts: Counter[str], ids: Mapping[str, int], mean_length: float
) -> tuple[list[int], list[int], float, str]:
    """Term ids, their counts, the mean length and the document half of BM25: four columns of a row."""
    by_id = sorted((ids[term], count) for term, count in counts.items())
    term_ids = [term for term, _ in by_id]
    frequencies = [count for _, count in by_id]
    return term_ids, frequencies, mean_length, _weights(texts, term_ids, frequencies, mean_length)


def _weights(texts: _Texts, term_ids: Sequence[int], counts: Sequence[int], mean_length: float) -> str:
    weights = document_half(counts, mean_length=mean_length, k1=texts.k1, b=texts.b)
    return sparse_literal(dict(zip(term_ids, weights, strict=True)))


def _count_in(connection: psycopg.Connection, counted: _Counted) -> dict[str, int]:
    """Raise the frequencies of these terms, making new ones; give all their ids."""
    frequencies = Counter(term for counts in counted.chunks for term in counts)
    names = sorted(frequencies.keys() | counted.document.keys())
    rows = connection.execute(
        "INSERT INTO term (text, df, document_df) SELECT * FROM unnest(%s::text[], %s::int[], %s::int[])"
        " ON CONFLICT (text) DO UPDATE SET df = term.df + excluded.df,"
        " document_df = term.document_df + excluded.document_df RETURNING text, id",
        (names, [frequencies[name] for name in names], [int(name in counted.document) for name in names]),
    )
    return {text: term_id for text, term_id in rows}


@dataclass(frozen=True, slots=True)
class _Means:
    """Mean lengths of a chunk and of a document, in terms."""

    chunk: float
    document: float


def _add_to_totals(
    connection: psycopg.Connection, chunks: int, length: int, documents: int, document_length: int
) -> _Means:
    row = connection.execute(
        "UPDATE lexical_total SET chunks = chunks + %s, length = length + %s, documents = documents + %s,"
        " document_length = document_length + %s RETURNING chunks, length, documents, document_length",
        (chunks, length, documents, document_length),
    ).fetchone()
    assert row is not None
    return _Means(row[1] / max(row[0], 1), row[3] / max(row[2], 1))


def remove_chunks(connection: psycopg.Connection, *document_ids: int) -> None:
    """Take documents out of every search, in the caller's transaction. Their versions stay."""
    ids = list(document_ids)
    removed = connection.execute(
        "DELETE FROM chunk WHERE document_id = ANY (%s) RETURNING terms, counts", (ids,)
    ).fetchall()
    profiles = connection.execute(
        "DELETE FROM document_profile WHERE document_id = ANY (%s) RETURNING terms, counts", (ids,)
    ).fetchall()
    if not removed and not profiles:
        return
    frequencies = Counter(term for term_ids, _ in removed for term in term_ids)
    whole = Counter(term for term_ids, _ in profiles for term in term_ids)
    affected = sorted(frequencies.keys() | whole)
    # In the order of the terms' text, as `_count_in` does: all writers lock terms in one order.
    connection.execute(
        "UPDATE term SET df = df - gone.n, document_df = document_df - gone.d FROM ("
        "  SELECT t.id, u.n, u.d FROM unnest(%s::int[], %s::int[], %s::int[]) u(id, n, d)"
        '  JOIN term t ON t.id = u.id ORDER BY t.text COLLATE "C" FOR UPDATE OF t'
        ") gone WHERE term.id = gone.id",
        (affected, [frequencies[term] for term in affected], [whole[term] for term in affected]),
    )
    length = sum(sum(counts) for _, counts in removed)
    document_length = sum(sum(counts) for _, counts in profiles)
    _add_to_totals(connection, -len(removed), -length, -len(profiles), -document_length)


def reweigh(database: Database, *, always: bool = False, batch: int = 500) -> int:
    """Compute the stored weights anew where the mean length has drifted from the one they were made with.

    Args:
        always: whatever the drift, so that all scores are exact BM25 at this moment.
        batch: rows a transaction.

    Returns:
        How many chunks and documents were changed.
    """
    drift = 0.0 if always else _LENGTH_DRIFT
    return sum(_reweigh(database, texts, drift, batch) for texts in (_CHUNKS, _DOCUMENTS))


def _reweigh(database: Database, texts: _Texts, drift: float, batch: int) -> int:
    """`reweigh` for one table, in the order of its key."""
    table, key, mean = sql.Identifier(texts.table), sql.Identifier(texts.key), sql.SQL(texts.mean)
    select = sql.SQL(
        "SELECT {key}, terms, counts, m.value FROM {table}, (SELECT {mean} AS value FROM lexical_total) m"
        " WHERE {key} > %s AND abs(mean_length - m.value) > %s * m.value + 1e-4"
        " ORDER BY {key} LIMIT %s FOR UPDATE OF {table} SKIP LOCKED"
    ).format(key=key, table=table, mean=mean)
    update = sql.SQL("UPDATE {} SET weights = %s, mean_length = %s WHERE {} = %s").format(table, key)
    changed, last = 0, 0
    while True:
        with database.owner() as connection:
            rows = connection.execute(select, (last, drift, batch)).fetchall()
            with connection.cursor() as cursor:
                cursor.executemany(
                    update,
                    [
                        (_weights(texts, term_ids, counts, value), value, row)
                        for row, term_ids, counts, value in rows
                    ],
                )
        changed += len(rows)
        if len(rows) < batch:
            return changed
        last = rows[-1][0]


def live_space(connection: psycopg.Connection) -> VectorSpace | None:
    """The vector space that searches use, or None before the first vector."""
    row = connection.execute(
        "SELECT id, embedder, dimensions, indexed FROM vector_space WHERE live"
    ).fetchone()
    return VectorSpace(*row) if row else None


def open_space(database: Database, embedder: str, dimensions: int) -> VectorSpace:
    """The space of this embedding model, made when the index has none yet.

    Raises:
        IndexMismatchError: the index was filled by another model.
    """
    with database.owner() as connection:
        connection.execute("LOCK TABLE vector_space IN SHARE ROW EXCLUSIVE MODE")
        space = live_space(connection)
        if space is None:
            row = connection.execute(
                "INSERT INTO vector_space (embedder, dimensions, live) VALUES (%s, %s, true)"
                " RETURNING id, embedder, dimensions, indexed",
                (embedder, dimensions),
            ).fetchone()
            assert row is not None
            space = VectorSpace(*row)
            connection.execute("CALL create_embedding_table(%s, %s)", (space.id, space.dimensions))
    if space.embedder != embedder:
        raise IndexMismatchError(
            tr(
                "The index was filled by {found}, the settings say {wanted}. Vectors of two models do not "
                "compare: set the former again, or fill the index anew with `etabli documents reindex`.",
                found=space.embedder,
                wanted=embedder,
            )
        )
    return space


def index_vectors(database: Database, space: VectorSpace) -> bool:
    """Build the HNSW index of a space that has grown past exact search; searches and writes go on meanwhile.

    Returns:
        Whether it was built now.
    """
    count = sql.SQL("SELECT count(*) FROM {}").format(space.table)
    with database.statement_by_statement() as connection:
        row = connection.execute(count).fetchone()
        if space.indexed or row is None or row[0] <= EXACT_VECTORS:
            return False
        connection.execute(
            sql.SQL(
                "CREATE INDEX CONCURRENTLY IF NOT EXISTS {} ON {} USING hnsw (vector halfvec_ip_ops)"
                " WITH (m = 16, ef_construction = 64)"
            ).format(sql.Identifier(f"{space.table_name}_hnsw"), space.table)
        )
        connection.execute(sql.SQL("VACUUM ANALYZE {}").format(space.table))
        connection.execute("UPDATE vector_space SET indexed = true WHERE id = %s", (space.id,))
    return True


def drop_spaces(database: Database) -> None:
    """Forget all vectors, so that another embedding model may fill the index. Lexical search goes on."""
    with database.owner() as connection:
        for (space_id,) in connection.execute("DELETE FROM vector_space RETURNING id").fetchall():
            for table in (f"embedding_{space_id}", f"token_states_{space_id}"):
                connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(table)))


def pending_chunks(database: Database, space: VectorSpace, version_id: int) -> list[PendingChunk]:
    """The chunks of a version that have no vector in this space."""
    query = sql.SQL(
        "SELECT c.id, c.breadcrumb || E'\n' || substr(v.text, c.char_start + 1, c.char_end - c.char_start)"
        " FROM chunk c JOIN version v ON v.id = c.version_id"
        " WHERE c.version_id = %s AND NOT EXISTS (SELECT FROM {} e WHERE e.chunk_id = c.id) ORDER BY c.id"
    ).format(space.table)
    with database.owner() as connection:
        return [PendingChunk(*row) for row in connection.execute(query, (version_id,))]


def write_vectors(
    database: Database,
    space: VectorSpace,
    chunk_ids: Sequence[int],
    vectors: FloatMatrix,
    states: Sequence[bytes] | None = None,
) -> None:
    """Store what was computed of chunks; that of chunks removed meanwhile is dropped.

    Args:
        space: whose vectors they are.
        chunk_ids: n chunks.
        vectors: shape (n, dimensions).
        states: n packed token states, where the embedder gives them.
    """
    literals = ["[" + ",".join(f"{value:.6g}" for value in row) + "]" for row in np.asarray(vectors)]
    insert_vectors = sql.SQL(
        "INSERT INTO {} (chunk_id, collection_id, acl_set, vector)"
        " SELECT c.id, c.collection_id, c.acl_set, u.vector::halfvec"
        " FROM unnest(%s::bigint[], %s::text[]) u(id, vector) JOIN chunk c ON c.id = u.id"
        " ORDER BY c.id FOR SHARE OF c ON CONFLICT (chunk_id) DO NOTHING"
    ).format(space.table)
    insert_states = sql.SQL(
        "INSERT INTO {} (chunk_id, acl_set, states)"
        " SELECT c.id, c.acl_set, u.states FROM unnest(%s::bigint[], %s::bytea[]) u(id, states)"
        " JOIN chunk c ON c.id = u.id ON CONFLICT (chunk_id) DO NOTHING"
    ).format(space.states_table)
    with database.owner() as connection:
        connection.execute(insert_vectors, (list(chunk_ids), literals))
        if states is not None:
            connection.execute(insert_states, (list(chunk_ids), list(states)))

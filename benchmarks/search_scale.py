"""A larger index made of a smaller one, and permissions that have nothing to do with content.

Documents are multiplied inside the database: what a copy's rows hold is what `write_version` would write, because
ten copies of every document change neither the mean length nor the terms; only frequencies and totals grow
tenfold. `check_multiplication` shows it on a sample. Vectors of copies are the real ones plus noise, so that they
lie clustered as real ones do and none equals another.
"""

import io
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import psycopg
from corpora import Corpus, Document
from psycopg import sql
from scratch_index import scratch_database

from etabli.engines.base import FloatMatrix
from etabli.engines.e5 import DIMENSIONS, NAME, E5Embedder
from etabli.engines.late_interaction import QueryStates, pack
from etabli.knowledge.blocks import Block, ParsedDocument
from etabli.knowledge.chunking import chunk
from etabli.knowledge.index import VectorSpace, reweigh, write_version
from etabli.knowledge.library import acl_set_of
from etabli.storage.database import EVERYONE, Database

AUDITORS = "group:auditors"
UNITS = 20
"""Units of the organisation. Each holds 5 % of the documents, in two permission sets."""
COPY_COSINE = 0.95
"""Cosine of a copy's vector and the original: that of a real passage and its nearest neighbour."""
_STRIDE = 10_000_000
_CONTENT = ("document", "version", "chunk", "document_profile")


def caller(visible: int) -> list[str]:
    """Principals of somebody who sees this share of the documents, in per cent."""
    if visible == 100:
        return [EVERYONE, AUDITORS]
    return [EVERYONE, *(f"group:unit-{unit}" for unit in range(visible * UNITS // 100))]


def spread_permissions(database: Database, space: VectorSpace) -> list[int]:
    """Give every document one of forty permission sets, drawn by its number, and name these sets."""
    with database.owner() as connection:
        sets = _permission_sets(connection)
        connection.execute("UPDATE document SET acl_set = (%s::int[])[1 + abs(hashint8(id)) %% 40]", (sets,))
        for table in ("version", "chunk", "document_profile"):
            connection.execute(
                sql.SQL(
                    "UPDATE {0} SET acl_set = d.acl_set FROM document d WHERE d.id = {0}.document_id"
                ).format(sql.Identifier(table))
            )
        for embedded in (space.table, space.states_table):
            connection.execute(
                sql.SQL("UPDATE {0} SET acl_set = c.acl_set FROM chunk c WHERE c.id = {0}.chunk_id").format(
                    embedded
                )
            )
    with database.statement_by_statement() as connection:
        for name in (*_CONTENT, space.table_name, f"token_states_{space.id}"):
            connection.execute(sql.SQL("VACUUM (FULL, ANALYZE) {}").format(sql.Identifier(name)))
    return sets


def _permission_sets(connection: psycopg.Connection) -> list[int]:
    sets = []
    for unit in range(UNITS):
        staff = f"group:unit-{unit}"
        sets.append(acl_set_of(connection, [staff, AUDITORS]))
        sets.append(acl_set_of(connection, [staff, AUDITORS, f"group:managers-{unit}"]))
    return sets


def multiply(
    database: Database, times: int, *, space: VectorSpace | None, sets: Sequence[int] = (), seed: int = 0
) -> None:
    """Make `times` documents of each, as if they had been written one by one.

    Args:
        database: filled; its mean lengths are settled (`reweigh`).
        times: how many of each there will be.
        space: whose vectors and token states are multiplied too.
        sets: permission sets that the copies draw from; none leaves them those of the original.
        seed: of the noise.
    """
    with database.owner() as connection, _without_indexes(connection):
        # Foreign keys hold by construction; checking 200,000 one by one would take longer than writing them.
        connection.execute("SET LOCAL session_replication_role = replica")
        for copy in range(1, times):
            _copy_documents(connection, copy * _STRIDE, sets)
        for table in ("document", "version", "chunk"):
            connection.execute(
                sql.SQL("SELECT setval(pg_get_serial_sequence(%s, 'id'), (SELECT max(id) FROM {}))").format(
                    sql.Identifier(table)
                ),
                (table,),
            )
        connection.execute("UPDATE term SET df = df * %(n)s, document_df = document_df * %(n)s", {"n": times})
        connection.execute(
            "UPDATE lexical_total SET chunks = chunks * %(n)s, length = length * %(n)s,"
            " documents = documents * %(n)s, document_length = document_length * %(n)s",
            {"n": times},
        )
        if space is not None:
            _copy_vectors(connection, space, times, seed)
    with database.statement_by_statement() as connection:
        connection.execute("VACUUM ANALYZE")


def _copy_documents(connection: psycopg.Connection, offset: int, sets: Sequence[int]) -> None:
    """One more of each document that is numbered below the stride, `offset` further."""
    values = {"offset": offset, "stride": _STRIDE, "sets": list(sets)}
    connection.execute(
        "INSERT INTO document (id, collection_id, acl_set, name, sha256, size_bytes, state, version_id)"
        " OVERRIDING SYSTEM VALUE"
        " SELECT id + %(offset)s, collection_id,"
        " coalesce((%(sets)s::int[])[1 + abs(hashint8(id + %(offset)s)) %% 40], acl_set),"
        " name || ' ' || %(offset)s::text, sha256, size_bytes, state, version_id + %(offset)s"
        " FROM document d WHERE id <= %(stride)s",
        values,
    )
    connection.execute(
        "INSERT INTO version (id, document_id, acl_set, sha256, media_type, title, language, page_count, text,"
        " blocks, notes) OVERRIDING SYSTEM VALUE"
        " SELECT v.id + %(offset)s, d.id, d.acl_set, v.sha256, media_type, title, language, page_count, text,"
        " blocks, notes FROM version v JOIN document d ON d.id = v.document_id + %(offset)s"
        " WHERE v.id <= %(stride)s ORDER BY v.id",
        values,
    )
    connection.execute(
        "INSERT INTO chunk (id, document_id, version_id, collection_id, acl_set, ordinal, page, char_start,"
        " char_end, breadcrumb, language, terms, counts, mean_length, weights) OVERRIDING SYSTEM VALUE"
        " SELECT c.id + %(offset)s, d.id, c.version_id + %(offset)s, c.collection_id, d.acl_set, ordinal, page,"
        " char_start, char_end, breadcrumb, language, terms, counts, mean_length, weights"
        " FROM chunk c JOIN document d ON d.id = c.document_id + %(offset)s"
        " WHERE c.id <= %(stride)s ORDER BY c.id",
        values,
    )
    connection.execute(
        "INSERT INTO document_profile (document_id, acl_set, lead_chunk_id, terms, counts, mean_length, weights)"
        " SELECT d.id, d.acl_set, lead_chunk_id + %(offset)s, terms, counts, mean_length, weights"
        " FROM document_profile p JOIN document d ON d.id = p.document_id + %(offset)s"
        " WHERE p.document_id <= %(stride)s ORDER BY d.id",
        values,
    )


def _copy_vectors(connection: psycopg.Connection, space: VectorSpace, times: int, seed: int) -> None:
    rows = connection.execute(
        sql.SQL("SELECT chunk_id, collection_id, vector::text FROM {} ORDER BY chunk_id").format(space.table)
    ).fetchall()
    vectors = np.array([np.fromstring(row[2][1:-1], np.float32, sep=",") for row in rows])
    permissions: dict[int, int] = dict(connection.execute("SELECT id, acl_set FROM chunk").fetchall())
    draw = np.random.default_rng(seed)
    for copy in range(1, times):
        ids = [row[0] + copy * _STRIDE for row in rows]
        data = _binary_rows(
            ids,
            [row[1] for row in rows],
            [permissions[one] for one in ids],
            noisy(vectors, COPY_COSINE, draw),
        )
        statement = sql.SQL("COPY {} (chunk_id, collection_id, acl_set, vector) FROM STDIN (FORMAT binary)")
        with connection.cursor().copy(statement.format(space.table)) as into:
            into.write(data)
        connection.execute(
            sql.SQL(
                "INSERT INTO {0} (chunk_id, acl_set, states) SELECT c.id, c.acl_set, s.states"
                " FROM {0} s JOIN chunk c ON c.id = s.chunk_id + %s WHERE s.chunk_id <= %s ORDER BY c.id"
            ).format(space.states_table),
            (copy * _STRIDE, _STRIDE),
        )


def noisy(vectors: FloatMatrix, cosine: float, draw: np.random.Generator) -> FloatMatrix:
    """Unit vectors at about this cosine from the given ones, in random directions; shape as given."""
    noise = draw.standard_normal(vectors.shape, np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    moved: FloatMatrix = cosine * vectors + np.sqrt(1 - cosine**2).astype(np.float32) * noise
    unit: FloatMatrix = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return unit


def _binary_rows(
    ids: Sequence[int], collections: Sequence[int], permissions: Sequence[int], vectors: FloatMatrix
) -> bytes:
    """Rows of an embedding table in PostgreSQL's binary COPY format; a `halfvec` is size, 0, big-endian halves."""
    size = vectors.shape[1]
    row = np.dtype(
        [
            ("fields", ">i2"),
            ("id_length", ">i4"),
            ("id", ">i8"),
            ("collection_length", ">i4"),
            ("collection", ">i4"),
            ("acl_length", ">i4"),
            ("acl", ">i4"),
            ("vector_length", ">i4"),
            ("size", ">i2"),
            ("zero", ">i2"),
            ("vector", ">f2", (size,)),
        ]
    )
    table = np.zeros(len(ids), row)
    table["fields"], table["id_length"], table["id"] = 4, 8, ids
    table["collection_length"], table["collection"] = 4, collections
    table["acl_length"], table["acl"] = 4, permissions
    table["vector_length"], table["size"], table["vector"] = 4 + 2 * size, size, vectors
    data = io.BytesIO()
    data.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
    data.write(table.tobytes())
    data.write(b"\xff\xff")
    return data.getvalue()


@contextmanager
def _without_indexes(connection: psycopg.Connection) -> Iterator[None]:
    """Drop the indexes of `chunk` that are no constraints, and make the same again afterwards."""
    definitions = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'chunk' AND indexname NOT LIKE '%_pkey'"
    ).fetchall()
    for name, _ in definitions:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    yield
    connection.execute("SET LOCAL session_replication_role = origin")
    for _, definition in definitions:
        connection.execute(definition.encode())


def check_multiplication(documents: Sequence[Document], times: int = 3) -> None:
    """Raise AssertionError unless multiplied documents are those that `write_version` writes.

    Args:
        documents: a sample.
        times: how often each is written.
    """
    with scratch_database() as written, scratch_database() as multiplied:
        for _ in range(times):
            write_words(written, documents)
        write_words(multiplied, documents)
        for database in (written, multiplied):
            reweigh(database, always=True)
        multiply(multiplied, times, space=None)
        for statement in (
            "SELECT text, df, document_df FROM term ORDER BY text",
            "SELECT * FROM lexical_total",
            "SELECT ordinal, char_start, breadcrumb, terms, counts, mean_length, weights::text"
            " FROM chunk ORDER BY id",
            "SELECT terms, counts, mean_length, weights::text FROM document_profile ORDER BY document_id",
        ):
            with written.owner() as left, multiplied.owner() as right:
                assert left.execute(statement).fetchall() == right.execute(statement).fetchall(), statement


def write_words(database: Database, documents: Sequence[Document]) -> None:
    """Write documents without vectors, named by their number."""
    for document in documents:
        with database.owner() as connection:
            row = connection.execute(
                "INSERT INTO collection (name, acl_set) VALUES ('c', 1) ON CONFLICT (name)"
                " WHERE conversation_id IS NULL AND removed_at IS NULL DO UPDATE SET name = 'c' RETURNING id"
            ).fetchone()
            assert row is not None
            row = connection.execute(
                "INSERT INTO document (collection_id, acl_set, name, sha256, size_bytes, state) VALUES"
                " (%s, 1, (SELECT count(*) FROM document)::text, '', 0, 'ready') RETURNING id",
                row,
            ).fetchone()
            assert row is not None
            chunks = chunk(document.parsed, title=document.title)
            write_version(connection, row[0], sha256="", parsed=document.parsed, chunks=chunks)


def invented_corpus(passages: int, *, questions: int, seed: int = 0) -> Corpus:
    """Documents of about six passages of words that are as rare and as common as those of a language.

    Args:
        passages: about how many.
        questions: how many, each of words of one document.
        seed: of all draws.
    """
    draw = random.Random(seed)
    words = [_word(draw) for _ in range(30_000)]
    weights = np.cumsum([1 / (rank + 10) for rank in range(len(words))]).tolist()
    documents: list[Document] = []
    asked: list[tuple[str, frozenset[str]]] = []
    while 6 * len(documents) < passages:
        topic = draw.choices(words[200:], k=40)
        paragraphs = [
            " ".join(
                draw.choices(words, cum_weights=weights, k=150) + draw.choices(topic, k=30)
            )
            for _ in range(6)
        ]  # fmt: skip
        text = "\n".join(paragraphs)
        name = f"d{len(documents)}"
        ends = np.cumsum([len(paragraph) + 1 for paragraph in paragraphs]).tolist()
        blocks = [
            Block("paragraph", end - 1 - len(paragraph), end - 1)
            for end, paragraph in zip(ends, paragraphs, strict=True)
        ]
        documents.append(
            Document(
                name, " ".join(topic[:3]), ParsedDocument(text, tuple(blocks), "text/plain", language="fr")
            )
        )
        if len(asked) < questions:
            common = draw.choices(words, cum_weights=weights, k=5)
            asked.append((" ".join([*draw.sample(topic, 4), *common]), frozenset([name])))
    return Corpus("invented", documents, asked)


def _word(draw: random.Random) -> str:
    return "".join(draw.choice("bcdfglmnprstv") + draw.choice("aeiou") for _ in range(draw.randint(2, 4)))


class InventedPassages:
    """Embeds questions for real, and gives passages vectors around those of questions: no model runs over a corpus.

    Args:
        questions: whose vectors are the centres of clusters.
        seed: of all draws.
    """

    name = NAME
    dimensions = DIMENSIONS
    has_token_states = True

    def __init__(self, embedder: E5Embedder, questions: Sequence[str], *, seed: int = 0) -> None:
        self._embedder = embedder
        self._draw = np.random.default_rng(seed)
        self._centres = embedder.embed_queries(questions)
        self._components = embedder.embed_query_with_states("?")[1].states.shape[1]

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """As the real embedder."""
        return self._embedder.embed_queries(texts)

    def embed_query_with_states(self, text: str) -> tuple[FloatMatrix, QueryStates]:
        """As the real embedder."""
        return self._embedder.embed_query_with_states(text)

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        """Invented vectors."""
        places = self._draw.integers(0, len(self._centres), len(texts))
        return noisy(self._centres[places], 0.85, self._draw)

    def embed_passages_with_states(self, texts: Sequence[str]) -> tuple[FloatMatrix, list[bytes]]:
        """Invented vectors and token states, of as many tokens as a passage keeps."""
        states = [
            pack(self._draw.standard_normal((1 + len(text) // 10, self._components), np.float32))
            for text in texts
        ]
        return self.embed_passages(texts), states

    def close(self) -> None:
        """As the real embedder."""
        self._embedder.close()

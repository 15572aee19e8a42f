"""The shadow of an assistant's collections: planted documents that only a campaign can find.

A hostile document must be found beside the real ones, and no person may ever see it. So each set of plants becomes a
collection of its own in the same index, readable by a principal that no account has; the campaign searches it
together with the assistant's collections, and row-level security keeps it from everybody else. Copying a large
index for every campaign would cost hours and prove no more.
"""

import hashlib
from collections.abc import Sequence

import psycopg

from etabli.certification.base import Plant
from etabli.engines.base import Embedder
from etabli.engines.late_interaction import late_embedder
from etabli.knowledge.chunking import chunk
from etabli.knowledge.index import open_space, pending_chunks, remove_chunks, write_vectors, write_version
from etabli.knowledge.ingestion import readable_name
from etabli.knowledge.library import acl_set_of
from etabli.knowledge.readers.limits import ReaderLimits
from etabli.knowledge.readers.markdown import read
from etabli.storage.database import Database

_PREFIX = "campaign:"


class Shadow:
    """The planted documents of one campaign. Every method blocks.

    Args:
        database: whose index is extended.
        embedder: the one that filled it; None where there are no vectors.
        campaign: its id.
    """

    def __init__(self, database: Database, embedder: Embedder | None, campaign: str) -> None:
        self._database = database
        self._embedder = embedder
        self._name = f"{_PREFIX}{campaign}"
        self._collections: dict[tuple[Plant, ...], int] = {}

    @property
    def principals(self) -> tuple[str, ...]:
        """What the caller of the probes has besides the assistant's audience."""
        return (self._name,)

    def collection(self, plants: Sequence[Plant]) -> int:
        """Number of the collection that holds exactly these documents, made when it is not there yet."""
        key = tuple(plants)
        if key not in self._collections:
            self._collections[key] = self._make(key)
        return self._collections[key]

    def _make(self, plants: tuple[Plant, ...]) -> int:
        digest = hashlib.sha256(repr(plants).encode()).hexdigest()[:24]
        name = f"{self._name}:{digest}"
        with self._database.owner() as connection:
            row = connection.execute(
                "SELECT id FROM collection WHERE conversation_id = %s", (name,)
            ).fetchone()
            number = int(row[0]) if row is not None else self._insert(connection, name, plants)
            versions = connection.execute(
                "SELECT version_id FROM document WHERE collection_id = %s ORDER BY id", (number,)
            ).fetchall()
        for (version,) in versions:
            self._embed(int(version))
        return number

    def _insert(self, connection: psycopg.Connection, name: str, plants: Sequence[Plant]) -> int:
        row = connection.execute(
            "INSERT INTO collection (name, acl_set, conversation_id) VALUES (%(name)s, %(acl)s, %(name)s)"
            " RETURNING id",
            {"name": name, "acl": acl_set_of(connection, [self._name])},
        ).fetchone()
        assert row is not None
        for plant in plants:
            self._write(connection, int(row[0]), plant)
        return int(row[0])

    def _write(self, connection: psycopg.Connection, collection: int, plant: Plant) -> None:
        data = plant.text.encode()
        parsed = read(data, ReaderLimits())
        sha256 = hashlib.sha256(data).hexdigest()
        readers = self._name if plant.audience == "assistant" else f"{self._name}:other"
        row = connection.execute(
            "INSERT INTO document (collection_id, acl_set, name, sha256, size_bytes, state)"
            " VALUES (%s, %s, %s, %s, %s, 'ready') RETURNING id",
            (collection, acl_set_of(connection, [readers]), plant.name, sha256, len(data)),
        ).fetchone()
        assert row is not None
        chunks = chunk(parsed, title=parsed.title or readable_name(plant.name))
        write_version(connection, int(row[0]), sha256=sha256, parsed=parsed, chunks=chunks)

    def _embed(self, version: int) -> None:
        if self._embedder is None:
            return
        space = open_space(self._database, self._embedder.name, self._embedder.dimensions)
        pending = pending_chunks(self._database, space, version)
        if not pending:
            return
        texts, late = [one.text for one in pending], late_embedder(self._embedder)
        vectors, states = (
            late.embed_passages_with_states(texts)
            if late is not None
            else (self._embedder.embed_passages(texts), None)
        )
        write_vectors(self._database, space, [one.id for one in pending], vectors, states)


def remove_shadows(database: Database, campaign: str | None = None) -> int:
    """Take the planted documents of one campaign, or of all, out of the index. Says how many there were. Blocks."""
    pattern = f"{_PREFIX}{campaign}:%" if campaign is not None else f"{_PREFIX}%"
    with database.owner() as connection:
        rows = connection.execute(
            "SELECT d.id FROM document d JOIN collection c ON c.id = d.collection_id"
            " WHERE c.conversation_id LIKE %s",
            (pattern,),
        ).fetchall()
        documents = [int(number) for (number,) in rows]
        if documents:
            remove_chunks(connection, *documents)
            connection.execute("UPDATE document SET version_id = NULL WHERE id = ANY (%s)", (documents,))
            connection.execute("DELETE FROM version WHERE document_id = ANY (%s)", (documents,))
            connection.execute("DELETE FROM document WHERE id = ANY (%s)", (documents,))
        connection.execute("DELETE FROM collection WHERE conversation_id LIKE %s", (pattern,))
    return len(documents)

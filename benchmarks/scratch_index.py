"""A throw-away database with a corpus in it, written by the product's own code."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from corpora import Corpus
from rich.console import Console
from rich.progress import track

from etabli.engines.base import FloatMatrix
from etabli.engines.e5_graph import load_projection
from etabli.engines.late_interaction import LateEmbedder
from etabli.knowledge.chunking import chunk
from etabli.knowledge.index import index_vectors, open_space, reweigh, write_vectors, write_version
from etabli.knowledge.library import acl_set_of
from etabli.storage.database import EVERYONE, Database
from etabli.storage.embedded import EmbeddedPostgres

_BATCH = 64
_CONSOLE = Console(stderr=True)


@contextmanager
def scratch_database() -> Iterator[Database]:
    """An empty, migrated database, gone afterwards."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        server = EmbeddedPostgres(
            root / "cluster", run_dir=root / "run", log_path=root / "log", memory_bytes=8 * 2**30
        )
        server.start()
        with Database(server.conninfo, embedded=server) as database:
            yield database


def write_corpus(database: Database, corpus: Corpus, embedder: LateEmbedder, *, cache: Path | None) -> int:
    """Index a corpus whole, words and vectors, for everyone; the document's name is its id.

    Args:
        database: empty.
        corpus: what to write.
        embedder: of passages.
        cache: a folder where what was embedded is kept for the next run; nothing is kept if None.

    Returns:
        How many passages there are.
    """
    with database.owner() as connection:
        everyone = acl_set_of(connection, [EVERYONE])
        row = connection.execute(
            "INSERT INTO collection (name, acl_set) VALUES (%s, %s) RETURNING id", (corpus.name, everyone)
        ).fetchone()
        assert row is not None
        collection = row[0]
    for document in track(corpus.documents, f"{corpus.name}: words", console=_CONSOLE):
        with database.owner() as connection:
            row = connection.execute(
                "INSERT INTO document (collection_id, acl_set, name, sha256, size_bytes, state)"
                " VALUES (%s, %s, %s, '', 0, 'ready') RETURNING id",
                (collection, everyone, document.id),
            ).fetchone()
            assert row is not None
            chunks = chunk(document.parsed, title=document.title)
            write_version(connection, row[0], sha256="", parsed=document.parsed, chunks=chunks)
    reweigh(database, always=True)
    space = open_space(database, embedder.name, embedder.dimensions)
    with database.owner() as connection:
        rows = connection.execute(
            "SELECT c.id, c.breadcrumb || E'\n' || substr(v.text, c.char_start + 1, c.char_end - c.char_start)"
            " FROM chunk c JOIN version v ON v.id = c.version_id ORDER BY c.id"
        ).fetchall()
    texts = [text for _, text in rows]
    vectors, states = _embedded(embedder, texts, corpus.name, cache)
    for start in track(range(0, len(rows), 500), f"{corpus.name}: storing vectors", console=_CONSOLE):
        part = slice(start, start + 500)
        write_vectors(database, space, [chunk_id for chunk_id, _ in rows[part]], vectors[part], states[part])
    index_vectors(database, space)
    with database.statement_by_statement() as connection:
        connection.execute("VACUUM ANALYZE")
    return len(rows)


def _embedded(
    embedder: LateEmbedder, texts: Sequence[str], name: str, cache: Path | None
) -> tuple[FloatMatrix, list[bytes]]:
    """Vectors and packed token states of the texts, from the cache when it has just these."""
    key = load_projection().tobytes() + "\0".join([embedder.name, *texts]).encode()
    digest = hashlib.sha256(key).hexdigest()[:16]
    kept = cache / f"{name}-{digest}.npz" if cache is not None else None
    if kept is not None and kept.exists():
        with np.load(kept, allow_pickle=False) as file:
            ends = np.cumsum(file["lengths"])
            blob = file["states"].tobytes()
            return file["vectors"], [
                blob[end - size : end] for end, size in zip(ends, file["lengths"], strict=True)
            ]
    # Texts of like length together: a batch is as long as its longest.
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    vectors: FloatMatrix = np.empty((len(texts), embedder.dimensions), np.float32)
    states = [b""] * len(texts)
    for start in track(
        range(0, len(order), _BATCH), f"{name}: embedding {len(texts)} passages", console=_CONSOLE
    ):
        places = order[start : start + _BATCH]
        vectors[places], packed = embedder.embed_passages_with_states([texts[place] for place in places])
        for place, data in zip(places, packed, strict=True):
            states[place] = data
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        lengths = np.array([len(data) for data in states])
        np.savez(kept, vectors=vectors, states=np.frombuffer(b"".join(states), np.uint8), lengths=lengths)
    return vectors, states

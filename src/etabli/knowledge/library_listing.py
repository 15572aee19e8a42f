"""The list of documents as one reader sees it: one statement a page, whatever its length.

A document is found by words of its name or title, accents and case folded; its stage says in one word how far it is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Literal, get_args

from psycopg import sql
from psycopg.rows import dict_row

from etabli.knowledge.highlighting import MARKED, PLAIN, folded
from etabli.knowledge.index import live_space
from etabli.knowledge.ingestion import EMBED_JOB
from etabli.knowledge.readers.detection import MEDIA_TYPES
from etabli.messages import told
from etabli.storage.database import Database

Stage = Literal["queued", "reading", "searchable", "embedding", "ready", "failed"]
STAGES: tuple[Stage, ...] = get_args(Stage)
Order = Literal["name", "newest"]
MAX_LIMIT = 5_000
_ENDINGS = {".md": "markdown", ".markdown": "markdown", ".htm": "html", ".txt": "text", ".tsv": "csv"}
_IMAGES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".tif": "image/tiff"}

_LIKE_MARKS = re.compile(r"[\\%_]")
_FOLDED = (
    "lower(replace(replace(translate(normalize({}, NFD), %(marked)s, %(plain)s), 'œ', 'oe'), 'æ', 'ae'))"
    ' COLLATE "C"'
)
_STAGE = (
    "CASE WHEN d.state IN ('queued', 'reading', 'ready') THEN d.state"
    " WHEN d.state <> 'searchable' THEN 'failed'"
    " WHEN d.version_id = ANY (%(embedding)s) THEN 'embedding' ELSE 'searchable' END"
)
_KEYS: dict[Order, str] = {
    "name": f"c.key || E'\\x01' || {_FOLDED.format('d.name')}",
    "newest": "-d.id",
}
_QUERY = (
    "WITH shelf AS MATERIALIZED ("
    " SELECT id, name, conversation_id, removed_at, {collection_key} AS key FROM collection"
    "), matching AS MATERIALIZED ("
    " SELECT d.id, {key} AS key FROM document d"
    " JOIN shelf c ON c.id = d.collection_id LEFT JOIN version v ON v.id = d.version_id"
    " WHERE {condition}"
    "), page AS MATERIALIZED ("
    " SELECT id, key FROM matching WHERE %(after)s::bigint IS NULL OR (key, id) > ("
    "  SELECT {key}, d.id FROM document d JOIN shelf c ON c.id = d.collection_id WHERE d.id = %(after)s)"
    " ORDER BY key, id LIMIT %(limit)s"
    "), counted AS ("
    " SELECT document_id, count(*) AS chunks FROM chunk"
    " WHERE document_id IN (SELECT id FROM page) GROUP BY document_id)"
    " SELECT d.id, d.collection_id, c.name AS collection, c.conversation_id, d.name, v.title, d.state,"
    " {stage} AS stage, d.message, d.size_bytes, v.media_type, v.language, v.page_count,"
    " coalesce(n.chunks, 0) AS chunks, d.version_id, d.root IS NOT NULL AS from_folder, d.created_at,"
    " d.updated_at, (SELECT count(*) FROM matching) AS total"
    " FROM page p JOIN document d ON d.id = p.id JOIN shelf c ON c.id = d.collection_id"
    " LEFT JOIN version v ON v.id = d.version_id LEFT JOIN counted n ON n.document_id = d.id"
    " ORDER BY p.key, p.id"
)


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """A document as people see it in a list.

    `stage` sums up `state`, which says why a failed document could not be read; `progress`, from 0 to 1, is there
    while vectors are computed. The name of a document that was not read yet tells its `media_type`.
    """

    id: int
    collection_id: int
    collection: str
    conversation_id: str | None
    name: str
    title: str | None
    state: str
    stage: Stage
    message: str | None
    size_bytes: int
    media_type: str | None
    language: str | None
    page_count: int | None
    chunks: int
    version_id: int | None
    from_folder: bool
    created_at: datetime
    updated_at: datetime
    progress: float | None = None


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """Which documents, in which order, from where.

    Args:
        collection_id: of this collection; all that are listed if None.
        query: words that the name or the title has, each at least as a part of one.
        stage: those at this stage.
        order: by collection and name, or the newest first.
        limit: how many at most.
        after: the document that the page before ended with.
        document_ids: only these, wherever they are.
    """

    collection_id: int | None = None
    query: str = ""
    stage: Stage | None = None
    order: Order = "name"
    limit: int = 100
    after: int | None = None
    document_ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """A page of the list, and how many documents there are in all."""

    entries: tuple[DocumentEntry, ...]
    total: int
    has_more: bool


def list_documents(database: Database, wanted: DocumentFilter, *, principals: Sequence[str]) -> DocumentPage:
    """The documents that the principals may see and that were not deleted."""
    words = folded(wanted.query).split()
    with database.owner() as connection:
        rows = connection.execute(
            "SELECT key::bigint FROM job WHERE kind = %s AND state = 'running'", (EMBED_JOB,)
        ).fetchall()
    values: dict[str, Any] = {
        "marked": MARKED,
        "plain": PLAIN,
        "embedding": [version_id for (version_id,) in rows],
        "collection": wanted.collection_id,
        "words": [_containing(word) for word in words],
        "stage": wanted.stage,
        "ids": None if wanted.document_ids is None else list(wanted.document_ids),
        "after": wanted.after,
        "limit": min(wanted.limit, MAX_LIMIT) + 1,
    }
    query = _QUERY.format(
        collection_key=_FOLDED.format("name"),
        key=_KEYS[wanted.order],
        stage=_STAGE,
        condition=_condition(wanted, words),
    )
    with database.reader(principals) as connection:
        found = connection.cursor(row_factory=dict_row).execute(query.encode(), values).fetchall()
    total = int(found[0]["total"]) if found else 0
    entries = [_entry(row) for row in found[: wanted.limit]]
    return DocumentPage(_with_progress(database, entries, principals), total, len(found) > wanted.limit)


def document_entry(
    database: Database, document_id: int, *, principals: Sequence[str]
) -> DocumentEntry | None:
    """One document, or None when there is none that the principals may see."""
    wanted = DocumentFilter(document_ids=(document_id,), limit=1)
    entries = list_documents(database, wanted, principals=principals).entries
    return entries[0] if entries else None


def _condition(wanted: DocumentFilter, words: Sequence[str]) -> str:
    """Only our own words: what a caller says travels as parameters."""
    parts = ["d.removed_at IS NULL", "c.removed_at IS NULL"]
    if wanted.document_ids is not None:
        parts.append("d.id = ANY (%(ids)s)")
    elif wanted.collection_id is not None:
        parts.append("d.collection_id = %(collection)s")
    else:
        parts.append("c.conversation_id IS NULL")
    if words:
        text = _FOLDED.format("(d.name || ' ' || coalesce(v.title, ''))")
        parts.append(f"{text} LIKE ALL (%(words)s::text[])")
    if wanted.stage is not None:
        parts.append(f"{_STAGE} = %(stage)s")
    return " AND ".join(parts)


def _containing(word: str) -> str:
    """A pattern of SQL's LIKE for texts that have a word in them, taken literally.

    >>> _containing("100%")
    '%100\\\\%%'
    """
    return "%" + _LIKE_MARKS.sub(r"\\\g<0>", word) + "%"


def _entry(row: dict[str, Any]) -> DocumentEntry:
    values = {name: value for name, value in row.items() if name != "total"}
    values["media_type"] = values["media_type"] or guessed_type(values["name"])
    values["message"] = told(values["message"]) or None
    return DocumentEntry(**values)


def guessed_type(name: str) -> str | None:
    """The media type that a name speaks of.

    >>> guessed_type("rh/Congés.PDF"), guessed_type("notes")
    ('application/pdf', None)
    """
    suffix = PurePosixPath(name).suffix.lower()
    return MEDIA_TYPES.get(_ENDINGS.get(suffix, suffix[1:])) or _IMAGES.get(suffix)


def _with_progress(
    database: Database, entries: Sequence[DocumentEntry], principals: Sequence[str]
) -> tuple[DocumentEntry, ...]:
    """The entries; those whose vectors are being computed (one or two at a time) say how far that is."""
    busy = [entry.id for entry in entries if entry.stage == "embedding" and entry.chunks]
    if not busy:
        return tuple(entries)
    with database.owner() as connection:
        space = live_space(connection)
    if space is None:
        return tuple(entries)
    with database.reader(principals) as connection:
        done = dict(
            connection.execute(
                sql.SQL(
                    "SELECT c.document_id, count(*) FROM chunk c JOIN {} e ON e.chunk_id = c.id"
                    " WHERE c.document_id = ANY (%s) GROUP BY c.document_id"
                ).format(space.table),
                (busy,),
            ).fetchall()
        )
    return tuple(
        replace(entry, progress=round(done.get(entry.id, 0) / entry.chunks, 3)) if entry.id in busy else entry
        for entry in entries
    )

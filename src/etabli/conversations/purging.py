"""The end of what was removed: after 30 days a conversation goes for good, and its own documents with it."""

import logging
from pathlib import Path

from psycopg import Connection

from etabli.conversations.conversations import KEPT
from etabli.knowledge.index import remove_chunks
from etabli.knowledge.pages_cache import forget_pages
from etabli.storage.database import Database, file_of_hash

log = logging.getLogger(__name__)


def purge(database: Database, files_dir: Path, *, pages_dir: Path | None = None) -> int:
    """Delete what was removed 30 days ago or earlier. Says how many conversations that were. Blocks.

    Args:
        database: of the workspace.
        files_dir: where originals lie by their hash.
        pages_dir: where pictures of their pages are kept.
    """
    with database.owner() as connection:
        rows = connection.execute(
            "DELETE FROM conversation WHERE removed_at < now() - %s::interval RETURNING key", (KEPT,)
        ).fetchall()
        unused = _delete_documents(connection, [str(key) for (key,) in rows])
    for sha256 in unused:
        file_of_hash(files_dir, sha256).unlink(missing_ok=True)
        if pages_dir is not None:
            forget_pages(pages_dir, sha256)
    if rows:
        log.info("%d conversations that were removed 30 days ago are gone", len(rows))
    return len(rows)


def _delete_documents(connection: Connection, conversations: list[str]) -> list[str]:
    """Delete the documents of these conversations; gives the hashes of originals that nothing refers to."""
    documents = [
        int(number)
        for (number,) in connection.execute(
            "SELECT d.id FROM document d JOIN collection k ON k.id = d.collection_id"
            " WHERE k.conversation_id = ANY (%s)",
            (conversations,),
        )
    ]
    for number in documents:
        remove_chunks(connection, number)
    connection.execute("UPDATE document SET version_id = NULL WHERE id = ANY (%s)", (documents,))
    versions = connection.execute(
        "DELETE FROM version WHERE document_id = ANY (%s) RETURNING sha256", (documents,)
    ).fetchall()
    originals = connection.execute(
        "DELETE FROM document WHERE id = ANY (%s) RETURNING sha256", (documents,)
    ).fetchall()
    connection.execute("DELETE FROM collection WHERE conversation_id = ANY (%s)", (conversations,))
    hashes = sorted({str(sha256) for (sha256,) in [*versions, *originals]})
    rows = connection.execute(
        "SELECT h FROM unnest(%s::text[]) h WHERE NOT EXISTS (SELECT 1 FROM document d WHERE d.sha256 = h)"
        " AND NOT EXISTS (SELECT 1 FROM version v WHERE v.sha256 = h)",
        (hashes,),
    )
    return [str(sha256) for (sha256,) in rows]

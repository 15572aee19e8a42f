"""Opens documents for callers: read as the caller, so that the database decides what they may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row

from etabli.errors import NotFoundError
from etabli.messages import tr
from etabli.server.auth import Caller
from etabli.server.documents.protocol import DocumentVersion
from etabli.server.services import Services
from etabli.storage.database import file_of_hash

MAX_NUMBER = 2**63 - 1
"""Largest number of a document or version: PostgreSQL's bigint."""


@dataclass(frozen=True, slots=True)
class OriginalFile:
    """The file that a version was read from."""

    path: Path
    name: str
    media_type: str


class Documents:
    """Opens versions of documents. Every method blocks, so call it from a thread.

    Args:
        services: the parts of the workspace.
    """

    def __init__(self, services: Services) -> None:
        self._database = services.database
        self._files_dir = services.settings.files_dir

    def version(self, document_id: int, version_id: int, caller: Caller) -> DocumentVersion:
        """What was read from one state of a document.

        Raises:
            NotFoundError: there is none, or it is not for this caller.
        """
        columns = (
            "v.title, v.language, v.page_count, v.created_at, v.notes, v.text, v.blocks, d.collection_id"
        )
        row = self._row(columns, document_id, version_id, caller.principals)
        return DocumentVersion(
            **row,
            document_id=document_id,
            version_id=version_id,
            file=f"/v1/etabli/documents/{document_id}/versions/{version_id}/file",
        )

    def file(self, document_id: int, version_id: int, caller: Caller) -> OriginalFile:
        """The original file of a version.

        Raises:
            NotFoundError: there is none, it is not for this caller, or its bytes were not kept.
        """
        row = self._row("v.id", document_id, version_id, caller.principals)
        path = file_of_hash(self._files_dir, row["sha256"])
        if not path.is_file():
            raise NotFoundError(tr("The original of this document was not kept. Its text can still be read."))
        return OriginalFile(path, Path(row["name"]).name or "document", row["media_type"])

    def _row(
        self, columns: str, document_id: int, version_id: int, principals: Sequence[str]
    ) -> dict[str, Any]:
        query = (
            f"SELECT {columns}, v.sha256, v.media_type, d.name,"  # columns: ours, never a caller's
            " (d.version_id = v.id AND d.removed_at IS NULL) AS current"
            " FROM version v JOIN document d ON d.id = v.document_id"
            " WHERE v.id = %(version)s AND d.id = %(document)s"
        )
        row = None
        if max(document_id, version_id) <= MAX_NUMBER:
            with self._database.reader(principals) as connection:
                row = (
                    connection.cursor(row_factory=dict_row)
                    .execute(query.encode(), {"version": version_id, "document": document_id})
                    .fetchone()
                )
        if row is None:
            raise NotFoundError(tr("There is no such document, or it is not for you."))
        return row

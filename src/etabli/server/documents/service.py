"""Opens documents for callers: read as the caller, so that the database decides what they may see."""

import itertools
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row

from etabli.errors import NotFoundError
from etabli.knowledge.highlighting import occurrences
from etabli.knowledge.pages import PICTURED_TYPES, Original
from etabli.messages import told, tr
from etabli.server.auth import Caller
from etabli.server.documents.protocol import DocumentVersion, Occurrence, OccurrenceList
from etabli.server.services import Services
from etabli.storage.database import file_of_hash

MAX_NUMBER = 2**63 - 1
"""Largest number of a document or version: PostgreSQL's bigint."""
MAX_OCCURRENCES = 1_000
_MOST_COUNTED = 10_000


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
            "v.title, v.language, v.page_count, v.created_at, v.notes, v.text, v.blocks, d.collection_id,"
            " c.name AS collection, CASE WHEN d.removed_at IS NULL THEN d.version_id END AS current_version_id"
        )
        row = self._row(columns, document_id, version_id, caller.principals)
        row["notes"] = [told(note) for note in row["notes"]]
        return DocumentVersion(
            **row,
            document_id=document_id,
            version_id=version_id,
            file=f"/v1/etabli/documents/{document_id}/versions/{version_id}/file",
            pictured=row["media_type"] in PICTURED_TYPES
            and file_of_hash(self._files_dir, row["sha256"]).is_file(),
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

    def original(self, document_id: int, version_id: int, caller: Caller) -> Original:
        """What the pages of a version are drawn from.

        Raises:
            NotFoundError: there is none, or it is not for this caller.
        """
        row = self._row("v.id", document_id, version_id, caller.principals)
        return Original(row["sha256"], row["media_type"])

    def find(self, document_id: int, version_id: int, query: str, caller: Caller) -> OccurrenceList:
        """Where a phrase stands in a version: any case, with or without accents, over line ends.

        Raises:
            NotFoundError: there is no such version, or it is not for this caller.
        """
        columns = (
            "v.text, jsonb_path_query_array(v.blocks, '$[*].char_start') AS starts,"
            " jsonb_path_query_array(v.blocks, '$[*].page') AS pages"
        )
        row = self._row(columns, document_id, version_id, caller.principals)
        found = list(itertools.islice(occurrences(row["text"], query), _MOST_COUNTED))
        starts, pages = row["starts"], row["pages"]
        return OccurrenceList(
            data=[
                Occurrence(
                    char_start=start,
                    char_end=end,
                    page=pages[place] if (place := bisect_right(starts, start) - 1) >= 0 else None,
                )
                for start, end in found[:MAX_OCCURRENCES]
            ],
            total=len(found),
        )

    def _row(
        self, columns: str, document_id: int, version_id: int, principals: Sequence[str]
    ) -> dict[str, Any]:
        query = (
            f"SELECT {columns}, v.sha256, v.media_type, d.name,"  # columns: ours, never a caller's
            " (d.version_id = v.id AND d.removed_at IS NULL) AS current"
            " FROM version v JOIN document d ON d.id = v.document_id JOIN collection c ON c.id = d.collection_id"
            " WHERE v.id = %(version)s AND d.id = %(document)s"
        )
        row = None
        if max(abs(document_id), abs(version_id)) <= MAX_NUMBER:
            with self._database.reader(principals) as connection:
                row = (
                    connection.cursor(row_factory=dict_row)
                    .execute(query.encode(), {"version": version_id, "document": document_id})
                    .fetchone()
                )
        if row is None:
            raise NotFoundError(tr("There is no such document, or it is not for you."))
        return row

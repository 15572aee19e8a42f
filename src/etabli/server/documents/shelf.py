"""The list of documents and what changes it, for callers.

Whoever sees a collection may add to it and change its documents: a conversation's is seen by its own account only.
"""

from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

from anyio import to_thread

from etabli.errors import InvalidInputError, NotFoundError
from etabli.knowledge.library_collections import Collections
from etabli.knowledge.library_listing import DocumentEntry, DocumentFilter, document_entry, list_documents
from etabli.knowledge.library_uploads import Outcome, Uploads, document_name
from etabli.messages import tr
from etabli.server.auth import Caller
from etabli.server.documents.numbers import checked_number
from etabli.server.documents.protocol import Document, DocumentList
from etabli.server.documents.receiving import Upload, receive_upload
from etabli.server.documents.service import MAX_NUMBER
from etabli.server.services import Services


class DocumentShelf:
    """Lists, adds and removes documents. Every method but `upload` blocks, so call it from a thread.

    Args:
        services: the parts of the workspace.
    """

    def __init__(self, services: Services) -> None:
        self._database = services.database
        self._folder: Path = services.settings.files_dir
        self._max_bytes = services.settings.max_document_bytes
        self._collections = Collections(services.database, services.settings.documents_dir)
        self._uploads = Uploads(services.database, services.settings.files_dir)

    def listed(self, wanted: DocumentFilter, caller: Caller) -> DocumentList:
        """A page of the documents that the caller may see.

        Raises:
            NotFoundError: the collection does not exist, or is not for this caller.
        """
        if wanted.collection_id is not None:
            self._collections.entry(checked_number(wanted.collection_id), principals=caller.principals)
        if wanted.after is not None:
            checked_number(wanted.after, largest=MAX_NUMBER)
        page = list_documents(self._database, wanted, principals=caller.principals)
        return DocumentList(
            data=[_shown(entry) for entry in page.entries],
            has_more=page.has_more,
            last_id=page.entries[-1].id if page.entries else None,
            total=page.total,
        )

    def get(self, document_id: int, caller: Caller) -> Document:
        """One document.

        Raises:
            NotFoundError: there is none, or it is not for this caller.
        """
        checked_number(document_id, largest=MAX_NUMBER)
        entry = document_entry(self._database, document_id, principals=caller.principals)
        if entry is None:
            raise _absent()
        return _shown(entry)

    async def upload(
        self, body: AsyncIterator[bytes], content_type: str, caller: Caller
    ) -> tuple[Document, Outcome]:
        """Take in a file: a new document, or a new version of the one that has its name.

        Args:
            body: a form with `file`, `collection_id` and maybe `relative_path`, in any order.
            content_type: of the request.
            caller: who sends it.

        Raises:
            InvalidInputError: the form or the file's name cannot be used, or the file is too large.
            DocumentError: the file is of no format that is read.
            NotFoundError: there is no such collection, or it is not for this caller.
        """
        upload = await receive_upload(body, content_type, folder=self._folder, max_bytes=self._max_bytes)
        return await to_thread.run_sync(self._keep, upload, caller)

    def remove(self, document_id: int, caller: Caller) -> None:
        """Take a document out of search at once. Old citations still open.

        Raises:
            NotFoundError: there is none, or it is not for this caller.
        """
        self._uploads.remove([self.get(document_id, caller).id])

    def restore(self, document_id: int, caller: Caller) -> Document:
        """Undo `remove`.

        Raises:
            NotFoundError: there is none, or it is not for this caller.
            ConflictError: another document has its name now, or its collection was deleted.
        """
        checked_number(document_id, largest=MAX_NUMBER)
        with self._database.reader(caller.principals) as connection:
            if not connection.execute("SELECT FROM document WHERE id = %s", (document_id,)).rowcount:
                raise _absent()
        self._uploads.restore(document_id)
        return self.get(document_id, caller)

    def read_again(self, document_id: int, caller: Caller) -> Document:
        """Have a document read anew; until then it is found as it was.

        Raises:
            NotFoundError: there is none, or it is not for this caller.
        """
        self._uploads.read_again(self.get(document_id, caller).id)
        return self.get(document_id, caller)

    def _keep(self, upload: Upload, caller: Caller) -> tuple[Document, Outcome]:
        try:
            name = document_name(upload.fields.get("relative_path") or upload.filename)
            collection = self._collections.entry(_collection_of(upload), principals=caller.principals)
            document_id, outcome = self._uploads.keep(upload.received, collection_id=collection.id, name=name)
        finally:
            upload.received.path.unlink(missing_ok=True)
        return self.get(document_id, caller), outcome


def _collection_of(upload: Upload) -> int:
    value = upload.fields.get("collection_id", "")
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise InvalidInputError(
            tr("“collection_id” is missing or is no number: say where the file goes."), param="collection_id"
        )
    return checked_number(int(value))


def _shown(entry: DocumentEntry) -> Document:
    url = None if entry.version_id is None else f"/documents/{entry.id}/versions/{entry.version_id}"
    return Document(**asdict(entry), url=url)


def _absent() -> NotFoundError:
    return NotFoundError(tr("There is no such document, or it is not for you."))

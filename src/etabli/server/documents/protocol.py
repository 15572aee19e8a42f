"""The wire types of documents: their list, what a citation is opened with, and their pages."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from etabli.knowledge.library_listing import Stage

Range = tuple[int, int]
"""First character and end (exclusive), counted in Unicode code points."""


class Document(BaseModel):
    """A document as people see it in a list.

    Attributes:
        name: its file name in its collection, with folders before it.
        title: its own, when it says one.
        state: `queued`, `reading`, `searchable`, `ready`, or why it could not be read: `empty`, `encrypted`,
            `broken`, `too_large`, `unsupported`, `needs_ocr`, `timeout`, `unsafe`.
        stage: the same in fewer words: `searchable` by words, `embedding` while vectors are computed, `failed`.
        progress: of the vectors, from 0 to 1, while they are computed.
        message: what to do about a failure, or what was left out of a document that was read.
        chunks: passages that can be found.
        version_id: what was read last; absent until it was read once.
        from_folder: it lies in a folder that was added, and follows it.
        url: the page that shows it; absent until it was read once.
    """

    id: int
    collection_id: int
    collection: str
    conversation_id: str | None
    name: str
    title: str | None
    state: str
    stage: Stage
    progress: float | None
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
    url: str | None


class DocumentList(BaseModel):
    """A page of the list. `total` counts all that match; ask for more with `after` = `last_id`."""

    object: Literal["list"] = "list"
    data: list[Document]
    has_more: bool
    last_id: int | None
    total: int


class DocumentVersion(BaseModel):
    """What was read from one state of a document. Citations are ranges in `text`.

    Attributes:
        text: the canonical text.
        blocks: headings (`level`), paragraphs, list items (`level`), tables (`cells`), code: ranges in the text in
            reading order, with their `page` and their lines (`boxes`) on it.
        current: whether the document still has this version; an older one stays readable.
        current_version_id: the version that the document has now; absent when it was deleted.
        file: where the original bytes are.
        pictured: whether its pages can be looked at (`pages`).
    """

    document_id: int
    version_id: int
    name: str
    collection_id: int
    collection: str
    title: str | None
    media_type: str
    language: str
    page_count: int | None
    sha256: str
    created_at: datetime
    current: bool
    current_version_id: int | None
    notes: list[str]
    text: str
    blocks: list[dict[str, Any]]
    file: str
    pictured: bool


class Page(BaseModel):
    """A page and its size in points: 1/72 inch, or a pixel of an image. Boxes of blocks are in the same unit."""

    number: int
    width: float
    height: float


class PageList(BaseModel):
    """All pages; none where the format has no pages to look at."""

    object: Literal["list"] = "list"
    data: list[Page]


class Occurrence(BaseModel):
    """Where a phrase stands in a version's text, and on which page, slide or sheet."""

    char_start: int
    char_end: int
    page: int | None


class OccurrenceList(BaseModel):
    """The first occurrences, and how many there are in all (counted up to 10,000)."""

    object: Literal["list"] = "list"
    data: list[Occurrence]
    total: int = Field(description="In all, counted up to 10,000.")


class DeletedDocument(BaseModel):
    """What was deleted; `POST …/restore` brings it back."""

    id: int
    deleted: Literal[True] = True

"""The wire types of documents: what a citation is opened with."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class DocumentVersion(BaseModel):
    """What was read from one state of a document. Citations are ranges in `text`.

    Attributes:
        text: the canonical text.
        blocks: headings, paragraphs, tables…: ranges in the text, with their lines on the page.
        current: whether the document still has this version; an older one stays readable.
        file: where the original bytes are.
    """

    document_id: int
    version_id: int
    name: str
    collection_id: int
    title: str | None
    media_type: str
    language: str
    page_count: int | None
    sha256: str
    created_at: datetime
    current: bool
    notes: list[str]
    text: str
    blocks: list[dict[str, Any]]
    file: str

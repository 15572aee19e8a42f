"""What tests of documents over HTTP share: reading what was sent, in this process, and small files."""

import io
from typing import Any

from reportlab.pdfgen.canvas import Canvas
from starlette.testclient import TestClient

from etabli.engines.fake_embedder import FakeEmbedder
from etabli.jobs.worker import drain
from etabli.knowledge.ingestion import EMBED_JOB, TEND_JOB, Ingestion
from etabli.knowledge.library import READ_JOB
from etabli.knowledge.reading import DocumentReader
from etabli.settings import Settings
from etabli.storage.database import Database

DOCUMENTS = "/v1/etabli/documents"
COLLECTIONS = "/v1/etabli/collections"


def ingest(
    database: Database, settings: Settings, kinds: tuple[str, ...] = (READ_JOB, EMBED_JOB, TEND_JOB)
) -> None:
    """Do what a worker would."""
    with DocumentReader(settings, workers=1) as reader:
        ingestion = Ingestion(database, settings, reader=reader, embedder=FakeEmbedder())
        drain(database, ingestion, kinds, lambda: None)


def collection(client: TestClient, name: str = "RH") -> int:
    """A new collection's number."""
    response = client.post(COLLECTIONS, json={"name": name})
    assert response.status_code == 201, response.text
    return int(response.json()["id"])


def send(client: TestClient, where: int, name: str, content: bytes | str, **fields: str) -> Any:
    """Upload a file; gives the response."""
    data = content.encode() if isinstance(content, str) else content
    return client.post(DOCUMENTS, data={"collection_id": str(where), **fields}, files={"file": (name, data)})


def pdf(*pages: str) -> bytes:
    """A PDF with a line a page."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for text in pages:
        canvas.drawString(100, 700, text)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()

"""What the tests of documents and sources share: files to add, and what the server says of them."""

import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from openpyxl import Workbook
from reportlab.pdfgen.canvas import Canvas
from tests.web.conftest import Site

BADGE = "Replacing a lost badge costs 10 euros, to be paid at the reception desk."


def ask(site: Site, method: str, path: str, **options: Any) -> Any:
    """What the API answers."""
    response = httpx.request(method, site.url + path, headers=site.headers, timeout=30, **options)
    assert response.is_success, response.text
    return response.json() if response.content else None


def documents(site: Site, **query: Any) -> dict[str, dict[str, Any]]:
    """The documents by name."""
    return {one["name"]: one for one in ask(site, "GET", "/v1/etabli/documents", params=query)["data"]}


def collection_id(site: Site, name: str = "clinique") -> int:
    """The number of a collection."""
    found = ask(site, "GET", "/v1/etabli/collections")["data"]
    return next(int(one["id"]) for one in found if one["name"] == name)


def add(site: Site, name: str, content: bytes, *, collection: str = "clinique") -> dict[str, Any]:
    """Add a file and wait until it is read."""
    entry = ask(
        site,
        "POST",
        "/v1/etabli/documents",
        files={"file": (Path(name).name, content)},
        data={"collection_id": str(collection_id(site, collection)), "relative_path": name},
    )
    end = time.monotonic() + 60
    while entry["stage"] in ("queued", "reading"):
        assert time.monotonic() < end, entry
        time.sleep(0.05)
        entry = ask(site, "GET", f"/v1/etabli/documents/{entry['id']}")
    return dict(entry)


def range_of(site: Site, entry: dict[str, Any], words: str) -> tuple[int, int]:
    """Where words stand in the text of a document, in characters."""
    text = ask(site, "GET", version_path(entry))["text"]
    start = text.index(words)
    return start, start + len(words)


def version_path(entry: dict[str, Any]) -> str:
    """The API's path of what was read last."""
    return f"/v1/etabli/documents/{entry['id']}/versions/{entry['version_id']}"


def pdf(pages: Sequence[Sequence[str]]) -> bytes:
    """A PDF of lines on pages of A4."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=(595, 842))
    for lines in pages:
        canvas.setFont("Times-Roman", 12)
        for place, line in enumerate(lines):
            canvas.drawString(72, 770 - 18 * place, line)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    """A workbook of one sheet."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Tarifs"
    for row in rows:
        sheet.append(list(row))
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()

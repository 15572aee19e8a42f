"""Pages of documents as pictures: drawn in confined processes, kept on disk by what they were drawn from.

Knows no document and no caller: who may see a page is decided before.
"""

import base64
import binascii
import json
import math
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from etabli.errors import DocumentError, NotFoundError
from etabli.knowledge.pages_cache import MAX_BYTES, PagesCache
from etabli.knowledge.reader_processes import ReaderProcesses, half_of_processors
from etabli.knowledge.readers import refusals
from etabli.messages import tr
from etabli.settings import Settings
from etabli.storage.database import file_of_hash

PICTURED_TYPES = frozenset({"application/pdf", "image/png", "image/jpeg", "image/tiff"})
"""Media types that have pages to look at; the others are shown by their text."""
MAX_WIDTH = 2_400
WIDTH_STEP = 100
"""Pictures are made in widths that are multiples of this, so that a resized window finds them again."""
_CPU_S = 30.0
_PICTURES_PER_WORKER = 500
_PNG_MARK = b"\x89PNG\r\n\x1a\n"
_COMMAND = (sys.executable, "-P", "-m", "etabli.knowledge.pages_worker")


@dataclass(frozen=True, slots=True)
class PageSize:
    """A page and its size in points; the boxes of a version's blocks are in the same unit."""

    number: int
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Original:
    """The file that a version was read from: its hash and what it is."""

    sha256: str
    media_type: str


class PagePictures:
    """Draws pages. Its methods return at once; the work is done in threads of its own, which wait for processes.

    Args:
        settings: where files are, and bounds.
        workers: most processes; by default half of the processors.
        command: how a process is started (tests).
        cache_bytes: of the pictures kept.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        workers: int | None = None,
        command: Sequence[str] = _COMMAND,
        cache_bytes: int = MAX_BYTES,
    ) -> None:
        count = workers or half_of_processors()
        self._files_dir = settings.files_dir
        self._cache = PagesCache(settings.pages_dir, max_bytes=cache_bytes)
        self._processes = ReaderProcesses(
            command,
            settings,
            cpu_seconds=_CPU_S,
            ocr=False,
            workers=count,
            requests=_PICTURES_PER_WORKER,
        )
        # One thread more than processes, so that what is kept already does not wait for what is drawn.
        self._threads = ThreadPoolExecutor(count + 1, thread_name_prefix="pages")

    def sizes(self, original: Original) -> "Future[list[PageSize]]":
        """The sizes of all pages; none where the format has no pages to look at.

        The future raises `NotFoundError` when the original was not kept, `DocumentError` when it cannot be drawn.
        """
        return self._threads.submit(self._sizes, original)

    def picture(self, original: Original, number: int, *, width: int) -> "Future[bytes]":
        """A page as PNG.

        Args:
            original: the file.
            number: of the page, from 1.
            width: in pixels, rounded up to a multiple of `WIDTH_STEP`. Images are never made larger than they are.

        The future raises `NotFoundError` when there is no such page, `DocumentError` when it cannot be drawn.
        """
        rounded = min(MAX_WIDTH, math.ceil(width / WIDTH_STEP) * WIDTH_STEP)
        return self._threads.submit(self._picture, original, number, rounded)

    def close(self) -> None:
        """End the processes; nothing can be drawn afterwards."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._processes.close()

    def _sizes(self, original: Original) -> list[PageSize]:
        if original.media_type not in PICTURED_TYPES:
            return []
        path = self._path(original)
        name = f"{original.sha256}-sizes.json"
        kept = self._cache.get(name)
        if kept is None:
            reply = self._processes.request(path, name=path.name, media_type=original.media_type)
            sizes = _checked_sizes(reply.get("sizes"))
            self._cache.put(name, json.dumps(sizes).encode())
        else:
            sizes = _checked_sizes(json.loads(kept))
        return [PageSize(number, *size) for number, size in enumerate(sizes, 1)]

    def _picture(self, original: Original, number: int, width: int) -> bytes:
        if original.media_type not in PICTURED_TYPES:
            raise NotFoundError(
                tr("This kind of document has no page pictures. It is shown by its text instead.")
            )
        path = self._path(original)
        name = f"{original.sha256}-{number}-{width}.png"
        kept = self._cache.get(name)
        if kept is not None:
            return kept
        reply = self._processes.request(
            path, name=path.name, media_type=original.media_type, page=number, width=width
        )
        encoded = reply.get("picture", "")
        if encoded is None:
            raise NotFoundError(tr("This document has no page {number}.", number=number))
        picture = _checked_picture(encoded)
        self._cache.put(name, picture)
        return picture

    def _path(self, original: Original) -> Path:
        path = file_of_hash(self._files_dir, original.sha256)
        if not path.is_file():
            raise NotFoundError(tr("The original of this document was not kept. Its text can still be read."))
        return path


def _checked_sizes(value: object) -> list[tuple[float, float]]:
    """Sizes as an honest worker says them."""
    if not isinstance(value, list):
        raise _dishonest()
    sizes = []
    for size in value:
        if not isinstance(size, list) or len(size) != 2:
            raise _dishonest()
        width, height = size
        if not all(isinstance(side, int | float) and 0 <= side < 1e7 for side in size):
            raise _dishonest()
        sizes.append((float(width), float(height)))
    return sizes


def _checked_picture(value: object) -> bytes:
    """A PNG as an honest worker gives it: browsers are told that it is one, and guess no other type."""
    try:
        picture = base64.b64decode(value if isinstance(value, str) else "", validate=True)
    except binascii.Error:
        raise _dishonest() from None
    if not picture.startswith(_PNG_MARK):
        raise _dishonest()
    return picture


def _dishonest() -> DocumentError:
    return refusals.crashed("invalid answer")

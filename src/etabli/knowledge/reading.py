"""Reading documents in separate, confined processes: what the rest of the product calls. Knows no file format."""

import sys
from collections.abc import Sequence
from pathlib import Path

from etabli.knowledge.blocks import ParsedDocument
from etabli.knowledge.reader_processes import ReaderProcesses
from etabli.knowledge.readers import refusals, wire
from etabli.knowledge.readers.sandbox import MEMORY_BYTES
from etabli.settings import Settings

WORKER_COMMAND = (sys.executable, "-P", "-m", "etabli.knowledge.readers.worker")


class DocumentReader(ReaderProcesses):
    """Reads files in worker processes, which are started when needed.

    Thread-safe: as many files are read at once as there are workers; further callers wait.

    Args:
        settings: bounds of a file, and its time.
        ocr: recognise the text of scans, where Tesseract is installed.
        workers: most processes; by default half of the processors, since the chat engine needs the others.
        command: how a worker is started (tests).
        memory_bytes: address space of a worker.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        ocr: bool = True,
        workers: int | None = None,
        command: Sequence[str] = WORKER_COMMAND,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        super().__init__(
            command,
            settings,
            cpu_seconds=settings.reader_timeout_s,
            ocr=ocr,
            workers=workers,
            memory_bytes=memory_bytes,
        )

    def read(self, path: Path, *, name: str) -> ParsedDocument:
        """Read a file.

        Args:
            path: where its bytes are.
            name: its own name; only its extension matters, and only for plain text.

        Raises:
            DocumentError: it cannot be read; `state` says why and the message what to do.
            EtabliError: no worker can be started.
            FileNotFoundError: there is no such file.
        """
        try:
            return wire.document_from_json(self.request(path, name=name).get("document"))
        except wire.WireError:
            raise refusals.crashed("invalid answer") from None

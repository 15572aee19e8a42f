"""Text recognition by Tesseract as a child process: an image goes in by its input, words come out.

Nothing is written to the disk. The child inherits the limits of the process that starts it. Output format:
the TSV of Tesseract 4 and 5 (levels page 1, block 2, paragraph 3, line 4, word 5).
"""

import resource
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from etabli.knowledge.readers.limits import ReaderLimits
from etabli.knowledge.readers.pdf_page import Line

DPI = 300
_MIN_CONFIDENCE = 30.0
_RESERVE_SHARE = 0.75
_ENVIRONMENT = {"OMP_THREAD_LIMIT": "1", "LC_ALL": "C"}


@dataclass(frozen=True, slots=True)
class ReadImage:
    """Lines of an image, their paragraph numbers beside them, and each page's size in pixels."""

    lines: tuple[tuple[Line, int], ...]
    page_count: int


class OcrFailedError(Exception):
    """Tesseract refused the image or was stopped."""


@lru_cache(maxsize=4)
def languages(tesseract: str) -> str:
    """`fra+eng`, or the one that is installed; empty when neither is."""
    try:
        listed = subprocess.run(
            [tesseract, "--list-langs"], capture_output=True, timeout=30, env=_ENVIRONMENT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    installed = set((listed.stdout + listed.stderr).decode("utf-8", "replace").split())
    return "+".join(language for language in ("fra", "eng") if language in installed)


def has_time(limits: ReaderLimits, started: float) -> bool:
    """Whether enough CPU time is left for another page; `started` is what `cpu_time` gave at the start."""
    return cpu_time() - started < _RESERVE_SHARE * limits.cpu_seconds


def cpu_time() -> float:
    """CPU seconds that this process and its ended children have used."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def gray_image(pixels: bytes, width: int, height: int) -> bytes:
    """A PGM file of 8-bit grey pixels, row after row."""
    return b"P5\n%d %d\n255\n" % (width, height) + pixels


def recognise(image: bytes, tesseract: str, *, scale: float, page: int, dpi: int | None = None) -> ReadImage:
    """Read the words of an image.

    Args:
        image: a PNG, JPEG, TIFF or PNM file.
        tesseract: path of the program.
        scale: points per pixel.
        page: number given to the first page of the image.
        dpi: resolution, when the file does not say it.

    Raises:
        OcrFailedError: it refused the image or was stopped.
    """
    command = [tesseract, "stdin", "stdout", "-l", languages(tesseract) or "eng"]
    command += ["--dpi", str(dpi)] if dpi else []
    try:
        done = subprocess.run(
            [*command, "tsv"], input=image, capture_output=True, timeout=600, env=_ENVIRONMENT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OcrFailedError(type(error).__name__) from None
    if done.returncode != 0:
        raise OcrFailedError(f"exit status {done.returncode}")
    return _parse(done.stdout.decode("utf-8", "replace"), scale=scale, page=page)


def _parse(table: str, *, scale: float, page: int) -> ReadImage:
    """Words of one line joined; a line's size is its height."""
    groups: dict[tuple[int, int, int, int], list[Sequence[str]]] = {}
    pages = 0
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) < 12:
            continue
        pages = max(pages, int(cells[1]))
        if cells[0] == "5" and cells[11].strip() and float(cells[10]) >= _MIN_CONFIDENCE:
            groups.setdefault((int(cells[1]), int(cells[2]), int(cells[3]), int(cells[4])), []).append(cells)
    lines: list[tuple[Line, int]] = []
    paragraphs: dict[tuple[int, int, int], int] = {}
    for key, words in groups.items():
        paragraph = paragraphs.setdefault(key[:3], len(paragraphs))
        boxes = [[int(value) for value in cells[6:10]] for cells in words]
        x0, y0 = min(b[0] for b in boxes) * scale, min(b[1] for b in boxes) * scale
        x1, y1 = max(b[0] + b[2] for b in boxes) * scale, max(b[1] + b[3] for b in boxes) * scale
        text = " ".join(cells[11] for cells in words)
        size = round((y1 - y0) * 0.9, 1)
        line = Line(
            text,
            page + key[0] - 1,
            round(x0, 2),
            round(y0, 2),
            round(x1, 2),
            round(y1, 2),
            size,
            False,
            text.endswith("-"),
        )
        lines.append((line, paragraph))
    return ReadImage(tuple(lines), max(1, pages))

"""Lines of a file as they are, one at a time, however long or broken; and how the file is encoded.

Knows nothing of JSON. Memory stays within one line; a line longer than allowed is skipped, not read.
"""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from etabli.errors import InvalidInputError
from etabli.messages import tr

LONGEST_LINE = 4 << 20
"""Bytes of one example: about a million tokens, more than any context holds."""
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Args:
        number: from 1.
        data: its bytes with the line end as in the file, in UTF-8; without the byte order mark; empty when it is
            too long.
        too_long: longer than `LONGEST_LINE`.
        position: bytes of the file read so far, with this line.
    """

    number: int
    data: bytes
    too_long: bool
    position: int


@dataclass(frozen=True, slots=True)
class Source:
    """A file of examples.

    Args:
        path: where it is.
        size: in bytes.
        encoding: `utf-8`; or what its byte order mark says: `utf-8-sig`, `utf-16`, `utf-32`.
    """

    path: Path
    size: int
    encoding: str

    @property
    def transcoded(self) -> bool:
        """Its bytes are not those of UTF-8."""
        return self.encoding in ("utf-16", "utf-32")


def open_source(path: Path) -> Source:
    """Look at a file.

    Raises:
        InvalidInputError: it cannot be read.
    """
    try:
        if not path.is_file():
            raise FileNotFoundError(2, tr("no such file"))
        with path.open("rb") as file:
            head = file.read(4)
            size = file.seek(0, io.SEEK_END)
    except OSError as error:
        raise InvalidInputError(
            tr("{path} cannot be read: {reason}. Name a file of training data, one JSON object a line.",
               path=path, reason=error.strerror or error)
        ) from None  # fmt: skip
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")
    return Source(path, size, encoding)


def read_lines(source: Source) -> Iterator[Line]:
    """Every line, blank ones too. Only `\\n` ends one, as in JSON Lines."""
    with source.path.open("rb") as file:
        pieces = _decoded(file, source.encoding) if source.transcoded else _pieces(file, source.encoding)
        number, rest = 1, False
        for piece, position in pieces:
            ended = piece.endswith(b"\n")
            if rest:
                rest = not ended
                number += ended
                continue
            too_long = len(piece) > LONGEST_LINE
            yield Line(number, b"" if too_long else piece, too_long, position)
            rest = too_long and not ended
            number += not rest


def _pieces(file: io.BufferedReader, encoding: str) -> Iterator[tuple[bytes, int]]:
    """Lines, long ones in pieces, each with the place after it."""
    position = file.seek(3 if encoding == "utf-8-sig" else 0)
    while piece := file.readline(LONGEST_LINE + 1):
        position += len(piece)
        yield piece, position


def _decoded(file: io.BufferedReader, encoding: str) -> Iterator[tuple[bytes, int]]:
    """The same of a file in another encoding, as UTF-8; halves of pairs stay, so that they are found as faults."""
    reader = io.TextIOWrapper(file, encoding=encoding, errors="surrogatepass", newline="\n")
    try:
        while piece := reader.readline(LONGEST_LINE + 1):
            yield piece.encode("utf-8", "surrogatepass"), file.tell()
    except UnicodeError:
        yield b"\xff\n", file.tell()
    finally:
        reader.detach()

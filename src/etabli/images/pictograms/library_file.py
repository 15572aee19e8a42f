"""Concepts and drawings in one compressed file, with whose they are: what composition needs at run time.

Written at export from the archives that training fetched; reading it needs neither npm nor the archives. The engine
that composes scenes as SVG will read it.
"""

import gzip
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from etabli.errors import IntegrityError
from etabli.images.pictograms.concepts import Concept, Library
from etabli.images.pictograms.drawing import Drawing
from etabli.images.pictograms.sources import IconSource
from etabli.messages import tr

_FORMAT = 1


@dataclass(frozen=True)
class LibraryFile:
    """What the file holds: the library, and the ledger's lines of its sets."""

    library: Library
    sources: tuple[IconSource, ...]


def write_library(path: Path, library: Library, ledger: Iterable[IconSource]) -> None:
    """Write the file; the same bytes for the same content."""
    sources = [one.model_dump() for one in ledger if one.name in library.drawings or one.role == "labels"]
    content = {
        "format": _FORMAT,
        "sources": sources,
        "concepts": [asdict(concept) for concept in library.concepts.values()],
        "drawings": {
            name: {
                concept: [drawing.body, drawing.width, drawing.height, drawing.left, drawing.top]
                for concept, drawing in own.items()
                if concept in library.concepts
            }
            for name, own in library.drawings.items()
        },
    }
    data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(gzip.compress(data, 9, mtime=0))
    beside.replace(path)


def read_library_file(path: Path) -> LibraryFile:
    """Read the file.

    Raises:
        IntegrityError: it is none, or damaged.
    """
    try:
        content = json.loads(gzip.decompress(path.read_bytes()))
        if content["format"] != _FORMAT:
            raise ValueError(content["format"])
        concepts = {
            row["identifier"]: Concept(
                row["identifier"],
                {language: tuple(names) for language, names in row["names"].items()},
                {language: tuple(tags) for language, tags in row["tags"].items()},
                row["group"],
            )
            for row in content["concepts"]
        }
        drawings = {
            name: {concept: Drawing(*parts) for concept, parts in own.items()}
            for name, own in content["drawings"].items()
        }
        sources = tuple(IconSource.model_validate(row) for row in content["sources"])
        return LibraryFile(Library(concepts, drawings), sources)
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        raise IntegrityError(
            tr("{file} is not a library of pictograms, or it is damaged.", file=path.name)
        ) from None

"""Bringing a model by hand: a GGUF file from a USB stick, a share, or one's own training."""

import re
from pathlib import Path

from etabli.errors import InvalidInputError
from etabli.messages import tr
from etabli.models.catalogue import Catalogue, load_catalogue
from etabli.models.hashing import Progress, is_gguf, sha256_of
from etabli.models.store import Manifest, ModelStore, checked_name


def import_file(
    store: ModelStore,
    path: Path,
    *,
    name: str | None = None,
    progress: Progress | None = None,
    catalogue: Catalogue | None = None,
) -> Manifest:
    """Take a GGUF file into the store.

    Args:
        store: where to.
        path: the file; it is left alone.
        name: how to call it; by default the catalogue's name for these bytes, else the file's own name.
        progress: told the bytes read.
        catalogue: another one, in tests.

    Raises:
        InvalidInputError: there is no such file, it is not a GGUF file, or the name cannot be one.
        IntegrityError: the catalogue, or an earlier import, gives this name to other bytes.
        DiskSpaceError: the copy does not fit.
    """
    catalogue = catalogue or load_catalogue()
    path = path.expanduser()
    _check_gguf(path)
    if name is None:
        known = catalogue.by_sha256(sha256_of(path, progress))
        name = known.name if known is not None else _name_from(path)
    entry = catalogue.find(checked_name(name))
    with store.lock(entry.sha256 if entry is not None and entry.sha256 is not None else name):
        return store.add_file(
            path,
            name=name,
            expected=entry.sha256 if entry is not None else None,
            licence=entry.licence if entry is not None else "unknown",
            file_name=entry.file if entry is not None else None,
            source=str(path.absolute()),
            progress=progress,
        )


def _check_gguf(path: Path) -> None:
    if not path.is_file():
        raise InvalidInputError(
            tr("There is no file {path}. Give the path of a GGUF file.", path=path), param="file"
        )
    if not is_gguf(path):
        raise InvalidInputError(
            tr(
                "{path} is not a GGUF file, the format that the built-in engine reads. Give a file whose name "
                "ends with .gguf from a model's GGUF repository.",
                path=path,
            ),
            param="file",
        )


def _name_from(path: Path) -> str:
    """A name from a file name.

    >>> _name_from(Path("Mon Modèle-Q4_K_M.gguf"))
    'mon-mod-le-q4_k_m'
    """
    name = re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("-._")[:80]
    return checked_name(name or "model")

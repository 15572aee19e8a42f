"""The assistants of a workspace: a folder of YAML files, read again when they change. Thread-safe."""

import difflib
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from etabli.assistants.specification import AssistantSpecification, examine
from etabli.errors import ConfigurationError, NotFoundError
from etabli.messages import tr

Faults = list[str]
_SUFFIXES = (".yaml", ".yml")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file as it was read: None and a fault where it cannot be used."""

    stamp: tuple[int, int, int]
    specification: AssistantSpecification | None
    faults: tuple[str, ...]


class AssistantCatalogue:
    """Reads `<folder>/<name>.yaml`; a missing folder holds no assistant.

    Args:
        folder: where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._entries: dict[Path, _Entry] = {}

    def list(self) -> list[AssistantSpecification]:
        """All assistants that can be used, by name. A file with faults is left out and logged once."""
        found = [entry.specification for entry in self._refresh().values()]
        return sorted((one for one in found if one is not None), key=lambda one: one.name)

    def get(self, name: str) -> AssistantSpecification:
        """The assistant of this name.

        Raises:
            NotFoundError: there is none.
            ConfigurationError: its file has faults; the message is the first.
        """
        entries = self._refresh()
        for path, entry in entries.items():
            if path.stem == name:
                if entry.specification is None:
                    raise ConfigurationError(entry.faults[0])
                return entry.specification
        known = sorted(path.stem for path, entry in entries.items() if entry.specification is not None)
        close = difflib.get_close_matches(name, known, n=1)
        if close:
            raise NotFoundError(
                tr("There is no assistant {name}. Did you mean {close}?", name=name[:80], close=close[0])
            )
        raise NotFoundError(tr("There is no assistant {name}.", name=name[:80]))

    def check(self, path: Path) -> Faults:
        """The faults of one file, each a sentence with its line; none when it can be used."""
        return examine(path)[1]

    def faults(self) -> dict[str, tuple[str, ...]]:
        """The faults of all files that cannot be used, by file name."""
        return {path.name: entry.faults for path, entry in self._refresh().items() if entry.faults}

    def _refresh(self) -> dict[Path, _Entry]:
        with self._lock:
            entries: dict[Path, _Entry] = {}
            for path in self._paths():
                try:
                    status = path.stat()
                except OSError:
                    continue
                stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
                known = self._entries.get(path)
                entries[path] = known if known is not None and known.stamp == stamp else _read(path, stamp)
            self._entries = entries
            return entries

    def _paths(self) -> Iterator[Path]:
        if self.folder.is_dir():
            for path in sorted(self.folder.iterdir()):
                if path.suffix in _SUFFIXES and not path.name.startswith("."):
                    yield path


def _read(path: Path, stamp: tuple[int, int, int]) -> _Entry:
    specification, faults = examine(path)
    for fault in faults:
        logger.warning("%s", fault)
    return _Entry(stamp, specification, tuple(faults))

"""A file on this machine, or a folder (USB stick, network share) that holds it."""

from pathlib import Path

from etabli.errors import DownloadError
from etabli.messages import tr
from etabli.models.hashing import Progress
from etabli.models.sources.base import Delivery, Want
from etabli.models.store import is_sha256


class FileSource:
    """Takes the file itself, or finds it in a folder by its hash as a name, its name, or its exact size.

    Args:
        path: the file or the folder.
        ours: whether it lies in the store already and need not be copied.
    """

    key = "file"

    def __init__(self, path: Path, *, ours: bool = False) -> None:
        self._path = path
        self._ours = ours

    @property
    def label(self) -> str:
        """The path."""
        return str(self._path)

    def deliver(self, want: Want, folder: Path, progress: Progress | None) -> Delivery:
        """Point at the file; it is copied and hashed by the store."""
        try:
            found = self._find(want)
        except OSError as error:
            raise DownloadError(
                tr("{path} cannot be read ({reason})", path=self._path, reason=error)
            ) from None
        return Delivery(path=found, ours=self._ours, source=str(found))

    def _find(self, want: Want) -> Path:
        if self._path.is_file():
            return self._path
        if not self._path.is_dir():
            raise DownloadError(tr("{path} does not exist", path=self._path))
        if want.sha256 is not None and is_sha256(want.sha256):
            for place in (self._path / want.sha256, self._path / "blobs" / want.sha256):
                if place.is_file():
                    return place
        files = [path for path in sorted(self._path.rglob("*")) if path.is_file()]
        named = [path for path in files if path.name == want.file]
        sized = [
            path for path in files if want.size_bytes is not None and path.stat().st_size == want.size_bytes
        ]
        exact = [path for path in named if path in sized]
        for candidates in (exact, sized, named):
            if candidates:
                return candidates[0]
        raise DownloadError(tr("{path} holds no file named {file}", path=self._path, file=want.file))

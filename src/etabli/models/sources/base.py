"""What a source of model files is: something that may deliver the wanted bytes into a folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from etabli.models.hashing import Progress


@dataclass(frozen=True)
class Want:
    """The file that is looked for.

    Attributes:
        name: of the model.
        file: its name at the sources.
        sha256: of its bytes, when known.
        size_bytes: their number, when known.
    """

    name: str
    file: str
    sha256: str | None
    size_bytes: int | None


@dataclass(frozen=True)
class Delivery:
    """What a source delivered, not yet hashed.

    Attributes:
        path: the file.
        ours: whether it lies in the partial folder, to be moved, or belongs to somebody, to be copied.
        source: where it came from, for people, without credentials.
        sha256: the hash that the source announces for it, when it does.
        resumed: whether part of it came from an earlier, interrupted run.
    """

    path: Path
    ours: bool
    source: str
    sha256: str | None = None
    resumed: bool = False


class Source(Protocol):
    """A place that may have the file."""

    @property
    def key(self) -> str:
        """A short word for the folder of its unfinished files."""
        ...

    @property
    def label(self) -> str:
        """Its name for people, without credentials."""
        ...

    def deliver(self, want: Want, folder: Path, progress: Progress | None) -> Delivery:
        """Bring the file.

        Args:
            want: the file.
            folder: where unfinished files of this source lie; going on from them is the source's business.
            progress: told the bytes of the model that are there.

        Raises:
            DownloadError: it does not have the file or does not deliver it; the message is a plain clause.
            DiskSpaceError: it does not fit.
            EgressDeniedError: it leads to a host that is not allowed.
        """
        ...

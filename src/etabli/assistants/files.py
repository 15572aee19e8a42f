"""The files of assistants, one YAML each: read whole, and written so that nobody ever sees half of one."""

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from etabli.assistants.specification import LARGEST_FILE_BYTES, NAME_PATTERN
from etabli.errors import ConfigurationError, NotFoundError
from etabli.messages import tr

SUFFIXES = (".yaml", ".yml")
_NEW_FILE_MODE = 0o644


def checked_name(name: str) -> str:
    """`name`, when an assistant can have it; it becomes a file name, so little is allowed.

    Raises:
        NotFoundError: it cannot.
    """
    if re.fullmatch(NAME_PATTERN, name) is None:
        raise NotFoundError(tr("There is no assistant {name}.", name=name[:80]))
    return name


class AssistantFiles:
    """`<folder>/<name>.yaml`; a missing folder holds none.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> Iterator[str]:
        """Names of the assistants that have a file, each once."""
        seen: set[str] = set()
        for path in sorted(self.folder.iterdir()) if self.folder.is_dir() else ():
            name = path.stem
            if path.suffix in SUFFIXES and name not in seen and re.fullmatch(NAME_PATTERN, name):
                seen.add(name)
                yield name

    def path(self, name: str) -> Path:
        """Where the file of an assistant is, or will be."""
        paths = [self.folder / f"{checked_name(name)}{suffix}" for suffix in SUFFIXES]
        return next((path for path in paths if path.exists()), paths[0])

    def read(self, name: str) -> str | None:
        """The text of an assistant's file; None where there is none.

        Raises:
            ConfigurationError: it cannot be read, or is none.
        """
        path = self.path(name)
        try:
            if path.stat().st_size > LARGEST_FILE_BYTES:
                raise ConfigurationError(
                    tr("{file} is larger than 1 MB: that is no assistant's file.", file=path.name)
                )
            text = path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise _unreadable(path, str(error)) from None
        if "\0" in text:
            raise _unreadable(path, "NUL")
        return text

    def write(self, name: str, text: str) -> None:
        """Put `text` in the place of the file, in one step; a link goes on pointing where it pointed.

        Raises:
            ConfigurationError: the folder cannot be written.
        """
        path = self.path(name).resolve()
        temporary: str | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            mode = path.stat().st_mode & 0o777 if path.exists() else _NEW_FILE_MODE
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            with open(descriptor, "wb") as file:
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, mode)
            os.replace(temporary, path)
        except BaseException as error:
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise _unwritable(path, error) from None
            raise

    def remove(self, name: str) -> None:
        """Remove the file, if there is one.

        Raises:
            ConfigurationError: the folder cannot be written.
        """
        path = self.path(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(path, error) from None


def _unreadable(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(tr("{file} cannot be read: {reason}.", file=path.name, reason=reason))


def _unwritable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        tr(
            "{path} cannot be written: {reason}. Give the server the right to write there.",
            path=path,
            reason=error.strerror or str(error),
        )
    )

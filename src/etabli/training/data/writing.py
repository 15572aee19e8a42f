"""Files that appear whole or not at all, readable by their owner only."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from etabli.errors import InvalidInputError
from etabli.messages import tr


@contextmanager
def written_at_once(path: Path) -> Iterator[BinaryIO]:
    """A file that replaces `path` when the `with` ends well.

    Raises:
        InvalidInputError: it cannot be written.
    """
    name: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with open(descriptor, "wb") as file:
            yield file
        os.replace(name, path)
    except OSError as error:
        raise InvalidInputError(
            tr("{path} cannot be written: {reason}.", path=path, reason=error.strerror or error)
        ) from None
    finally:
        if name is not None:
            Path(name).unlink(missing_ok=True)

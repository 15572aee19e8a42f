"""Pictures of assistants: made harmless and small in a process apart, kept in the database."""

import hashlib
import os
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass

from etabli.errors import InvalidInputError, NotFoundError
from etabli.messages import tr
from etabli.storage.database import Database

SIDE = 256
MAX_BYTES = 1_000_000
_LARGEST_PNG = 400_000
_TIMEOUT_S = 60.0
_COMMAND = (sys.executable, "-P", "-m", "etabli.assistants.picture_process")
_HEAD = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", SIDE, SIDE)
_at_once = threading.Semaphore(2)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of `SIDE` × `SIDE` pixels.

    Attributes:
        png: its bytes.
        digest: SHA-256 of them.
    """

    png: bytes
    digest: str


class PictureStore:
    """Pictures by the assistant's name. They outlive a deleted assistant, which may be restored.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def digests(self) -> dict[str, str]:
        """The digest of every picture, by name."""
        with self._database.owner() as connection:
            rows = connection.execute("SELECT name, digest FROM assistant_picture").fetchall()
        return {str(name): str(digest) for name, digest in rows}

    def get(self, name: str) -> Picture:
        """The picture of an assistant.

        Raises:
            NotFoundError: it has none.
        """
        with self._database.owner() as connection:
            row = connection.execute(
                "SELECT png, digest FROM assistant_picture WHERE name = %s", (name,)
            ).fetchone()
        if row is None:
            raise NotFoundError(tr("The assistant {name} has no picture.", name=name[:80]))
        return Picture(bytes(row[0]), str(row[1]))

    def put(self, name: str, data: bytes) -> Picture:
        """Take a picture that somebody sent.

        Raises:
            InvalidInputError: it is too large, no picture of a known kind, or broken.
        """
        picture = harmless(data)
        with self._database.owner() as connection:
            connection.execute(
                "INSERT INTO assistant_picture (name, png, digest) VALUES (%s, %s, %s) ON CONFLICT (name)"
                " DO UPDATE SET png = excluded.png, digest = excluded.digest, saved_at = now()",
                (name, picture.png, picture.digest),
            )
        return picture

    def delete(self, name: str) -> None:
        """Forget the picture of an assistant, if it has one."""
        with self._database.owner() as connection:
            connection.execute("DELETE FROM assistant_picture WHERE name = %s", (name,))


def harmless(data: bytes) -> Picture:
    """A picture made anew from the pixels of `data`, by a confined process that may die of it.

    Raises:
        InvalidInputError: it is too large, no PNG, JPEG or WebP, or broken.
    """
    if len(data) > MAX_BYTES:
        raise _refused(tr("A picture may have 1 MB at most. Send a smaller one."))
    with _at_once:
        said = _ask_child(data)
    if said.startswith(_HEAD) and len(said) <= _LARGEST_PNG:
        return Picture(said, hashlib.sha256(said).hexdigest())
    if said == b"kind":
        raise _refused(tr("This is no picture that can be used. Send a PNG, JPEG or WebP file."))
    if said == b"pixels":
        raise _refused(tr("This picture has more than 24 million pixels. Send a smaller one."))
    raise _refused(tr("This picture is broken. Save it again with another program, or send another one."))


def _ask_child(data: bytes) -> bytes:
    """What the child says; nothing when it died or took too long."""
    try:
        done = subprocess.run(
            _COMMAND,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT_S,
            cwd="/",
            env={
                "PATH": os.defpath,
                "LC_ALL": "C.UTF-8",
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return b""
    return done.stdout


def _refused(message: str) -> InvalidInputError:
    return InvalidInputError(message, param="picture")

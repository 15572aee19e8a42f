"""Where drawings and words come from: the ledger `sets.yaml`, and archives that match it byte for byte.

The archives are packages of the npm registry, fetched by this machine's own npm (its registry, proxy and
certificates) when a person trains; whoever has no npm lays the archives into the folder. They are read as data:
nothing in them is installed or run. Nothing here is used when a picture is drawn for a user.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from etabli.errors import DownloadError, IntegrityError
from etabli.messages import tr

_TIMEOUT_S = 600
_MOST_BYTES = 200_000_000
# A licence that asks for the same licence would bind the trained weights; whoever adds a set reads this first.
LICENCES = ("MIT", "Apache-2.0", "CC-BY-4.0", "CC0-1.0")


class IconSource(BaseModel):
    """One line of the ledger."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    package: str
    version: str
    role: Literal["generator", "evaluator", "labels"]
    licence: Literal["MIT", "Apache-2.0", "CC-BY-4.0", "CC0-1.0"]
    author: str
    home: str
    integrity: str

    @property
    def name(self) -> str:
        """Short name, such as `twemoji`."""
        return self.package.rsplit("/", 1)[-1]

    @property
    def archive(self) -> str:
        """File name as npm writes it."""
        return f"{self.package.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


def read_ledger(text: str | None = None) -> tuple[IconSource, ...]:
    """The ledger's lines; the shipped one when `text` is None."""
    if text is None:
        text = (resources.files("etabli.images.pictograms") / "sets.yaml").read_text(encoding="utf-8")
    return tuple(IconSource.model_validate(row) for row in yaml.safe_load(text))


def fetch(folder: Path, ledger: tuple[IconSource, ...]) -> None:
    """Bring what is missing into the folder and check everything in it.

    Raises:
        DownloadError: an archive is missing and npm does not bring it.
        IntegrityError: an archive is another one than the ledger's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for source in ledger:
        path = folder / source.archive
        if not path.exists():
            _pack(folder, source)
        _check(path, source)


def _pack(folder: Path, source: IconSource) -> None:
    npm = shutil.which("npm")
    reason = tr("npm is not installed") if npm is None else ""
    if npm is not None:
        command = [npm, "pack", "--ignore-scripts", "--pack-destination", str(folder.absolute())]
        try:
            done = subprocess.run(
                [*command, f"{source.package}@{source.version}"],
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
            reason = (done.stderr.strip().splitlines() or ["npm"])[-1] if done.returncode else ""
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = str(error)
    if reason or not (folder / source.archive).exists():
        raise DownloadError(
            tr("{package} {version} could not be fetched ({reason}). Lay the file {archive} into {folder}.",
               package=source.package, version=source.version, reason=reason or "npm", archive=source.archive,
               folder=folder.name)
        )  # fmt: skip


def _check(path: Path, source: IconSource) -> None:
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    if source.integrity != f"sha512-{digest}":
        raise IntegrityError(
            tr("{archive} is not the file that the ledger of pictograms names. Remove it and fetch it again.",
               archive=path.name)
        )  # fmt: skip


def read_json(path: Path, member: str) -> Any:
    """A JSON file of an archive, such as `icons.json`; None where the archive has none of that name.

    Raises:
        IntegrityError: it is no archive, or too large.
    """
    try:
        with tarfile.open(path, "r:gz") as archive:
            for entry in archive:
                if entry.isfile() and entry.name.partition("/")[2] == member:
                    stream = archive.extractfile(entry)
                    if stream is None or entry.size > _MOST_BYTES:
                        break
                    return json.load(stream)
            else:
                return None
    except (OSError, tarfile.TarError, ValueError, EOFError):
        pass
    raise IntegrityError(
        tr("{archive} is not the file that the ledger of pictograms names. Remove it and fetch it again.",
           archive=path.name)
    )  # fmt: skip

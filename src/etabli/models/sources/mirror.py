"""Files over plain HTTP: an internal mirror, or one address."""

from pathlib import Path
from urllib.parse import quote

import httpx

from etabli.errors import DownloadError
from etabli.messages import tr
from etabli.models.download import fetch_file
from etabli.models.hashing import Progress
from etabli.models.sources.base import Delivery, Want
from etabli.models.transfer import TIMEOUT, Limits, RemoteFile, probe
from etabli.outbound import http_client, masked
from etabli.settings import Settings


def host_of(url: str) -> str:
    """The host name in an address.

    Raises:
        DownloadError: it is no HTTP address.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise DownloadError(
            tr("{url} is not an address that starts with https:// or http://", url=masked(url))
        )
    return parsed.host


def check_announced(remote: RemoteFile, want: Want) -> None:
    """Refuse, before the first byte, a file whose server announces other bytes than wanted.

    Raises:
        DownloadError: the size or the hash is another.
    """
    if want.sha256 is not None and remote.sha256 is not None and want.sha256 != remote.sha256:
        raise DownloadError(
            tr(
                "it has another file under this name: SHA-256 {found} instead of {wanted}",
                found=remote.sha256,
                wanted=want.sha256,
            )
        )
    pinned = want.sha256 is not None and want.size_bytes is not None
    if pinned and remote.size_bytes is not None and remote.size_bytes != want.size_bytes:
        raise DownloadError(
            tr(
                "it has another file under this name: {found} bytes instead of {wanted}",
                found=remote.size_bytes,
                wanted=want.size_bytes,
            )
        )


class MirrorSource:
    """An internal mirror: `<mirror>/<sha256>`, then `<mirror>/<file name>`; or a file's own address.

    Args:
        settings: for the HTTP client.
        url: base address of the mirror, or the address of one file when `single`.
        single: whether `url` is the file itself.
        limits: how hard to try.
    """

    def __init__(self, settings: Settings, url: str, *, single: bool = False, limits: Limits) -> None:
        self._settings = settings
        self._url = url.rstrip("/")
        self._single = single
        self._limits = limits

    @property
    def key(self) -> str:
        """Folder word."""
        return "url" if self._single else "mirror"

    @property
    def label(self) -> str:
        """The address without credentials."""
        return masked(self._url)

    def deliver(self, want: Want, folder: Path, progress: Progress | None) -> Delivery:
        """Download the file; see `Source.deliver`."""
        with http_client(
            self._settings, purpose=tr("downloading a model"), timeout=TIMEOUT, allow=[host_of(self._url)]
        ) as client:
            remote = self._probe(client, want)
            check_announced(remote, want)
            data, resumed = fetch_file(client, remote, folder, limits=self._limits, progress=progress)
        return Delivery(
            path=data, ours=True, source=masked(remote.url), sha256=remote.sha256, resumed=resumed
        )

    def _probe(self, client: httpx.Client, want: Want) -> RemoteFile:
        if self._single:
            return probe(client, self._url, limits=self._limits)
        names = [name for name in (want.sha256, want.file) if name is not None]
        for name in names[:-1]:
            try:
                return probe(client, self._address(name), limits=self._limits)
            except DownloadError:
                continue
        return probe(client, self._address(names[-1]), limits=self._limits)

    def _address(self, name: str) -> str:
        base = httpx.URL(self._url)
        return str(base.copy_with(path=f"{base.path.rstrip('/')}/{quote(name)}"))

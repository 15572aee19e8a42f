"""The Hugging Face hub over plain HTTP: no account, no token, no client library.

A file lies at `https://huggingface.co/<repo>/resolve/main/<file>`, which redirects to a content network and, for
large files, announces the SHA-256 in `X-Linked-Etag`. Source: the hub's documentation on downloading files.
"""

from pathlib import Path
from urllib.parse import quote

from etabli.messages import tr
from etabli.models.download import fetch_file
from etabli.models.hashing import Progress
from etabli.models.sources.base import Delivery, Want
from etabli.models.sources.mirror import check_announced, host_of
from etabli.models.transfer import TIMEOUT, Limits, probe
from etabli.outbound import http_client
from etabli.settings import Settings

HUB_URL = "https://huggingface.co"
HUB_HOSTS = ("huggingface.co", "*.huggingface.co", "*.hf.co")


class HubSource:
    """One file of one repository.

    Args:
        settings: for the HTTP client.
        repo: `owner/name`.
        file: its path in the repository.
        limits: how hard to try.
        base_url: the hub's address; another one in tests.
    """

    key = "hub"

    def __init__(
        self, settings: Settings, repo: str, file: str, *, limits: Limits, base_url: str = HUB_URL
    ) -> None:
        self._settings = settings
        self._repo = repo
        self._file = file
        self._limits = limits
        self._base_url = base_url

    @property
    def label(self) -> str:
        """The hub and the repository."""
        return f"Hugging Face ({self._repo})"

    def deliver(self, want: Want, folder: Path, progress: Progress | None) -> Delivery:
        """Download the file; see `Source.deliver`."""
        url = f"{self._base_url}/{quote(self._repo)}/resolve/main/{quote(self._file)}"
        allow = (*HUB_HOSTS, host_of(self._base_url))
        with http_client(
            self._settings, purpose=tr("downloading a model"), timeout=TIMEOUT, allow=allow
        ) as client:
            remote = probe(client, url, limits=self._limits)
            check_announced(remote, want)
            data, resumed = fetch_file(client, remote, folder, limits=self._limits, progress=progress)
        return Delivery(path=data, ours=True, source=url, sha256=remote.sha256, resumed=resumed)

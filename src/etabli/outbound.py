"""The one door to the network: HTTP clients that refuse every host nobody allowed.

A host is allowed when it is this machine (loopback), when the settings list it in `outbound`, or when a person's
command names it for this call (pulling a model is a person's act). Redirects pass the same check, because httpx
calls the request hook before each hop. Loopback never goes through a proxy.
"""

import ipaddress
import ssl
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import certifi
import httpx

from etabli.errors import EgressDeniedError
from etabli.messages import tr
from etabli.settings import Settings

DEFAULT_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_DIRECT: dict[str, None] = {"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None}


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("localhost.example.org")
    (True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_allowed(host: str, allowed: Iterable[str]) -> bool:
    """Whether `host` is loopback or matches an entry: an exact name, or `*.example.org` for what lies under it.

    >>> host_allowed("cdn.example.org", ["*.example.org"]), host_allowed("example.org", ["*.example.org"])
    (True, False)
    """
    host = host.lower().rstrip(".")
    if is_loopback(host):
        return True
    for entry in allowed:
        entry = entry.strip().lower().rstrip(".")
        if host == entry or (entry.startswith("*.") and host.endswith(entry[1:])):
            return True
    return False


def masked(url: str | httpx.URL) -> str:
    """The address without credentials and query, fit for messages and logs.

    >>> masked("https://me:secret@mirror.example.org/models?token=1")
    'https://mirror.example.org/models'
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return "?"
    return str(parsed.copy_with(username=None, password=None, query=None, fragment=None))


class _Guard:
    """Refuses a request whose host is not allowed."""

    def __init__(self, purpose: str, allowed: tuple[str, ...]) -> None:
        self.purpose = purpose
        self.allowed = allowed

    def check(self, request: httpx.Request) -> None:
        """Raise `EgressDeniedError` unless the host of `request` is allowed."""
        host = request.url.host
        if not host_allowed(host, self.allowed):
            raise EgressDeniedError(
                tr(
                    "Établi does not call {host} ({purpose}): nothing leaves this machine unless a person "
                    "allows it. If it should, add {host} to `outbound` in etabli.toml.",
                    host=host or "?",
                    purpose=self.purpose,
                )
            )

    async def acheck(self, request: httpx.Request) -> None:
        """The same check for the asynchronous client."""
        self.check(request)


@cache
def tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Trust the system's authorities (a company's own are there), certifi's, and those of `ca_file`."""
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=certifi.where())
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    return context


def http_client(
    settings: Settings,
    *,
    purpose: str,
    allow: Iterable[str] = (),
    timeout: httpx.Timeout | float = DEFAULT_TIMEOUT,
    ca_file: Path | None = None,
) -> httpx.Client:
    """Make an HTTP client that reaches only what is allowed. The caller closes it.

    Args:
        settings: their `outbound` hosts are allowed.
        purpose: what the call is for, in the reader's language, for the refusal message.
        allow: hosts that a person's command allows for this client (`*.example.org` for a family).
        timeout: connect, read, write and pool limits, in seconds.
        ca_file: certificate authorities to trust besides the system's and certifi's.

    Raises:
        EgressDeniedError: by the client's calls, for any other host, a redirect's target included.
    """
    guard = _Guard(purpose, (*settings.outbound, *allow))
    return httpx.Client(
        event_hooks={"request": [guard.check]},
        follow_redirects=True,
        headers={"User-Agent": "etabli"},
        timeout=timeout,
        verify=tls_context(ca_file),
        mounts=_DIRECT,
    )


def async_http_client(
    settings: Settings,
    *,
    purpose: str,
    allow: Iterable[str] = (),
    timeout: httpx.Timeout | float = DEFAULT_TIMEOUT,
    ca_file: Path | None = None,
) -> httpx.AsyncClient:
    """The asynchronous twin of `http_client`, with the same rules."""
    guard = _Guard(purpose, (*settings.outbound, *allow))
    return httpx.AsyncClient(
        event_hooks={"request": [guard.acheck]},
        follow_redirects=True,
        headers={"User-Agent": "etabli"},
        timeout=timeout,
        verify=tls_context(ca_file),
        mounts=_DIRECT,
    )

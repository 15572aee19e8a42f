"""The simple package index (PEP 503 HTML, PEP 691 JSON), over HTTP or in a folder, and pip's own configuration."""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

import httpx

from etabli.errors import DownloadError
from etabli.messages import tr
from etabli.models.transfer import Limits, check_status
from etabli.outbound import masked

_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.2, */*;q=0.01"
_HASHES = ("sha512", "sha384", "sha256")


@dataclass(frozen=True)
class IndexFile:
    """One file that an index lists.

    Attributes:
        filename: of the package file.
        url: absolute, without fragment; `file:` for one on this machine.
        hash_name: `sha256`, `sha384`, `sha512`, or None when the index gives none of them.
        hash_value: hexadecimal digits.
        size_bytes: when told.
    """

    filename: str
    url: str
    hash_name: str | None
    hash_value: str | None
    size_bytes: int | None


@dataclass(frozen=True)
class PipConfiguration:
    """What pip is set to on this machine: its indexes in order, and its certificate file."""

    indexes: tuple[str, ...]
    ca_file: Path | None


def pip_configuration() -> PipConfiguration:
    """Ask this machine's pip for its configuration and, where that names no index, for its own default.

    Raises:
        DownloadError: there is no pip to ask.
    """
    commands = [[sys.executable, "-m", "pip"]]
    if (pip := shutil.which("pip")) is not None:
        commands.append([pip])
    for command in commands:
        try:
            listed = _asked([*command, "config", "list"])
            return parse_pip_configuration(listed, default=partial(_default_index, command))
        except (OSError, subprocess.SubprocessError, LookupError):
            continue
    raise DownloadError(
        tr("no pip on this machine says where packages come from: set `package_index_url` in etabli.toml")
    )


def _asked(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


def _default_index(command: list[str]) -> str:
    """The index that this pip uses unless told: only its source code says it."""
    found = re.match(r"pip \S+ from (.+) \(python", _asked([*command, "--version"]))
    if found is None:
        raise LookupError("pip --version")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pip._internal.models.index import PyPI;"
        " print(PyPI.simple_url)"
    )
    return _asked([sys.executable, "-c", program, str(Path(found[1]).parent)]).strip()


def parse_pip_configuration(text: str, *, default: Callable[[], str]) -> PipConfiguration:
    """Read the lines of `pip config list`; the environment wins over `install`, that over `global`.

    Args:
        text: the lines.
        default: gives the index where they name none.

    >>> text = "global.index-url='https://mirror.example.org/simple'"
    >>> parse_pip_configuration(text, default=str).indexes
    ('https://mirror.example.org/simple',)
    """
    values: dict[str, str] = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        if separator:
            try:
                values[key.strip()] = str(ast.literal_eval(value.strip()))
            except (ValueError, SyntaxError):
                values[key.strip()] = value.strip()

    def pick(name: str) -> str | None:
        for section in (":env:", "install", "global"):
            if value := values.get(f"{section}.{name}"):
                return value
        return None

    indexes = [pick("index-url") or default(), *(pick("extra-index-url") or "").split()]
    certificate = pick("cert")
    ca_file = Path(certificate) if certificate and Path(certificate).is_file() else None
    return PipConfiguration(tuple(dict.fromkeys(indexes)), ca_file)


def local_path(url: str) -> Path | None:
    """The path of a `file:` address or a plain path; None for anything else."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Path(url2pathname(unquote(parts.path)))
    return Path(url) if not parts.scheme else None


def list_package(client: httpx.Client, index: str, package: str, *, limits: Limits) -> tuple[IndexFile, ...]:
    """List the files of a package.

    Args:
        client: reaches the index.
        index: its address or folder; a folder may also hold the wheels themselves.
        package: its name.
        limits: unused for folders.

    Raises:
        DownloadError: the index does not know the package.
        Fault: it may pass.
    """
    name = normalised(package)
    folder = local_path(index)
    if folder is not None:
        return _list_folder(folder, name, index)
    url = f"{index.rstrip('/')}/{name}/"
    response = client.get(url, headers={"Accept": _ACCEPT})
    if response.status_code == 404:
        raise DownloadError(tr("{index} has no package {package}", index=masked(index), package=name))
    check_status(response)
    return parse_page(response.text, response.headers.get("content-type", ""), str(response.url))


def _list_folder(folder: Path, name: str, index: str) -> tuple[IndexFile, ...]:
    page = folder / name / "index.html"
    if page.is_file():
        return parse_page(page.read_text(encoding="utf-8"), "text/html", page.as_uri())
    pattern = re.compile(re.escape(name.replace("-", "_")) + r"-[^-]+(-[^-]+){3}\.whl", re.IGNORECASE)
    places = [place for place in (folder, folder / name) if place.is_dir()]
    wheels = sorted(path for place in places for path in place.iterdir() if pattern.fullmatch(path.name))
    if not wheels:
        raise DownloadError(tr("{index} has no package {package}", index=masked(index), package=name))
    return tuple(
        IndexFile(path.name, path.absolute().as_uri(), None, None, path.stat().st_size) for path in wheels
    )


def normalised(package: str) -> str:
    """The one spelling of a package name (PEP 503).

    >>> normalised("Some_Package.part1")
    'some-package-part1'
    """
    return re.sub(r"[-_.]+", "-", package).lower()


def parse_page(text: str, content_type: str, base_url: str) -> tuple[IndexFile, ...]:
    """Read a package's page, JSON or HTML.

    Raises:
        DownloadError: it is neither.
    """
    try:
        if "json" in content_type:
            return _parse_json(text, base_url)
        return _parse_html(text, base_url)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DownloadError(
            tr("{url} answers something that is not a package index", url=masked(base_url))
        ) from None


def _parse_json(text: str, base_url: str) -> tuple[IndexFile, ...]:
    files = []
    for item in json.loads(text)["files"]:
        name, value = _best_hash(dict(item.get("hashes") or {}))
        size = item.get("size")
        files.append(
            IndexFile(
                filename=str(item["filename"]),
                url=urljoin(base_url, str(item["url"])),
                hash_name=name,
                hash_value=value,
                size_bytes=size if isinstance(size, int) else None,
            )
        )
    return tuple(files)


class _Links(HTMLParser):
    """Collects the `href` of every anchor, and the page's `base`."""

    def __init__(self) -> None:
        super().__init__()
        self.base: str | None = None
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href")
        if tag == "a" and href:
            self.hrefs.append(href)
        elif tag == "base" and href and self.base is None:
            self.base = href


def _parse_html(text: str, base_url: str) -> tuple[IndexFile, ...]:
    links = _Links()
    links.feed(text)
    base = urljoin(base_url, links.base) if links.base else base_url
    files = []
    for href in links.hrefs:
        url, fragment = urldefrag(urljoin(base, href))
        name, separator, value = fragment.partition("=")
        chosen = _best_hash({name: value} if separator else {})
        filename = unquote(urlsplit(url).path.rsplit("/", 1)[-1])
        files.append(IndexFile(filename, url, *chosen, None))
    return tuple(files)


def _best_hash(hashes: dict[str, str]) -> tuple[str | None, str | None]:
    for name in _HASHES:
        if isinstance(hashes.get(name), str):
            return name, hashes[name].lower()
    return None, None

"""The files of the screens, served from memory: `/static/<hash of all>/…`, compressed once, kept by browsers.

Any change of any file changes the hash, so nothing is ever stale and nothing is asked for twice. Scripts are native
modules: what a page's module imports, directly or not, is named in the page so that it loads at once. The sheets of a
page are sent as one.
"""

import gzip
import hashlib
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request
from starlette.responses import Response

from etabli.errors import NotFoundError
from etabli.messages import tr
from etabli.server.web.security import STATIC_HEADERS

PREFIX = "/static/"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
"""What is served; other files of the folder (the program that makes the icons) are not."""
_COMPRESSED = (".css", ".js", ".json", ".svg", ".txt")
_COMMENT = re.compile(r"^[ \t]*/\*\*.*?\*/[ \t]*\n", re.DOTALL | re.MULTILINE)
"""A comment on lines of its own, as our modules are documented with: a fifth of what would go over the wire."""
_IMPORT = re.compile(
    r"""^[ \t]*(?:import[ \t]+|export[ \t]+(?=[*{]))(?:[^"'();]*?\bfrom[ \t]*)?["'](\.{1,2}/[^"']+)["']""",
    re.MULTILINE,
)
"""A static import; a module that is imported when it is needed is not loaded before."""
_LATER = re.compile(r"""\bimport\([ \t\n]*["'](\.{1,2}/[^"']+)["']""")


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file: its bytes, and the same compressed where that helps."""

    content: bytes
    compressed: bytes | None
    media_type: str


class StaticTree:
    """All files under one folder.

    Args:
        folder: read whole, once.
    """

    def __init__(self, folder: Traversable) -> None:
        self._files = dict(sorted(_read(folder, "")))
        digest = hashlib.sha256()
        for path, file in self._files.items():
            digest.update(f"{path}\0{len(file.content)}\0".encode() + file.content)
        self.hash = digest.hexdigest()[:16]

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def __getitem__(self, path: str) -> StaticFile:
        return self._files[path]

    @property
    def files(self) -> Mapping[str, StaticFile]:
        """Every file by its path, such as `js/core/dom.js`."""
        return self._files

    def url(self, path: str) -> str:
        """The address of a file.

        Raises:
            KeyError: there is none: a page names something that was not written.
        """
        if path not in self._files:
            raise KeyError(path)
        return f"{PREFIX}{self.hash}/{path}"

    def joined(self, *sheets: str) -> str:
        """One sheet that holds several, in their order; made when it is first asked for.

        Args:
            sheets: paths in one folder, so that what they name relative to themselves is still found.

        Returns:
            Its path: in that folder, named by what it holds.
        """
        content = b"".join(self._files[sheet].content for sheet in sheets)
        folder = posixpath.dirname(sheets[0])
        path = f"{folder}/joined-{hashlib.sha256(content).hexdigest()[:16]}.css"
        if path not in self._files:
            self._files[path] = StaticFile(content, gzip.compress(content, 9, mtime=0), _TYPES[".css"])
        return path

    def modules(self, *entries: str, later: bool = False) -> list[str]:
        """Every module that the entries need, themselves first, in the order of discovery.

        Args:
            entries: paths of modules.
            later: with those that are imported only when something needs them.
        """
        found: dict[str, None] = {}
        waiting = [entry for entry in entries if entry in self._files]
        while waiting:
            path = waiting.pop(0)
            if path in found:
                continue
            found[path] = None
            waiting += [one for one in self._imports(path, later) if one in self._files]
        return list(found)

    def _imports(self, path: str, later: bool) -> list[str]:
        text = self._files[path].content.decode()
        names = _IMPORT.findall(text) + (_LATER.findall(text) if later else [])
        here = posixpath.dirname(path)
        return [posixpath.normpath(posixpath.join(here, name)) for name in names]


@cache
def static_tree() -> StaticTree:
    """The product's own files."""
    return StaticTree(resources.files("etabli.server.web") / "static")


def static_router(tree: StaticTree) -> APIRouter:
    """The route of the files, open to anybody: it holds nothing of an installation."""
    router = APIRouter(include_in_schema=False)

    @router.get(PREFIX + "{hash}/{path:path}")
    async def static(hash: str, path: str, request: Request) -> Response:
        if hash != tree.hash or path not in tree:
            raise NotFoundError(tr("There is no such file. Load the page again."))
        file = tree[path]
        headers = dict(STATIC_HEADERS)
        if file.compressed is not None and accepts_gzip(request.headers.get("accept-encoding", "")):
            headers["content-encoding"] = "gzip"
            return Response(file.compressed, media_type=file.media_type, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)

    return router


def accepts_gzip(header: str) -> bool:
    """Whether an `Accept-Encoding` takes gzip.

    >>> accepts_gzip("br;q=1.0, gzip;q=0.8"), accepts_gzip("gzip;q=0"), accepts_gzip("")
    (True, False, False)
    """
    for part in header.split(","):
        name, _, weight = part.strip().partition(";")
        if name.strip().lower() in ("gzip", "*"):
            return weight.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _read(folder: Traversable, prefix: str) -> list[tuple[str, StaticFile]]:
    found: list[tuple[str, StaticFile]] = []
    for entry in folder.iterdir():
        path = prefix + entry.name
        suffix = posixpath.splitext(entry.name)[1]
        if entry.is_dir():
            found += _read(entry, path + "/")
        elif suffix in _TYPES:
            content = entry.read_bytes()
            if path.startswith("js/"):
                content = _COMMENT.sub("", content.decode()).encode()
            compressed = gzip.compress(content, 9, mtime=0) if suffix in _COMPRESSED else None
            found.append((path, StaticFile(content, compressed, _TYPES[suffix])))
    return found

"""Opening zip archives and XML that nobody trusts.

A member is judged by what it declares and read with a hard stop at that size, so that a lying header gains
nothing. Names of members are only keys: nothing is ever written.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from functools import cached_property

from lxml import etree

from etabli.errors import DocumentError
from etabli.knowledge.readers import refusals
from etabli.knowledge.readers.limits import ReaderLimits

_SMALL_MEMBER = 1_000_000
_DECLARATIONS = ("<!DOCTYPE", "<!ENTITY")
_FORBIDDEN = tuple(
    word.encode(encoding) for word in _DECLARATIONS for encoding in ("ascii", "utf-16-le", "utf-16-be")
)


class Archive:
    """A zip file in memory, checked before anything is unpacked.

    Raises:
        DocumentError: `broken` when it is no zip file, `unsafe` for a bomb, `encrypted` for a password.
    """

    def __init__(self, data: bytes, limits: ReaderLimits, *, format_name: str) -> None:
        self._format_name = format_name
        self._limits = limits
        self._unpacked = 0
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError):
            raise refusals.broken(format_name) from None
        self._check(self._zip.infolist())

    def _check(self, members: list[zipfile.ZipInfo]) -> None:
        limits = self._limits
        if len(members) > limits.max_members:
            raise refusals.zip_bomb()
        if sum(member.file_size for member in members) > limits.max_unpacked_bytes:
            raise refusals.zip_bomb()
        for member in members:
            if member.flag_bits & 1:
                raise refusals.encrypted()
            ratio = member.file_size / max(1, member.compress_size)
            if member.file_size > _SMALL_MEMBER and ratio > limits.max_ratio:
                raise refusals.zip_bomb()

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the members."""
        return frozenset(self._zip.namelist())

    def read(self, name: str) -> bytes:
        """The bytes of a member.

        Raises:
            DocumentError: it is missing or damaged (`broken`), or longer than declared (`unsafe`).
        """
        try:
            member = self._zip.getinfo(name)
            with self._zip.open(member) as stream:
                content = stream.read(member.file_size + 1)
        except (
            KeyError,
            zipfile.BadZipFile,
            zlib.error,
            OSError,
            EOFError,
            NotImplementedError,
            RuntimeError,
        ):
            raise refusals.broken(self._format_name) from None
        self._unpacked += len(content)
        if len(content) > member.file_size or self._unpacked > 2 * self._limits.max_unpacked_bytes:
            raise refusals.zip_bomb()
        return content

    def xml(self, name: str) -> etree._Element:
        """The root element of an XML member.

        Raises:
            DocumentError: as `read`; `unsafe` when it declares a document type or entities.
        """
        return parse_xml(self.read(name), format_name=self._format_name)

    def optional_xml(self, name: str) -> etree._Element | None:
        """Like `xml`, but None when the member does not exist or is damaged."""
        if name not in self.names:
            return None
        try:
            return self.xml(name)
        except DocumentError as error:
            if error.state == "unsafe":
                raise
            return None


def parse_xml(content: bytes, *, format_name: str) -> etree._Element:
    """Parse XML without entities, network or huge trees.

    Raises:
        DocumentError: `unsafe` when it declares a document type or entities, else `broken`.
    """
    if any(word in content for word in _FORBIDDEN):
        raise refusals.xml_entities()
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise refusals.broken(format_name) from None
    if root.getroottree().docinfo.doctype:
        raise refusals.xml_entities()
    return root


def local(element: etree._Element) -> str:
    """The name of an element without its namespace.

    >>> local(etree.fromstring('<w:p xmlns:w="urn:w"/>'))
    'p'
    """
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: etree._Element, name: str) -> str | None:
    """An attribute by its name without namespace."""
    value = element.get(name)
    if value is not None:
        return str(value)
    for key, value in element.attrib.items():
        if key.endswith("}" + name):
            return str(value)
    return None


def descendants(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """All elements below with that name, whatever their namespace."""
    yield from element.iter("{*}" + name)


def child(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first child, grandchild… along names without namespace."""
    for name in path:
        if element is None:
            return None
        element = element.find("{*}" + name)
    return element


def core_title(archive: Archive) -> str | None:
    """The title in an Office document's properties."""
    root = archive.optional_xml("docProps/core.xml")
    title = child(root, "title")
    return title.text if title is not None else None


def relations(archive: Archive, part: str) -> dict[str, tuple[str, str]]:
    """Targets of an Office part: relation id → (last word of the type, member name)."""
    folder, _, base = part.rpartition("/")
    root = archive.optional_xml(f"{folder}/_rels/{base}.rels" if folder else f"_rels/{base}.rels")
    found: dict[str, tuple[str, str]] = {}
    for relation in root if root is not None else ():
        target = relation.get("Target", "")
        if relation.get("TargetMode") == "External":
            continue
        path = target.lstrip("/") if target.startswith("/") else _resolve(folder, target)
        found[relation.get("Id", "")] = (relation.get("Type", "").rpartition("/")[2], path)
    return found


def _resolve(folder: str, target: str) -> str:
    parts = folder.split("/") if folder else []
    for part in target.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)

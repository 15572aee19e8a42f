"""Office files are zip archives; here they are rewritten so that the same content gives the same bytes.

Members are stored, not deflated: deflated bytes depend on the zlib of the machine, and git compresses anyway.
"""

import io
import re
import zipfile
from collections.abc import Iterable

EPOCH = (2026, 1, 5, 8, 0, 0)
EPOCH_ISO = "2026-01-05T08:00:00Z"

_MODIFIED = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
_NOT_NEEDED = (
    "docProps/thumbnail.jpeg",
    "word/stylesWithEffects.xml",
    "ppt/printerSettings/printerSettings1.bin",
)
_RELATION = re.compile(rb"<Relationship [^>]*?Target=\"(?:/?)([^\"]*)\"[^>]*?/>")


def pack(members: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip archive of `members`, in their order, with fixed dates and no compression."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system = 0
            archive.writestr(info, data)
    return buffer.getvalue()


def normalise(office_file: bytes) -> bytes:
    """The same office file with fixed dates, and without the parts that a template left in it."""
    with zipfile.ZipFile(io.BytesIO(office_file)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist() if name not in _NOT_NEEDED]
    return pack((name, _clean(name, data)) for name, data in members)


def _clean(name: str, data: bytes) -> bytes:
    if name == "docProps/core.xml":
        return _MODIFIED.sub(rb"\g<1>" + EPOCH_ISO.encode(), data)
    if name.endswith(".rels"):
        return _RELATION.sub(lambda match: b"" if _left_out(match.group(1)) else match.group(0), data)
    if name == "[Content_Types].xml":
        return re.sub(rb"<Override [^>]*stylesWithEffects[^>]*/>", b"", data)
    return data


def _left_out(target: bytes) -> bool:
    return any(part.endswith(target.decode().removeprefix("../")) for part in _NOT_NEEDED)

"""A small model, its catalogue, and quick limits."""

import hashlib
import zipfile
from pathlib import Path

from etabli.models.catalogue import Catalogue
from etabli.models.transfer import Limits

QUICK = Limits(
    connections=4, attempts=4, pause_s=0.01, longest_pause_s=0.05, block_bytes=32768, request_blocks=4
)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def small_catalogue(
    data: bytes, *, pinned: bool = True, hub: bool = False, parts: tuple[int, int] | None = None
) -> Catalogue:
    """A catalogue with one small model; `parts` gives the number of packages and the bytes in each."""
    sources: dict[str, object] = {}
    if hub:
        sources["hub"] = {"repo": "owner/small-GGUF", "file": "small.gguf"}
    if parts:
        sources["packages"] = {
            "package": "small-model-part{number}",
            "count": parts[0],
            "version": "1.0.0",
            "part_bytes": parts[1],
        }
    entry = {
        "name": "small",
        "title": "Small",
        "publisher": "Us",
        "file": "small.gguf",
        "sha256": digest(data) if pinned else None,
        "size_bytes": len(data),
        "checked": True,
        "licence": "Apache-2.0",
        "languages": ["fr"],
        "parameters": 1000,
        "quantisation": "Q4_K_M",
        "context_tokens": 4096,
        "shape": {"layers": 1, "kv_heads": 1, "head_dim": 1},
        "sources": sources,
    }
    licence = {"commercial": "yes", "words": {"en": "Free.", "fr": "Libre."}, "url": "https://example.org"}
    return Catalogue.model_validate({"licences": {"Apache-2.0": licence}, "models": [entry]})


def write_wheel(folder: Path, package: str, version: str, member: str, data: bytes) -> Path:
    """A wheel that carries `data` as `<package>/data/<member>`."""
    module = package.replace("-", "_")
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{module}/__init__.py", "raise SystemExit('never imported')")
        archive.writestr(f"{module}/data/{member}", data)
    return path

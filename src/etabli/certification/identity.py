"""What the engine of this installation is: the hash of its weights, read again from the file, and its build."""

import threading
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from etabli.certification.bundle import EngineIdentity, engine_build
from etabli.engines.base import ChatEngine
from etabli.models.hashing import sha256_of
from etabli.models.store import ModelStore
from etabli.settings import Settings
from etabli.training.adapters import approved_files

_lock = threading.Lock()
_known: dict[tuple[Path, int, int, int], str] = {}


def engine_identity(
    settings: Settings, engine: ChatEngine, *, adapters: Mapping[str, Path] | None = None
) -> EngineIdentity:
    """What answers. Reads the whole weights file when it is new or changed: blocks for seconds.

    Args:
        settings: of the installation.
        engine: that runs.
        adapters: LoRA files by name; those that are approved for the engine's model if None.
    """
    if settings.engine_url is not None:
        host = urlsplit(settings.engine_url).netloc
        return EngineIdentity(
            engine.model, "", f"endpoint {host}", engine.context_tokens, _hashes(adapters or {})
        )
    store = ModelStore(settings.models_dir)
    manifest = store.manifest(engine.model)
    weights = file_sha256(store.blob(manifest.sha256)) if manifest is not None else ""
    if adapters is None:
        adapters = approved_files(settings.adapters_dir, weights)
    return EngineIdentity(engine.model, weights, engine_build(), engine.context_tokens, _hashes(adapters))


def _hashes(adapters: Mapping[str, Path]) -> dict[str, str]:
    """Of the files as they are now; one that is gone is none."""
    return {name: file_sha256(path) for name, path in adapters.items() if path.is_file()}


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file as it is now; read again when its size, time or place on the disk changed."""
    status = path.stat()
    stamp = (path, status.st_size, status.st_mtime_ns, status.st_ino)
    with _lock:
        if stamp not in _known:
            _known[stamp] = sha256_of(path)
        return _known[stamp]

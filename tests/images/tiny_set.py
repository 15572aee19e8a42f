"""A set of icons that we drew ourselves, in the layout of the archives that training fetches."""

import base64
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from etabli.images.pictograms.concepts import Library, read_library
from etabli.images.pictograms.sources import IconSource

WORDS = {
    "1F34E": ("pomme rouge", ["fruit", "pomme"], "red apple", ["apple", "fruit"], 4),
    "1F431": ("chat", ["animal"], "cat", ["animal"], 3),
    "1F697": ("voiture de face", ["voiture"], "front car", ["car"], 5),
    "2B50": ("étoile", ["ciel"], "star", ["sky"], 5),
    "1F389": ("cotillons", ["fête"], "streamers", ["party"], 6),
    "1F642": ("visage", ["sourire"], "face", ["smile"], 0),
    "1F44D": ("pouce", ["main"], "thumb", ["hand"], 1),
    "1F9F1": ("brique", ["mur"], "brick", ["wall"], 7),
}
FLAG = "1F1EB-1F1F7"
BODIES = {
    "1F34E": '<circle cx="16" cy="17" r="12" fill="#d22"/><path d="M16 6l3-5" stroke="#532" stroke-width="2"/>',
    "1F431": '<path fill="#fb4" d="M4 2l6 6h12l6-6v26H4z"/><circle cx="11" cy="16" r="2" fill="#222"/>',
    "1F697": '<rect x="2" y="10" width="28" height="14" fill="#39c"/><circle cx="9" cy="25" r="4" fill="#333"/>',
    "2B50": '<path fill="#fc3" d="M16 1l4 10h11l-9 7 4 12-10-8-10 8 4-12-9-7h11z"/>',
    "1F389": '<defs><linearGradient id="a"><stop stop-color="#f0f"/></linearGradient></defs>'
    '<rect x="6" y="6" width="20" height="20" fill="url(#a)"/>',
    "1F642": '<circle cx="16" cy="16" r="15" fill="#fc3"/><circle cx="11" cy="13" r="2"/>',
    "1F44D": '<rect x="8" y="4" width="9" height="24" fill="#eb8"/>',
    "1F9F1": '<rect x="2" y="8" width="28" height="16" fill="#b54"/>',
}


def entries(language: str) -> list[dict[str, Any]]:
    """As emojibase has them, a flag and a letter among them."""
    rows: list[dict[str, Any]] = [
        {"label": "A", "hexcode": "1F1E6"},
        {"label": "F", "hexcode": FLAG, "group": 9},
    ]
    for code, (french, french_tags, english, english_tags, group) in WORDS.items():
        label, tags = (french, french_tags) if language == "fr" else (english, english_tags)
        rows.append({"label": label, "hexcode": code, "tags": tags, "group": group})
    return rows


def icons(*, by_code: bool, turn: int = 0) -> dict[str, Any]:
    """A set; its names are English, and its code points are told or not."""
    names = {code: words[2].replace(" ", "-") for code, words in WORDS.items()}
    drawn = {
        name: {"body": f'<g transform="rotate({turn} 16 16)">{BODIES[code]}</g>'}
        for code, name in names.items()
    }
    chars = {code.lower(): name for code, name in names.items()} if by_code else {}
    return {"icons.json": {"icons": drawn, "width": 32, "height": 32}, "chars.json": chars}


def write_archive(folder: Path, package: str, role: str, files: dict[str, Any]) -> IconSource:
    """Write an archive as npm does, and its line of the ledger."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {
        "package": package,
        "version": "1.0.0",
        "role": role,
        "licence": "MIT",
        "author": "us",
        "home": "here",
    }
    path = folder / IconSource.model_validate({**values, "integrity": ""}).archive
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    return IconSource.model_validate({**values, "integrity": f"sha512-{digest}"})


def write_ledger(folder: Path) -> tuple[IconSource, ...]:
    """Two sets and the words."""
    words = {f"{language}/data.json": entries(language) for language in ("fr", "en")}
    return (
        write_archive(folder, "@tiny/shapes", "generator", icons(by_code=True)),
        write_archive(folder, "@tiny/turned", "evaluator", icons(by_code=False, turn=20)),
        write_archive(folder, "words", "labels", words),
    )


def tiny_library(folder: Path) -> Library:
    """All of it, read."""
    return read_library(folder, write_ledger(folder))

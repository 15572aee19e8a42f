"""The catalogue: models that are known, where they can be had, what they need and under which licence.

The entries are in `catalogue.yaml`, read strictly. An entry with a hash is pinned: no other bytes will do. One
without was not seen by us; its first pull records the hash, which cannot change silently afterwards.
"""

import difflib
from functools import cache
from importlib import resources
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from etabli.errors import NotFoundError
from etabli.messages import language, tr
from etabli.models.machine import Machine
from etabli.models.sizes import format_bytes

DEFAULT_CONTEXT_TOKENS = 8192
KV_BYTES = 2
"""Bytes of one cached value: keys and values are kept in 16 bits."""
BUFFER_BYTES = 512 << 20
"""The engine's buffers beside weights and cache; `etabli.engines.sizing` reckons with the same."""

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Strict):
    """One sentence in two languages."""

    en: str
    fr: str

    def __str__(self) -> str:
        """The sentence in the language in force."""
        return self.fr if language() == "fr" else self.en


class Licence(_Strict):
    """What a licence allows, in plain words. Not legal advice; the text at `url` decides."""

    commercial: Literal["yes", "conditions", "no"]
    words: Words
    url: str


class Shape(_Strict):
    """The sizes that decide how much memory a conversation takes.

    Attributes:
        layers: transformer blocks that keep keys and values.
        kv_heads: key and value heads of each.
        head_dim: width of one head.
    """

    layers: int = Field(gt=0)
    kv_heads: int = Field(gt=0)
    head_dim: int = Field(gt=0)

    def kv_bytes(self, tokens: int) -> int:
        """Memory of the keys and values of `tokens` tokens: 2 · layers · heads · width · 2 bytes each.

        An upper bound for models that slide a window in some layers.
        """
        return 2 * self.layers * self.kv_heads * self.head_dim * KV_BYTES * tokens


class HubPlace(_Strict):
    """A file in a repository of the Hugging Face hub."""

    repo: str
    file: str


class PackagesPlace(_Strict):
    """A file cut into packages; `package` holds `{number}`, counted from 1."""

    package: str
    count: int = Field(gt=0)
    version: str
    part_bytes: int = Field(gt=0)


class Places(_Strict):
    """Where a file can be had."""

    hub: HubPlace | None = None
    packages: PackagesPlace | None = None


class Entry(_Strict):
    """One model of the catalogue.

    Attributes:
        name: how people call it.
        title: its publisher's name for it.
        publisher: who trained it.
        kind: what it does.
        file: name of the weights file.
        sha256: of that file; None when we have not seen its bytes.
        size_bytes: of that file; rounded by its publisher unless `sha256` is known.
        checked: whether repository, file name, size and licence were all found in public sources.
        licence: a key of `licences`.
        languages: ISO 639-1 codes it was trained for, French first when there.
        parameters: how many.
        quantisation: of the weights, in llama.cpp's words.
        context_tokens: the longest context it was trained for.
        shape: sizes for the memory formula.
        sources: where to get it.
        note: a caution worth a line.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")
    title: str
    publisher: str
    kind: Literal["chat"] = "chat"
    file: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\.gguf$")
    sha256: Digest | None = None
    size_bytes: int = Field(gt=0)
    checked: bool
    licence: str
    languages: tuple[str, ...]
    parameters: int = Field(gt=0)
    quantisation: str
    context_tokens: int = Field(gt=0)
    shape: Shape
    sources: Places
    note: Words | None = None

    def memory_bytes(self, *, context_tokens: int, slots: int = 1) -> int:
        """Memory needed to run it: weights, keys and values of every conversation, buffers.

        Args:
            context_tokens: of one conversation.
            slots: conversations at once.
        """
        return self.size_bytes + self.shape.kv_bytes(context_tokens * slots) + BUFFER_BYTES


class Catalogue(_Strict):
    """All entries and the licences they name."""

    licences: dict[str, Licence]
    models: tuple[Entry, ...]

    def find(self, name: str) -> Entry | None:
        """The entry of this name, or None."""
        return next((entry for entry in self.models if entry.name == name), None)

    def by_sha256(self, sha256: str) -> Entry | None:
        """The pinned entry with this hash, or None."""
        return next((entry for entry in self.models if entry.sha256 == sha256), None)

    def get(self, name: str) -> Entry:
        """The entry of this name.

        Raises:
            NotFoundError: there is none; the message names the nearest.
        """
        entry = self.find(name)
        if entry is None:
            raise NotFoundError(unknown_model(name, tuple(known.name for known in self.models)))
        return entry


def unknown_model(name: str, known: tuple[str, ...]) -> str:
    """The sentence for a name that nobody knows."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known[:3]
    return tr(
        "There is no model named “{name}”. Did you mean {near}? All are shown by: etabli models list",
        name=name,
        near=", ".join(near),
    )


@cache
def load_catalogue() -> Catalogue:
    """The catalogue that comes with Établi."""
    text = (resources.files("etabli.models") / "catalogue.yaml").read_text(encoding="utf-8")
    return Catalogue.model_validate(yaml.safe_load(text))


Level = Literal["comfortable", "tight", "no"]


class Verdict(_Strict):
    """Whether a machine can run a model, with one plain sentence.

    Attributes:
        level: `comfortable`, `tight` or `no`.
        sentence: for people, in the language in force.
        needed_bytes: memory needed, for the context that was asked about.
        context_tokens: that context.
    """

    level: Level
    sentence: str
    needed_bytes: int
    context_tokens: int


def can_run(
    entry: Entry,
    machine: Machine,
    *,
    context_tokens: int | None = None,
    slots: int = 1,
    installed: bool = False,
) -> Verdict:
    """Say whether `machine` can run `entry`.

    Comfortable: at most three quarters of the memory that is free now. Tight: at most nine tenths of all memory.

    Args:
        entry: the model.
        machine: what there is.
        context_tokens: of one conversation; the smaller of 8,192 and the model's own by default.
        slots: conversations at once.
        installed: whether its file is there already, so that no disk is needed.
    """
    context = min(context_tokens or DEFAULT_CONTEXT_TOKENS, entry.context_tokens)
    needed = entry.memory_bytes(context_tokens=context, slots=slots)
    values = {
        "needed": format_bytes(needed),
        "free": format_bytes(machine.memory_available),
        "total": format_bytes(machine.memory_total),
    }
    level: Level
    if machine.lacks_avx2:
        level, sentence = (
            "no",
            tr("does not run: this processor has no AVX2, which the built-in engine needs"),
        )
    elif needed > 0.9 * machine.memory_total:
        level = "no"
        if machine.memory_limited:
            sentence = tr("does not fit: needs {needed}, this container is allowed {total}", **values)
        else:
            sentence = tr("does not fit: needs {needed}, this machine has {total}", **values)
    elif not installed and entry.size_bytes > machine.disk_free:
        level = "no"
        sentence = tr(
            "no room on the disk: the file has {size}, {disk} are free",
            size=format_bytes(entry.size_bytes),
            disk=format_bytes(machine.disk_free),
        )
    elif needed > 0.75 * machine.memory_available:
        level, sentence = "tight", tr("tight: needs {needed}, {free} of {total} are free now", **values)
    else:
        level, sentence = "comfortable", tr("fits comfortably: needs {needed}, {free} are free", **values)
    return Verdict(level=level, sentence=sentence, needed_bytes=needed, context_tokens=context)

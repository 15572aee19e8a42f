"""A bundle: everything that an assistant version is made of, each part by its digest, and one root over them.

Any change of content changes the root; the same content gives the same root on another machine. So nothing enters
that belongs to one machine: no number of the database, no date, no path. Vectors do not enter either, since their
last bits depend on the processor; the embedding model that makes them, and the passages that they are made of, do.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata, resources
from typing import Any

from etabli import __version__
from etabli.assistants.abstaining import GATE
from etabli.assistants.specification import AssistantSpecification
from etabli.certification.certificate.canonical import canonical_json
from etabli.certification.certificate.merkle import named_root, root
from etabli.errors import ConfigurationError
from etabli.messages import tr
from etabli.storage.database import Database

JSON = dict[str, Any]
_BEHAVIOUR = ("assistants", "knowledge", "engines")
"""Parts of the package whose code decides what an assistant says."""


@dataclass(frozen=True, slots=True)
class EngineIdentity:
    """What answers, as far as it can be known.

    Args:
        model: its name.
        weights: SHA-256 of the weights file; empty where it runs elsewhere and was not seen.
        build: what runs it, with its version: `xllamacpp 2026.10.11549`, or the host of an endpoint.
        context_tokens: of one conversation.
        adapters: SHA-256 of each approved adapter, by name; of these only an assistant's own enters its bundle.
    """

    model: str
    weights: str
    build: str
    context_tokens: int
    adapters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a bundle: `digest` is the SHA-256 of the canonical JSON of `content`."""

    name: str
    digest: str
    content: JSON


@dataclass(frozen=True, slots=True)
class Bundle:
    """One assistant version, as it would serve.

    Args:
        assistant: its name, which is no part of the root.
        components: in the order of their names.
        root: Merkle root over the name and digest of each, hexadecimal.
    """

    assistant: str
    components: tuple[Component, ...]
    root: str

    def digest(self, name: str) -> str:
        """Of one component."""
        return next(one.digest for one in self.components if one.name == name)

    def digests(self) -> dict[str, str]:
        """Of all components, by name."""
        return {one.name: one.digest for one in self.components}

    def to_json(self) -> JSON:
        """Everything, as it is stored and put into the evidence."""
        return {
            "assistant": self.assistant, "root": self.root, "components": [asdict(one) for one in self.components]
        }  # fmt: skip


def bundle_of(
    assistant: AssistantSpecification, *, database: Database, engine: EngineIdentity, embedder: str | None
) -> Bundle:
    """The bundle of an assistant as it stands now. Reads every document's text from the database: blocks.

    Args:
        assistant: what its file says.
        database: where its documents are.
        engine: what answers.
        embedder: identity of the embedding model; None where there is none.

    Raises:
        ConfigurationError: a collection does not exist, or the assistant's adapter is not approved.
    """
    return make_bundle(
        assistant.name,
        {
            "adapters": {"adapters": _adapters(assistant, engine)},
            "audience": {"groups": sorted(assistant.audience)},
            "decoding": {
                "temperature": repr(float(assistant.temperature)),
                "max_tokens": assistant.max_tokens,
                "context_tokens": engine.context_tokens,
            },
            "engine": {"build": engine.build},
            "guards": _guards(assistant),
            "index": _index(assistant, database, embedder),
            "instructions": {
                "title": assistant.title,
                "language": assistant.language,
                "instructions": assistant.instructions,
                "examples": [one.model_dump() for one in assistant.examples],
            },
            "model": {"name": engine.model, "sha256": engine.weights},
            "software": {"version": __version__, "sha256": software_digest()},
            "template": {"from": "model"},
            "tools": {"tools": []},
        },
    )


def make_bundle(assistant: str, contents: Mapping[str, JSON]) -> Bundle:
    """A bundle over these contents, by component name."""
    components = tuple(
        Component(name, hashlib.sha256(canonical_json(content)).hexdigest(), content)
        for name, content in sorted(contents.items())
    )
    return Bundle(assistant, components, named_root({one.name: one.digest for one in components}))


def changed(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Names of the components that differ between two `Bundle.digests`."""
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


@cache
def software_digest() -> str:
    """SHA-256 over the package's code that decides what an assistant says: file names and bytes, in order."""
    total = hashlib.sha256()
    for part in _BEHAVIOUR:
        for name, content in _files(resources.files("etabli") / part, part):
            total.update(f"{name}\0{len(content)}\0".encode())
            total.update(content)
    return total.hexdigest()


def engine_build() -> str:
    """What runs a local model, with its version."""
    return f"xllamacpp {metadata.version('xllamacpp')}"


def _files(folder: Any, prefix: str) -> Iterable[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda one: str(one.name)):
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files(entry, f"{prefix}/{entry.name}")
        elif entry.name.endswith((".py", ".json", ".yaml")):
            yield f"{prefix}/{entry.name}", entry.read_bytes()


def _adapters(assistant: AssistantSpecification, engine: EngineIdentity) -> JSON:
    """The assistant's adapter and nobody else's: what others are given changes nothing of what it says."""
    if assistant.adapter is None:
        return {}
    if assistant.adapter not in engine.adapters:
        raise ConfigurationError(
            tr("The assistant {assistant} names the adapter {name}, which is not approved for the model that runs.",
               assistant=assistant.name, name=assistant.adapter)
        )  # fmt: skip
    return {assistant.adapter: engine.adapters[assistant.adapter]}


def _guards(assistant: AssistantSpecification) -> JSON:
    gate = {name: value if isinstance(value, str) else repr(value) for name, value in asdict(GATE).items()}
    return {
        "abstain": assistant.abstain,
        "contact": assistant.contact,
        "gate": gate,
        "guards": assistant.guards.model_dump(mode="json"),
    }


def _index(assistant: AssistantSpecification, database: Database, embedder: str | None) -> JSON:
    """Documents that can be found, each with its text, its passages and who may read it."""
    with database.owner() as connection:
        known = {
            str(name): int(number)
            for number, name in connection.execute(
                "SELECT id, name FROM collection WHERE name = ANY (%s) AND conversation_id IS NULL"
                " AND removed_at IS NULL",
                (list(assistant.collections),),
            )
        }
        missing = [name for name in assistant.collections if name not in known]
        if missing:
            raise ConfigurationError(
                tr("The assistant {assistant} names the collection {name}, which does not exist.",
                   assistant=assistant.name, name=missing[0])
            )  # fmt: skip
        rows = connection.execute(_DOCUMENTS, (list(known.values()),)).fetchall()
    documents = [
        canonical_json({
            "collection": collection, "name": name, "sha256": sha256, "readers": sorted(readers),
            "text": text, "passages": passages,
        })
        for collection, name, sha256, readers, text, passages in rows
    ]  # fmt: skip
    return {
        "collections": sorted(known),
        "documents": len(documents),
        "embedder": embedder or "",
        "passages": assistant.passages,
        "context_tokens": assistant.context_tokens or 0,
        "root": root(sorted(documents)).hex(),
    }


_DOCUMENTS = """
SELECT c.name, d.name, d.sha256,
    ARRAY(SELECT p.name FROM principal p JOIN acl_set s ON p.id = ANY (s.principals) WHERE s.id = d.acl_set),
    encode(sha256(convert_to(v.text, 'UTF8')), 'hex'),
    encode(sha256(convert_to(coalesce((
        SELECT string_agg(k.char_start || '-' || k.char_end || ' ' || k.breadcrumb, E'\\n' ORDER BY k.ordinal)
        FROM chunk k WHERE k.document_id = d.id), ''), 'UTF8')), 'hex')
FROM document d JOIN collection c ON c.id = d.collection_id JOIN version v ON v.id = d.version_id
WHERE d.collection_id = ANY (%s) AND d.removed_at IS NULL AND d.state IN ('searchable', 'ready')
"""

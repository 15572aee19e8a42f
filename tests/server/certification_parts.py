"""Certification over the small corpus with a scripted engine, for the tests of its routes and pages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from server_parts import KEY, Shelf
from small_corpus import Corpus

from etabli.assistants.answering import Answerer
from etabli.assistants.specification import AssistantSpecification
from etabli.certification.bundle import EngineIdentity, bundle_of
from etabli.certification.certifying import Certifier, Parts
from etabli.certification.gate import Gate
from etabli.certification.issuing import Issuer
from etabli.certification.publishing import Publications
from etabli.certification.trusting import certified_by
from etabli.engines.fake import FakeEngine
from etabli.knowledge.search import Searcher
from etabli.server.certification.endpoints import endpoint_targets
from etabli.server.certification.services import Certification
from etabli.server.services import Services
from etabli.settings import Settings

IDENTITY = EngineIdentity("fake", "ab" * 32, "fake 1", 4096, {})


def unguarded(assistant: AssistantSpecification) -> AssistantSpecification:
    """The same without anything that answers in the model's place."""
    given = assistant.guards.model_dump()
    off = {name: False for name, value in given.items() if value is True} | {"grounded": "marked"}
    return assistant.model_copy(update={"abstain": False, "guards": assistant.guards.model_copy(update=off)})


def certification_of(
    corpus: Corpus, assistants: Sequence[AssistantSpecification], folder: Path, engine: FakeEngine
) -> Certification:
    """The parts, as a server gets them."""
    database = corpus.database
    certifier = Certifier(
        Parts(
            database=database,
            answerer=Answerer(Searcher(database, None), database),
            engine=engine,
            identity=lambda: IDENTITY,
            embedder=None,
            slots=3,
            questions_dir=folder / "questions",
        )
    )
    publications = Publications(database)
    issuer = Issuer(certifier.store, publications, folder=folder / "certificates", keys_dir=folder / "keys")
    return Certification(
        database=database,
        certifier=certifier,
        issuer=issuer,
        publications=publications,
        gate=Gate(
            database,
            publications,
            bundle=lambda one: bundle_of(one, database=database, engine=IDENTITY, embedder=None),
            verify=certified_by(issuer),
        ),
        assistants=Shelf(assistants),
        version=lambda name: 1,
        endpoint=endpoint_targets(Settings(workspace=folder)),
    )


def certifying_services(parts: Certification, folder: Path, **changes: Any) -> Services:
    """Services with these parts."""
    values: dict[str, Any] = dict(
        settings=Settings(workspace=folder),
        database=parts.database,
        searcher=None,
        embedder=None,
        assistants=parts.assistants,
        answerer=None,
        engine=FakeEngine(["…"]),
        api_key=KEY,
        state=lambda: {},
        certification=parts,
    )
    return Services(**{**values, **changes})

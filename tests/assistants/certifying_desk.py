"""Everything that certifying an assistant of the small corpus needs, with a scripted engine."""

import asyncio
from pathlib import Path
from typing import Any

from small_corpus import Corpus

from etabli.assistants.answering import Answerer
from etabli.assistants.specification import AssistantSpecification
from etabli.certification.bundle import EngineIdentity, bundle_of
from etabli.certification.certifying import Certifier, Parts
from etabli.certification.gate import Gate
from etabli.certification.issuing import Issuer
from etabli.certification.publishing import Publications
from etabli.certification.store import CampaignRecord
from etabli.certification.trusting import certified_by
from etabli.engines.fake import FakeEngine
from etabli.knowledge.search import Searcher

FAMILIES = ["A1", "A2", "A3", "A4", "T1"]


def unguarded(assistant: AssistantSpecification) -> AssistantSpecification:
    """The same without anything that answers in the model's place."""
    given = assistant.guards.model_dump()
    off = {name: False for name, value in given.items() if value is True} | {"grounded": "marked"}
    return assistant.model_copy(update={"abstain": False, "guards": assistant.guards.model_copy(update=off)})


class Desk:
    """Everything that certifying the assistant of the small corpus needs."""

    def __init__(
        self, corpus: Corpus, assistant: AssistantSpecification, folder: Path, engine: FakeEngine
    ) -> None:
        self.database, self.assistant, self.engine = corpus.database, assistant, engine
        self.identity = EngineIdentity("fake", "ab" * 32, "fake 1", 4096, {})
        parts = Parts(
            database=corpus.database,
            answerer=Answerer(Searcher(corpus.database, None), corpus.database),
            engine=engine,
            identity=lambda: self.identity,
            embedder=None,
            slots=3,
            questions_dir=folder / "questions",
        )
        self.certifier = Certifier(parts)
        self.publications = Publications(corpus.database)
        self.issuer = Issuer(
            self.certifier.store, self.publications, folder=folder / "certificates", keys_dir=folder / "keys"
        )
        self.gate = Gate(
            corpus.database,
            self.publications,
            bundle=lambda one: bundle_of(one, database=self.database, engine=self.identity, embedder=None),
            verify=certified_by(self.issuer),
        )

    def plan(self, tier: Any = "smoke", families: list[str] | None = None) -> CampaignRecord:
        return asyncio.run(self.certifier.plan(self.assistant, tier=tier, families=families or FAMILIES))

    def run(self, campaign: str, on_progress: Any = None) -> CampaignRecord:
        async def examine() -> CampaignRecord:
            return await self.certifier.run(
                campaign,
                self.certifier.target(self.assistant, campaign),
                material=await self.certifier.material(self.assistant),
                on_progress=on_progress,
            )

        return asyncio.run(examine())

"""Certifying: from the wish to a plan, from the plan to a run, from the run to a result.

Puts the parts together for the server and the command line. Everything that blocks runs in threads.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etabli.assistants.specification import AssistantSpecification
from etabli.certification.afterwards import BUDGETS, attack, replay
from etabli.certification.base import Probe, Transcript
from etabli.certification.bundle import EngineIdentity
from etabli.certification.campaign import Campaign, OnProgress, StopAsked, TargetFailed, unless_stopped
from etabli.certification.judges.panel import Panel
from etabli.certification.material import assistant_material, unread
from etabli.certification.planning import make_plan, make_protocol, protocol_digest
from etabli.certification.probes.base import Material, Question
from etabli.certification.probes.reading import read_questions
from etabli.certification.repeating import inherited_readings
from etabli.certification.shadow import remove_shadows
from etabli.certification.store import CampaignRecord, CampaignStore, final_readings, new_id
from etabli.certification.targets.assistant import Answers, AssistantTarget
from etabli.certification.targets.base import Target
from etabli.certification.taxonomy import Tier, taxonomy
from etabli.certification.verdict import Counts, Result, again, conclude, count
from etabli.engines.base import ChatEngine, Embedder
from etabli.errors import ConflictError, EngineUnavailableError
from etabli.messages import tr
from etabli.storage.database import Database

JSON = dict[str, Any]
TIERS: tuple[Tier, ...] = ("smoke", "standard", "full")
_SEED_BYTES = 32
_FINDINGS_A_FAMILY = 3
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parts:
    """What certifying needs of a workspace.

    Args:
        database: where everything is kept.
        answerer: answers as assistants do.
        engine: their model.
        identity: what that engine is; blocks.
        embedder: that filled the index.
        slots: conversations at once.
        questions_dir: the organisation's own questions: `<assistant>.jsonl`.
        judges: who may be asked about what programs leave open, as calibrated now; None for people alone. Blocks.
    """

    database: Database
    answerer: Answers
    engine: ChatEngine
    identity: Callable[[], EngineIdentity]
    embedder: Embedder | None
    slots: int
    questions_dir: Path
    judges: Callable[[], Panel | None] = lambda: None


class Certifier:
    """Plans and runs campaigns of one workspace.

    Args:
        parts: of the workspace.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.store = CampaignStore(parts.database)

    def target(self, assistant: AssistantSpecification, campaign: str) -> AssistantTarget:
        """An assistant of this workspace, to be examined by one campaign."""
        parts = self._parts
        return AssistantTarget(
            assistant,
            answerer=parts.answerer,
            engine=parts.engine,
            identity=parts.identity,
            database=parts.database,
            embedder=parts.embedder,
            campaign=campaign,
            slots=parts.slots,
        )

    async def material(self, assistant: AssistantSpecification) -> Material:
        """What the probes on an assistant of this workspace are about.

        Raises:
            InvalidInputError: its file of questions cannot be used.
        """
        questions = self._parts.questions_dir / f"{assistant.name}.jsonl"
        return await asyncio.to_thread(assistant_material, self._parts.database, assistant, questions)

    async def plan(
        self,
        assistant: AssistantSpecification,
        *,
        tier: Tier = "standard",
        families: Sequence[str] | None = None,
        account_id: int | None = None,
    ) -> CampaignRecord:
        """Draw the probes on an assistant and register the protocol. Nothing is asked yet.

        Raises:
            InvalidInputError: a family does not exist.
            ConfigurationError: a collection of the assistant does not exist.
            ConflictError: documents of the assistant are still being read.
        """
        waiting = await asyncio.to_thread(unread, self._parts.database, assistant)
        if waiting:
            raise ConflictError(
                tr(
                    "{count} documents of {name} are still being read, so that its answers will change. "
                    "Wait until all are in full search.",
                    count=waiting,
                    name=assistant.name,
                )
            )
        material = await self.material(assistant)
        campaign = new_id("cmp")
        return await self.plan_target(
            self.target(assistant, campaign),
            material,
            campaign=campaign,
            kind="assistant",
            repeats=assistant.temperature == 0,
            quality=assistant.quality.accepted(),
            tier=tier,
            families=families,
            account_id=account_id,
        )

    def endpoint_material(
        self, name: str, questions: Path | Sequence[Question] | None, *, tools: bool
    ) -> Material:
        """What the probes on an endpoint are about: questions with their answers, where there are some."""
        asked = read_questions(questions) if isinstance(questions, Path) else tuple(questions or ())
        return Material(title=name, questions=asked, has_tools=tools)

    async def plan_endpoint(
        self,
        target: Target,
        *,
        questions: Path | Sequence[Question] | None,
        tier: Tier = "standard",
        families: Sequence[str] | None = None,
        account_id: int | None = None,
    ) -> CampaignRecord:
        """Draw the probes on an endpoint and register the protocol.

        Args:
            target: what is examined.
            questions: with their answers, or a file of them; without any its quality is not measured.
            tier: how much is tried.
            families: only these.
            account_id: who asks for it.
        """
        material = self.endpoint_material(target.name, questions, tools=target.abilities.tools)
        return await self.plan_target(
            target,
            material,
            campaign=new_id("cmp"),
            kind="endpoint",
            repeats=False,
            tier=tier,
            families=families,
            account_id=account_id,
        )

    async def plan_target(
        self,
        target: Target,
        material: Material,
        *,
        campaign: str,
        kind: str,
        repeats: bool,
        tier: Tier,
        quality: Mapping[str, float] | None = None,
        families: Sequence[str] | None = None,
        account_id: int | None = None,
        seed: bytes | None = None,
    ) -> CampaignRecord:
        """As `plan`, of any target.

        Args:
            target: what is examined.
            material: what the probes are about.
            campaign: id.
            kind: `assistant` or `endpoint`.
            repeats: whether the target says the same when it is asked twice.
            quality: what its organisation accepts, by family of quality.
            tier: how much is tried.
            families: only these.
            account_id: who asks for it.
            seed: of the held-out probes; drawn if None.
        """
        families = _known(families)
        bundle = await target.bundle()
        seed = secrets.token_bytes(_SEED_BYTES) if seed is None else seed
        words = taxonomy().accepting(quality or {})
        panel = await asyncio.to_thread(self._parts.judges)

        def register() -> CampaignRecord:
            attempt = self.store.attempt(target.name)
            plan, probes = make_plan(
                words,
                material,
                target.abilities,
                tier=tier,
                attempt=attempt,
                seed=seed,
                repeats=repeats,
                families=families,
                pace_s=self.store.pace(target.name),
                judges=panel.planned() if panel is not None else {},
            )
            protocol = make_protocol(
                plan,
                probes,
                target=target.name,
                bundle_root=bundle.root,
                taxonomy=words,
                seed=seed,
                judges=panel.registered() if panel is not None else [],
            )
            extra: JSON = {"judgesRefused": list(panel.refused)} if panel is not None else {}
            extra |= {"repeats": repeats, "quality": dict(quality or {}), "environment": target.environment}
            return self.store.register(
                campaign=campaign,
                target=target.name,
                kind=kind,
                tier=tier,
                attempt=attempt,
                bundle=bundle,
                plan={**plan.to_json(), **extra},
                protocol=protocol,
                protocol_digest=protocol_digest(protocol),
                seed=seed,
                probes=probes,
                account_id=account_id,
            )

        registered = await asyncio.to_thread(register)
        if panel is not None:
            await panel.aclose()
        return registered

    async def run(
        self,
        campaign: str,
        target: Target,
        *,
        material: Material | None = None,
        on_progress: OnProgress | None = None,
    ) -> CampaignRecord:
        """Run a campaign, or what is left of it, to its result. Cancelling keeps everything that was said.

        Args:
            campaign: its id.
            target: what is examined.
            material: what the adaptive attacker talks about; without it there is none.
            on_progress: told after every conversation.

        Raises:
            ConflictError: it is finished, or the target is not what was registered.
            EngineUnavailableError: the target gave nothing but errors.
            StopAsked: somebody asked it to stop, in this process or another.
        """
        with self.store.alone(campaign):
            return await self._run_alone(campaign, target, material, on_progress)

    async def _run_alone(
        self, campaign: str, target: Target, material: Material | None, on_progress: OnProgress | None
    ) -> CampaignRecord:
        record = await asyncio.to_thread(self.store.get, campaign)
        bundle = await target.bundle()
        if bundle.root != record.bundle_root:
            message = tr("The assistant changed since this campaign was planned. Plan another one.")
            await asyncio.to_thread(self.store.pause, campaign, "failed", message=message)
            raise ConflictError(message)
        await asyncio.to_thread(self.store.begin, campaign)
        probes = await asyncio.to_thread(self.store.probes, campaign)
        generations = max((one["generations"] for one in record.plan["families"]), default=1)
        panel = await self._panel(record)
        running = Campaign(
            self.store,
            target,
            campaign=campaign,
            probes=probes,
            generations=generations,
            repeats=bool(record.plan["repeats"]),
            first={one["id"]: one["units"] for one in record.plan["families"]},
            on_progress=on_progress,
            judges=panel,
        )
        began = time.monotonic()
        try:
            extra = await unless_stopped(
                self.store, campaign, self._ask_all(record, target, running, material)
            )
        except TargetFailed as error:
            message = tr("The assistant gave nothing but errors: {reason}", reason=str(error))
            await self._pause(campaign, "failed", began, message)
            raise EngineUnavailableError(message) from None
        except (asyncio.CancelledError, StopAsked):
            await asyncio.shield(self._pause(campaign, "stopped", began))
            raise
        except BaseException as error:
            await self._pause(campaign, "failed", began, str(error))
            raise
        finally:
            await asyncio.shield(_quietly(target.aclose()))
            if panel is not None:
                await asyncio.shield(_quietly(panel.aclose()))
        spent = time.monotonic() - began
        return await asyncio.to_thread(self.settle, campaign, spent_s=spent, extra=extra)

    async def _panel(self, record: CampaignRecord) -> Panel | None:
        """The judges that were registered; nobody where they are not as they were: people decide then."""
        planned = {one["id"]: one["judge"] for one in record.plan["families"] if one.get("judge")}
        panel = await asyncio.to_thread(self._parts.judges) if planned else None
        if panel is not None and any(panel.planned().get(name) != judge for name, judge in planned.items()):
            log.warning("campaign %s: its judges are no longer as they were registered", record.id)
            await panel.aclose()
            return None
        return panel

    async def _ask_all(
        self, record: CampaignRecord, target: Target, running: Campaign, material: Material | None
    ) -> JSON:
        """What is left of the probes, then the adaptive attacker and the replay, which it gives."""
        await running.run()
        counted = await asyncio.to_thread(self._counts, record)
        if names := again(counted, record.plan):
            await running.run(again=names)
        extra: JSON = {}
        budget = BUDGETS[record.tier]
        if material is not None and budget:
            secret = _secret(await asyncio.to_thread(self.store.probes, record.id))
            extra["adaptive"], extra["adaptiveTries"] = await attack(
                target, material, seed=record.seed, budget=budget, secret=secret
            )
        target.forget()
        extra["replay"] = await replay(
            self.store, target, record.id, seed=record.seed, converse=running.again
        )
        return extra

    def settle(
        self, campaign: str, *, spent_s: float = 0.0, extra: Mapping[str, Any] | None = None
    ) -> CampaignRecord:
        """Count again what is known, also after people read outputs. Blocks.

        Args:
            campaign: its id.
            spent_s: seconds that it ran since it was last paused.
            extra: what was found after the probes; what was found before is kept if None.
        """
        result = self.result(campaign)
        if extra is None:
            known = self.store.get(campaign).result or {}
            extra = {name: known[name] for name in ("adaptive", "adaptiveTries", "replay") if name in known}
        awaiting = result.awaiting > 0 and result.verdict != "REFUSED"
        self.store.settle(
            campaign,
            result={**result.to_json(), **extra},
            verdict=result.verdict,
            awaiting=awaiting,
            spent_s=spent_s,
        )
        return self.store.get(campaign)

    def result(self, campaign: str) -> Result:
        """What the campaign came to so far. Blocks."""
        record = self.store.get(campaign)
        words = taxonomy().accepting(record.quality)
        counts = self._counts(record)
        worst = [
            (unit.position, unit.generation)
            for name in sorted(counts)
            for unit in _worst(list(counts[name].units.values()))
        ]
        findings = [self._finding(campaign, *place) for place in worst]
        return conclude(words, counts, record.plan, findings=findings)

    def _counts(self, record: CampaignRecord) -> dict[str, Counts]:
        readings = {
            **inherited_readings(self.store, record),
            **final_readings(self.store.readings(record.id)),
        }
        return count(self.store.transcripts(record.id), readings, taxonomy().accepting(record.quality))

    def _finding(self, campaign: str, position: int, generation: int) -> JSON:
        transcript = self.store.transcript(campaign, position, generation)
        return finding(transcript, position)

    async def _pause(self, campaign: str, state: Any, began: float, message: str = "") -> None:
        spent = time.monotonic() - began
        await asyncio.to_thread(self.store.pause, campaign, state, message=message, spent_s=spent)


def finding(transcript: Transcript, position: int) -> JSON:
    """One bad output, for people: what was tried, what was said, what the detector found."""
    probe = transcript.probe
    detail = transcript.detections[-1].detail if transcript.detections else ""
    return {
        "family": probe.family,
        "probe": probe.id,
        "transcript": position,
        "generation": transcript.generation,
        "severity": taxonomy().get(probe.family).severity,
        "outcome": transcript.outcome,
        "detail": detail,
        "asked": probe.turns[-1][:400],
        "answered": (transcript.responses[-1].text if transcript.responses else "")[:600],
    }


def clean_up(database: Database) -> list[str]:
    """After a crash: let campaigns that no process runs be resumed, and take what they planted out. Blocks."""
    stopped = CampaignStore(database).interrupted()
    for campaign in stopped:
        removed = remove_shadows(database, campaign)
        log.info("campaign %s was interrupted; %d planted documents are removed", campaign, removed)
    return stopped


def _worst(units: list[Any]) -> list[Any]:
    bad = [unit for unit in units if unit.outcome == "violated"]
    return sorted(bad, key=lambda unit: (not unit.critical, unit.position))[:_FINDINGS_A_FAMILY]


def _secret(probes: Sequence[Probe]) -> tuple[str, str] | None:
    """The sentence that this attempt adds to the instructions and its secret word, as family A3 has them."""
    for probe in probes:
        if probe.instructions_canary:
            return probe.instructions_canary, str(probe.oracle.parameters["canary"][0])
    return None


def _known(families: Sequence[str] | None) -> list[str] | None:
    if families is None:
        return None
    return [taxonomy().get(name.strip().upper()).id for name in families]


async def _quietly(closing: Awaitable[None]) -> None:
    try:
        await closing
    except Exception:
        log.exception("a target could not be closed")

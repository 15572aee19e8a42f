"""Campaigns for callers: planned, run, watched, looked into, asked again, signed."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from datetime import datetime, timedelta
from typing import Any

from etabli.certification.base import Detection, Transcript
from etabli.certification.campaign import conversation_key
from etabli.certification.detectors.registry import detect
from etabli.certification.detectors.wording import in_language
from etabli.certification.probes.reading import questions_in
from etabli.certification.store import CampaignRecord
from etabli.certification.taxonomy import taxonomy
from etabli.errors import ConflictError, InvalidInputError, NotFoundError
from etabli.identity.accounts import OWNER_ID, Accounts
from etabli.messages import language, message_of, retold, tr
from etabli.server.auth import Caller
from etabli.server.certification.protocol import (
    CampaignBody,
    CampaignEntry,
    CampaignList,
    CertificateBody,
    EndpointBody,
    FamilyProgress,
    ProgressEntry,
    ReadingEntry,
    ReplayAnswer,
    StartBody,
    TranscriptEntry,
    TranscriptList,
)
from etabli.server.certification.queries import Found, find, tally
from etabli.server.certification.runs import CampaignRuns, Prepared
from etabli.server.certification.services import Certification, Endpoint
from etabli.server.openai.payloads import encode

JSON = dict[str, Any]
Counts = Mapping[str, Counter[str]]


def require_owner(caller: Caller) -> None:
    """Campaigns hold secrets of the assistant's documents: they are for the owner of the installation.

    Raises:
        NotFoundError: somebody else asks.
    """
    if caller.account_id != OWNER_ID:
        raise NotFoundError(tr("There is nothing here for this account."))


class Campaigns:
    """The campaigns of a workspace.

    Args:
        parts: of certification.
        runs: those that this process runs.
    """

    def __init__(self, parts: Certification, runs: CampaignRuns) -> None:
        self._parts = parts
        self._runs = runs
        self._store = parts.certifier.store
        self._endpoints: dict[str, Endpoint] = {}

    async def plan(self, body: CampaignBody, caller: Caller) -> CampaignEntry:
        """Draw the probes and register the protocol; begin where that is asked for.

        Raises:
            InvalidInputError: not exactly one target is named, or a family does not exist.
            EgressDeniedError: the address is not allowed.
        """
        certifier = self._parts.certifier
        if (body.assistant is None) == (body.target is None):
            raise InvalidInputError(tr("Name one assistant, or one address as `target`."), param="assistant")
        if body.assistant is not None:
            assistant = await asyncio.to_thread(self._parts.assistants.get, body.assistant)
            record = await certifier.plan(
                assistant, tier=body.tier, families=body.families, account_id=caller.account_id
            )
        else:
            assert body.target is not None
            endpoint = await asyncio.to_thread(_endpoint, body.target)
            target = self._parts.endpoint(endpoint)
            try:
                record = await certifier.plan_endpoint(
                    target,
                    questions=endpoint.questions,
                    tier=body.tier,
                    families=body.families,
                    account_id=caller.account_id,
                )
            finally:
                await target.aclose()
            self._endpoints[record.id] = endpoint
        if body.start:
            return await self.start(record.id)
        return await self.get(record.id)

    async def list(self, target: str | None, limit: int) -> CampaignList:
        """The latest, without plans and results."""
        records = await asyncio.to_thread(self._store.latest, target, limit=limit)
        return CampaignList(data=[await asyncio.to_thread(self._entry, one, brief=True) for one in records])

    async def get(self, campaign: str) -> CampaignEntry:
        """One, whole."""
        return await asyncio.to_thread(lambda: self._entry(self._store.get(campaign)))

    async def start(self, campaign: str, body: StartBody | None = None) -> CampaignEntry:
        """Begin, or go on.

        Raises:
            ConflictError: it is finished, one runs already, or the key of its address is not known any more.
        """
        record = await asyncio.to_thread(self._store.get, campaign)
        if body is not None and record.kind == "endpoint":
            self._endpoints[campaign] = _registered(record, body.api_key, self._known(campaign))
        await self._runs.start(campaign, lambda: self._prepared(record))
        return await self.get(campaign)

    async def stop(self, campaign: str, caller: Caller) -> CampaignEntry:
        """Stop, whichever process runs it; what was said is kept."""
        account = await asyncio.to_thread(Accounts(self._parts.database).get, caller.account_id)
        await self._runs.stop(campaign, account.name)
        return await self.get(campaign)

    async def resume(self) -> None:
        """Go on with what an earlier server was at; an address whose key was in its memory cannot be asked."""

        async def prepare(campaign: str) -> Prepared | None:
            record = await asyncio.to_thread(self._store.get, campaign)
            return await self._prepared(record) if record.kind == "assistant" else None

        await self._runs.resume(prepare)

    async def events(self, campaign: str) -> AsyncGenerator[bytes, None]:
        """The state, then progress until it stops, then the state."""
        record = await asyncio.to_thread(self._store.get, campaign)
        yield encode({"type": "state", "campaign": (await self.get(campaign)).model_dump(), "last": None})
        async for counts, last in self._runs.watch(campaign):
            brief = {
                "id": campaign,
                "state": "running",
                "progress": _progress(record.plan, counts).model_dump(),
            }
            yield encode({"type": "progress", "campaign": brief, "last": last})
        yield encode({"type": "state", "campaign": (await self.get(campaign)).model_dump(), "last": None})

    def transcripts(
        self, campaign: str, *, family: str | None, outcome: str | None, after: str | None, limit: int
    ) -> TranscriptList:
        """A page of conversations. Blocks."""
        self._store.get(campaign)
        found = find(
            self._parts.database,
            campaign,
            family=family,
            outcome=outcome,
            after=_cursor(after),
            limit=limit + 1,
        )
        page = [entry_of(one) for one in found[:limit]]
        last = f"{page[-1].position}.{page[-1].generation}" if page else None
        return TranscriptList(data=page, has_more=len(found) > limit, last_id=last)

    def transcript(self, campaign: str, position: int, generation: int) -> TranscriptEntry:
        """One conversation. Blocks.

        Raises:
            NotFoundError: there is none.
        """
        found = find(self._parts.database, campaign, after=(position, generation - 1), limit=1)
        if not found or (found[0].position, found[0].transcript.generation) != (position, generation):
            raise NotFoundError(tr("This campaign has no such conversation."))
        return entry_of(found[0])

    async def replay(self, campaign: str, position: int, generation: int) -> ReplayAnswer:
        """Ask the same again, as the campaign did; nothing is kept.

        Raises:
            NotFoundError: there is no such conversation.
            ConflictError: its target cannot be asked any more.
        """
        record = await asyncio.to_thread(self._store.get, campaign)
        before = await asyncio.to_thread(self._store.transcript, campaign, position, generation)
        probe = before.probe
        # Documents are planted under another name: a campaign that runs keeps its own.
        target, _ = await self._prepared(record, name=f"{campaign}-again-{position}")
        try:
            key = conversation_key(probe, 0 if record.plan["repeats"] else generation)
            responses = await target.converse(probe, seed=int(key[:8], 16))
            detection = await asyncio.to_thread(detect, probe, responses)
            # A pair is decided by both members; one of them alone shows only what was said.
            detections: tuple[Detection, ...] = () if probe.pair else (detection,)
            now = Transcript(probe, generation, responses, detections, model=target.model)
        finally:
            await target.aclose()
        same = [one.text for one in before.responses] == [one.text for one in now.responses]
        told = await asyncio.to_thread(self.transcript, campaign, position, generation)
        return ReplayAnswer(before=told, now=entry_of(Found(position, now, None)), same=same)

    def certify(self, campaign: str, body: CertificateBody) -> str:
        """Sign the result; gives the id of the certificate. Blocks.

        Raises:
            ConflictError: the campaign is not finished.
            CertificateError: the key cannot be opened.
        """
        record = self._store.get(campaign)
        assistant, version = None, 0
        if record.kind == "assistant":
            try:
                assistant = self._parts.assistants.get(record.target)
                version = self._parts.version(record.target)
            except NotFoundError:
                pass  # it was deleted since: what was examined is in the bundle
        purpose = body.purpose
        words = {"fr": purpose, "en": purpose} if isinstance(purpose, str) else purpose
        if words is not None and set(words) != {"fr", "en"}:
            raise InvalidInputError(tr("Give the purpose in French and in English."), param="purpose")
        issued = self._parts.issuer.issue(
            campaign,
            assistant=assistant,
            version=version,
            purpose={name: str(text) for name, text in words.items()} if words else None,
            organisation=body.organisation.strip(),
            validity=timedelta(days=body.days),
            passphrase=body.passphrase,
        )
        return issued.id

    async def _prepared(self, record: CampaignRecord, *, name: str | None = None) -> Prepared:
        certifier = self._parts.certifier
        if record.kind == "assistant":
            assistant = await asyncio.to_thread(self._parts.assistants.get, record.target)
            return certifier.target(assistant, name or record.id), await certifier.material(assistant)
        endpoint = self._known(record.id)
        if endpoint is None:
            raise ConflictError(
                tr(
                    "The key of {address} is not kept. Give it again to go on, or go on from the command line that "
                    "began it.",
                    address=_address(record),
                ),
            )
        target = self._parts.endpoint(endpoint)
        tools = target.abilities.tools
        return target, certifier.endpoint_material(target.name, endpoint.questions, tools=tools)

    def _known(self, campaign: str) -> Endpoint | None:
        """The address of a campaign with its key, where this process was told."""
        return self._endpoints.get(campaign)

    def _entry(self, record: CampaignRecord, *, brief: bool = False) -> CampaignEntry:
        counts = tally(self._parts.database, record.id)
        result = None if record.result is None else _told(record.result)
        running = record.state == "running"
        certificates = [
            one
            for one in self._parts.publications.certificates(record.target)
            if one.campaign_id == record.id
        ]
        return CampaignEntry(
            id=record.id,
            target=record.target,
            kind=record.kind,
            tier=record.tier,
            attempt=record.attempt,
            state=record.state,
            address=_address(record) if record.kind == "endpoint" else None,
            needs_key=record.kind == "endpoint" and self._known(record.id) is None,
            stop_asked_by=record.stop_asked_by,
            message="" if running else retold(record.message),
            plan={} if brief else record.plan,
            families={} if brief else _families(record.plan),
            progress=_progress(record.plan, counts),
            result=None if brief else result,
            verdict=record.verdict,
            certificate=certificates[0].id if certificates else None,
            created_at=int(record.created_at.timestamp()),
            started_at=_seconds(record.started_at),
            finished_at=_seconds(record.finished_at),
            spent_s=round(record.spent_s, 1),
        )


def _endpoint(body: EndpointBody) -> Endpoint:
    """What is examined, with its questions read.

    Raises:
        InvalidInputError: a line of the questions cannot be used.
    """
    try:
        questions = questions_in(body.questions, tr("Questions"))
    except InvalidInputError as error:
        raise InvalidInputError(message_of(error), param="target.questions") from None
    return Endpoint(body.base_url, body.model, body.api_key or None, body.instructions, questions)


def _registered(record: CampaignRecord, key: str | None, known: Endpoint | None) -> Endpoint:
    """The address of a campaign as it was registered, with the key that was given now."""
    content = {one["name"]: one["content"] for one in record.bundle["components"]}
    return Endpoint(
        base_url=content["endpoint"]["url"],
        model=content["endpoint"]["model"],
        api_key=key or None,
        instructions=content["instructions"]["instructions"],
        questions=known.questions if known is not None else (),
    )


def _address(record: CampaignRecord) -> str:
    """Where an endpoint is, without its key."""
    return _registered(record, None, None).base_url


def _progress(plan: JSON, counts: Counts) -> ProgressEntry:
    families = []
    for one in plan["families"]:
        counted = counts.get(one["id"], Counter())
        families.append(
            FamilyProgress(
                id=one["id"],
                done=counted.total(),
                total=_planned(one, counted.total()),
                violated=counted["violated"],
                unsure=counted["unsure"],
                error=counted["error"],
            )
        )
    done, total = (sum(getattr(one, name) for one in families) for name in ("done", "total"))
    return ProgressEntry(done=done, total=total, families=families)


def _planned(family: JSON, done: int) -> int:
    """Conversations of a family as far as is known: those of its second look once that has begun."""
    first = int(family["probes"] * family["generations"])
    return first if done <= first else first + int(family.get("later_probes", 0) * family["generations"])


def _families(plan: JSON) -> JSON:
    """What the families of a plan are, for people."""
    words, reader = taxonomy(), language()
    found = {}
    for one in [*plan["families"], *plan["skipped"]]:
        family = words.get(one["id"])
        found[family.id] = {
            "label": family.label(reader),
            "description": family.description(reader),
            "severity": family.severity,
            "kind": family.kind,
            "threshold": family.most_violated,
        }
    return found


def _told(result: JSON) -> JSON:
    """A result without the attacker's conversations, its findings in the reader's language."""
    findings = [{**one, "detail": in_language(one["detail"], language())} for one in result["findings"]]
    return {**{name: one for name, one in result.items() if name != "adaptiveTries"}, "findings": findings}


def entry_of(found: Found) -> TranscriptEntry:
    """One conversation for people, in the reader's language."""
    transcript = found.transcript
    last = transcript.detections[-1].detail if transcript.detections else ""
    return TranscriptEntry(
        position=found.position,
        generation=transcript.generation,
        family=transcript.probe.family,
        language=transcript.probe.language,
        probe=transcript.probe.id,
        transformation=transcript.probe.transformation,
        held_out=transcript.probe.held_out,
        outcome=found.read[0] if found.read else transcript.outcome,
        detail=in_language(last, language()),
        turns=list(transcript.probe.turns),
        plants=[one.to_json() for one in transcript.probe.plants],
        responses=[one.to_json() for one in transcript.responses],
        detections=[
            {**one.to_json(), "detail": in_language(one.detail, language())} for one in transcript.detections
        ],
        reading=ReadingEntry(outcome=found.read[0], reader=found.read[1], note=found.read[2])
        if found.read
        else None,
    )


def _cursor(after: str | None) -> tuple[int, int]:
    if after is None:
        return (-1, -1)
    position, _, generation = after.partition(".")
    if not position.isdecimal() or not (generation or "0").isdecimal():
        raise InvalidInputError(
            tr("{after} is no place in a list: give `last_id` of a page.", after=after[:40]), param="after"
        )
    return int(position), int(generation or 0)


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())

"""`/v1/etabli/campaigns…`, `/v1/etabli/certificates…`, and what lets an assistant serve."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, FastAPI, Query
from starlette.responses import FileResponse, Response

from etabli.identity.accounts import OWNER_ID
from etabli.server.activity import Activity
from etabli.server.auth import CurrentCaller
from etabli.server.certification.certificates import Certificates
from etabli.server.certification.in_service import InService
from etabli.server.certification.protocol import (
    BreakGlassBody,
    CampaignBody,
    CampaignEntry,
    CampaignList,
    CertificateBody,
    CertificateEntry,
    CertificateList,
    NextReading,
    PublicationBody,
    ReadingBody,
    ReadingKept,
    ReplayAnswer,
    RevocationBody,
    ServiceEntry,
    ServiceProbeList,
    StandingEntry,
    StartBody,
    TranscriptEntry,
    TranscriptList,
)
from etabli.server.certification.readings import Readings
from etabli.server.certification.runs import CampaignRuns
from etabli.server.certification.service import Campaigns, require_owner
from etabli.server.certification.services import Certification
from etabli.server.certification.watching import ServiceWatch
from etabli.server.sse import EventStream


def certification_router(
    parts: Certification, activity: Activity, *, writing: Callable[[], bool] = lambda: False
) -> APIRouter:
    """All routes; campaigns that run stop with the server and go on with the next.

    Args:
        parts: of certification.
        activity: what the server is at, so that published assistants are tried while it is at nothing.
        writing: whether an answer is being written that no request waits for.
    """
    runs = CampaignRuns(parts.database, parts.certifier)
    campaigns = Campaigns(parts, runs)
    certificates = Certificates(parts)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        beside = [asyncio.create_task(campaigns.resume())]
        if parts.shopper is not None:
            watch = ServiceWatch(parts.database, parts.shopper, parts.assistants, activity, writing)
            beside.append(asyncio.create_task(watch.run()))
        yield
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await runs.close()

    router = APIRouter(lifespan=lifespan)
    router.include_router(_campaigns(campaigns, certificates))
    router.include_router(_transcripts(campaigns, Readings(parts.database, parts.certifier)))
    probes_a_day = parts.shopper.probes_a_day if parts.shopper is not None else 0
    service = InService(parts.database, parts.publications, probes_a_day=probes_a_day)
    router.include_router(_in_service(service))  # before the files, whose names it would be one of
    router.include_router(_certificates(certificates))
    router.include_router(_standings(certificates))
    return router


async def only_owner(caller: CurrentCaller) -> None:
    """A dependency: answers nobody but the owner of the installation."""
    require_owner(caller)


_OWNER = [Depends(only_owner)]


def _campaigns(campaigns: Campaigns, certificates: Certificates) -> APIRouter:
    router = APIRouter(prefix="/v1/etabli/campaigns", tags=["certification"], dependencies=_OWNER)

    @router.post("", status_code=201)
    async def plan(body: CampaignBody, caller: CurrentCaller) -> CampaignEntry:
        """Draw the probes on a target and register the protocol; begin at once where `start` says so."""
        return await campaigns.plan(body, caller)

    @router.get("")
    async def list_campaigns(
        target: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> CampaignList:
        """List the latest campaigns, of one target or of all, without their plans and results."""
        return await campaigns.list(target, limit)

    @router.get("/{campaign}")
    async def get(campaign: str) -> CampaignEntry:
        """Give one campaign: plan, progress, result."""
        return await campaigns.get(campaign)

    @router.post("/{campaign}/start")
    async def start(campaign: str, body: StartBody | None = None) -> CampaignEntry:
        """Begin a campaign, or go on with one that was stopped. It runs in the server, whoever looks."""
        return await campaigns.start(campaign, body)

    @router.post("/{campaign}/stop")
    async def stop(campaign: str, caller: CurrentCaller) -> CampaignEntry:
        """Stop a campaign, whichever process runs it; what was said is kept."""
        return await campaigns.stop(campaign, caller)

    @router.get("/{campaign}/events", response_class=Response)
    async def events(campaign: str) -> Response:
        """Follow a campaign: server-sent events `state` and `progress`, then `[DONE]` when it runs no more."""
        return EventStream(campaigns.events(campaign))

    @router.post("/{campaign}/certificate", status_code=201)
    async def certify(campaign: str, body: CertificateBody | None = None) -> CertificateEntry:
        """Sign the result of a finished campaign, whatever its verdict."""
        issued = await asyncio.to_thread(campaigns.certify, campaign, body or CertificateBody(days=90))
        return await asyncio.to_thread(certificates.get, issued)

    return router


def _transcripts(campaigns: Campaigns, readings: Readings) -> APIRouter:
    router = APIRouter(prefix="/v1/etabli/campaigns/{campaign}", tags=["certification"], dependencies=_OWNER)

    @router.get("/transcripts")
    async def transcripts(
        campaign: str,
        family: Annotated[str | None, Query(max_length=8)] = None,
        outcome: Literal["violated", "not", "unsure", "error"] | None = None,
        after: Annotated[str | None, Query(max_length=40)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> TranscriptList:
        """List what was asked and answered, in the order of the plan."""
        return await asyncio.to_thread(
            campaigns.transcripts, campaign, family=family, outcome=outcome, after=after, limit=limit
        )

    @router.get("/transcripts/{position}")
    async def transcript(campaign: str, position: int, generation: int = 0) -> TranscriptEntry:
        """Give one conversation."""
        return await asyncio.to_thread(campaigns.transcript, campaign, position, generation)

    @router.post("/transcripts/{position}/replay")
    async def replay(campaign: str, position: int, generation: int = 0) -> ReplayAnswer:
        """Ask the same again and compare; nothing of it is kept."""
        return await campaigns.replay(campaign, position, generation)

    @router.get("/readings/next")
    async def next_reading(campaign: str) -> NextReading:
        """Give the next output that waits for a person, without what any program found."""
        return await asyncio.to_thread(readings.next, campaign)

    @router.post("/readings")
    async def read(campaign: str, body: ReadingBody) -> ReadingKept:
        """Keep what a person decided; the same place and reading again replaces it."""
        return await asyncio.to_thread(readings.keep, campaign, body)

    return router


def _certificates(certificates: Certificates) -> APIRouter:
    router = APIRouter(prefix="/v1/etabli/certificates", tags=["certification"])

    @router.get("")
    async def list_certificates(assistant: str | None = None) -> CertificateList:
        """List certificates, the newest first."""
        return await asyncio.to_thread(certificates.list, assistant)

    @router.get("/{certificate}")
    async def get(certificate: str) -> CertificateEntry:
        """Give one certificate with the statement that was signed."""
        return await asyncio.to_thread(certificates.get, certificate)

    @router.get("/{certificate}/{name}", response_class=Response)
    async def file(
        certificate: str, name: str, caller: CurrentCaller, lang: Literal["fr", "en"] | None = None
    ) -> Response:
        """Give a file of a certificate.

        `certificate.json`, `report.html`, `report.pdf`, `junit.xml`, `results.sarif`, `verify.py`, `evaluator.pub`,
        and `evidence.zip`, which only the owner may have.
        """
        if name == "evidence.zip":
            require_owner(caller)
        made = await asyncio.to_thread(
            certificates.file, certificate, name, lang, whole=caller.account_id == OWNER_ID
        )
        if isinstance(made.content, Path):
            return FileResponse(made.content, media_type=made.media_type, headers=made.headers)
        return Response(made.content, media_type=made.media_type, headers=made.headers)

    @router.post("/{certificate}/revoke", dependencies=_OWNER)
    async def revoke(certificate: str, body: RevocationBody) -> CertificateEntry:
        """Take a certificate's force away, for good."""
        return await asyncio.to_thread(certificates.revoke, certificate, body.reason)

    return router


def _standings(certificates: Certificates) -> APIRouter:
    router = APIRouter(prefix="/v1/etabli/assistants/{name}", tags=["certification"])

    @router.get("/standing")
    async def standing(name: str, caller: CurrentCaller) -> StandingEntry:
        """Say whether an assistant may answer, and why."""
        return await asyncio.to_thread(certificates.standing, name, caller)

    @router.post("/publish", dependencies=_OWNER)
    async def publish(name: str, body: PublicationBody, caller: CurrentCaller) -> StandingEntry:
        """Let an assistant serve under a certificate."""
        return await asyncio.to_thread(certificates.publish, name, body.certificate, caller)

    @router.delete("/publish", dependencies=_OWNER)
    async def withdraw(name: str, caller: CurrentCaller) -> StandingEntry:
        """Make an assistant a draft again."""
        return await asyncio.to_thread(certificates.withdraw, name, caller)

    @router.post("/break-glass", dependencies=_OWNER)
    async def break_glass(name: str, body: BreakGlassBody, caller: CurrentCaller) -> StandingEntry:
        """Let a published assistant serve for some hours without a valid certificate, because two people say so."""
        return await asyncio.to_thread(certificates.break_glass, name, body, caller)

    @router.delete("/break-glass", dependencies=_OWNER)
    async def mend_glass(name: str, caller: CurrentCaller) -> StandingEntry:
        """End that before its time."""
        return await asyncio.to_thread(certificates.mend_glass, name, caller)

    return router


def _in_service(service: InService) -> APIRouter:
    router = APIRouter(
        prefix="/v1/etabli/certificates/{certificate}/service", tags=["certification"], dependencies=_OWNER
    )

    @router.get("")
    async def state(certificate: str) -> ServiceEntry:
        """Say what was tried secretly since the assistant serves, and how often each family goes wrong at most."""
        return await asyncio.to_thread(service.state, certificate)

    @router.get("/probes")
    async def probes(
        certificate: str,
        family: str | None = None,
        outcome: Literal["violated", "unsure", "error", "not"] | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> ServiceProbeList:
        """Give the latest conversations of these, the newest first."""
        return await asyncio.to_thread(
            service.probes, certificate, family=family, outcome=outcome, limit=limit
        )

    return router

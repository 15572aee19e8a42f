"""The gate: a published assistant serves only under a valid certificate for exactly what it is now.

It fails closed. An assistant that was never published is a draft: it may be tried, and what it says is marked so. For
a published one the digest of every component is computed again when the server loads it, whenever its file, its
documents or its engine change, and every few minutes; anything else than the certified root closes the gate.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from etabli.assistants.specification import AssistantSpecification
from etabli.certification.bundle import Bundle, changed
from etabli.certification.publishing import SERVING_VERDICTS, CertificateRecord, Publications
from etabli.certification.service import suspension_of
from etabli.errors import EtabliError, NotEstablishedError, NotFoundError
from etabli.messages import tr
from etabli.storage.database import Database

JSON = dict[str, Any]
State = Literal["draft", "established", "conditional", "break-glass", "closed"]
_LOOK_AGAIN_S = 2.0
_COMPUTE_AGAIN_S = 600.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether an assistant may serve, and why.

    Args:
        state: `draft` (never published), `established`, `conditional`, `break-glass`, or `closed`.
        certificate: the one it is published under; None for a draft.
        verdict: of that certificate.
        until: when the certificate, or the broken glass, ends.
        reason: for people: why the gate is closed, or why the glass was broken.
        changed: names of the components that are not what was certified.
    """

    state: State
    certificate: str | None = None
    verdict: str | None = None
    until: datetime | None = None
    reason: str = ""
    changed: tuple[str, ...] = ()

    @property
    def serves(self) -> bool:
        """Whether it answers."""
        return self.state != "closed"

    def to_json(self) -> JSON:
        """As the API tells it."""
        return {
            "state": self.state,
            "certificate": self.certificate,
            "verdict": self.verdict,
            "until": int(self.until.timestamp()) if self.until is not None else None,
            "reason": self.reason,
            "changed": list(self.changed),
        }


class Gate:
    """Decides for every request whether an assistant may answer. Thread-safe; blocks where it computes anew.

    Args:
        database: whose documents count.
        publications: what is published.
        bundle: makes the bundle of an assistant as it stands.
        verify: checks signatures, expiry, revocation list and form of an envelope; gives the statement's predicate
            and the certified digests, or raises `EtabliError` with the reason.
    """

    def __init__(
        self,
        database: Database,
        publications: Publications,
        *,
        bundle: Callable[[AssistantSpecification], Bundle],
        verify: Callable[[CertificateRecord], "Certified"],
    ) -> None:
        self._database = database
        self._publications = publications
        self._bundle = bundle
        self._verify = verify
        self._lock = threading.Lock()
        self._bundles: dict[str, _Computed] = {}

    def require(self, assistant: AssistantSpecification) -> Standing:
        """Let an assistant answer.

        Raises:
            NotEstablishedError: it is published and has no valid certificate for what it is now.
        """
        standing = self.standing(assistant)
        if not standing.serves:
            raise NotEstablishedError(
                tr(
                    "“{title}” may not answer: {reason} Certify it again, or have its managers break the glass.",
                    title=assistant.title,
                    reason=standing.reason,
                )
            )
        return standing

    def standing(self, assistant: AssistantSpecification) -> Standing:
        """Whether it may, and why."""
        certificate_id = self._publications.published().get(assistant.name)
        if certificate_id is None:
            return Standing("draft")
        try:
            standing = self._under(assistant, self._publications.certificate(certificate_id))
        except NotFoundError:
            standing = Standing("closed", certificate_id, reason=tr("its certificate is gone."))
        if standing.serves:
            return standing
        broken = self._publications.broken_glass(assistant.name)
        if broken is None:
            return standing
        return Standing(
            "break-glass", certificate_id, standing.verdict, broken.until, broken.reason, standing.changed
        )

    def _under(self, assistant: AssistantSpecification, record: CertificateRecord) -> Standing:
        def closed(reason: str, *names: str) -> Standing:
            return Standing("closed", record.id, record.verdict, record.not_after, reason, names)

        now = datetime.now(UTC)
        if record.revoked_at is not None:
            return closed(tr("its certificate was revoked: {reason}", reason=record.revoked_because or "–"))
        if not record.not_before <= now < record.not_after:
            return closed(tr("its certificate ended on {date:%Y-%m-%d}.", date=record.not_after))
        suspension = suspension_of(self._database, record.id)
        if suspension is not None:
            return closed(suspension.reason)
        try:
            certified = self._verify(record)
            bundle = self._current(assistant)
        except EtabliError as error:
            return closed(str(error))
        if certified.verdict not in SERVING_VERDICTS:
            return closed(tr("its certificate says {verdict}.", verdict=certified.verdict))
        if bundle.root != certified.root:
            names = changed(certified.digests, bundle.digests())
            return closed(
                tr("since it was certified, this changed: {parts}.", parts=", ".join(names)), *names
            )
        state: State = "established" if certified.verdict == "CERTIFIED" else "conditional"
        return Standing(state, record.id, certified.verdict, record.not_after)

    def _current(self, assistant: AssistantSpecification) -> Bundle:
        """The bundle as it stands: computed anew when something may have changed, and at times anyway."""
        with self._lock:
            known = self._bundles.get(assistant.name)
            now = time.monotonic()
            if known is not None and known.assistant == assistant and now - known.looked < _LOOK_AGAIN_S:
                return known.bundle
            stamp = self._stamp(assistant)
            fresh = known is not None and now - known.computed < _COMPUTE_AGAIN_S
            if known is not None and fresh and known.assistant == assistant and known.stamp == stamp:
                known.looked = now
                return known.bundle
            bundle = self._bundle(assistant)
            self._bundles[assistant.name] = _Computed(assistant, stamp, bundle, looked=now, computed=now)
            return bundle

    def _stamp(self, assistant: AssistantSpecification) -> tuple[object, ...]:
        """Changes whenever a document of the assistant does, and costs little."""
        with self._database.owner() as connection:
            row = connection.execute(
                "SELECT count(*), max(d.updated_at), max(d.version_id), sum(d.acl_set), sum(d.id),"
                " string_agg(DISTINCT d.state, ',') FROM document d JOIN collection c ON c.id = d.collection_id"
                " WHERE c.name = ANY (%s) AND c.conversation_id IS NULL AND c.removed_at IS NULL"
                " AND d.removed_at IS NULL",
                (list(assistant.collections),),
            ).fetchone()
        return tuple(row) if row is not None else ()


@dataclass
class _Computed:
    """A bundle, and when it was looked at."""

    assistant: AssistantSpecification
    stamp: tuple[object, ...]
    bundle: Bundle
    looked: float
    computed: float


@dataclass(frozen=True, slots=True)
class Certified:
    """What a certificate says, after its signatures were checked."""

    root: str
    digests: dict[str, str]
    verdict: str

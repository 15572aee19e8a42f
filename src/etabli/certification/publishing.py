"""Which assistants are published, by which certificate, and who broke the glass. Blocks: call it from a thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg.rows import class_row

from etabli.certification import log
from etabli.certification.service import suspension_of
from etabli.errors import ConflictError, InvalidInputError, NotFoundError
from etabli.messages import tr
from etabli.storage.database import Database

JSON = dict[str, Any]
LONGEST_BREAK = timedelta(hours=24)
_CERTIFICATE = (
    "id, campaign_id, assistant, bundle_root, verdict, envelope, not_before, not_after, created_at, revoked_at,"
    " revoked_because"
)
_BREAK = "id, assistant, reason, people, until, created_at, ended_at"
SERVING_VERDICTS = ("CERTIFIED", "CONDITIONAL")


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """A certificate as it was issued: `envelope` is the signed text, byte for byte."""

    id: str
    campaign_id: str
    assistant: str
    bundle_root: str
    verdict: str
    envelope: str
    not_before: datetime
    not_after: datetime
    created_at: datetime
    revoked_at: datetime | None
    revoked_because: str | None


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """An assistant that serves without a valid certificate until `until`, because `people` said why."""

    id: int
    assistant: str
    reason: str
    people: list[str]
    until: datetime
    created_at: datetime
    ended_at: datetime | None


class Publications:
    """Certificates, publications and broken glasses of a workspace. Thread-safe.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, record: CertificateRecord, *, sha256: str) -> None:
        """Keep a certificate that was just signed, and note it in the log; a countersigned one replaces it."""
        with self._database.owner() as connection:
            connection.execute(
                "INSERT INTO certificate (id, campaign_id, assistant, bundle_root, verdict, envelope, not_before,"
                " not_after) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
                " ON CONFLICT (id) DO UPDATE SET envelope = excluded.envelope",
                (record.id, record.campaign_id, record.assistant, record.bundle_root, record.verdict,
                 record.envelope, record.not_before, record.not_after),
            )  # fmt: skip
            log.append(
                connection,
                "certificate",
                {"certificate": record.id, "assistant": record.assistant, "bundle": record.bundle_root,
                 "verdict": record.verdict, "sha256": sha256},
            )  # fmt: skip

    def certificate(self, certificate_id: str) -> CertificateRecord:
        """One certificate.

        Raises:
            NotFoundError: there is none.
        """
        found = self._certificates("WHERE id = %s", certificate_id)
        if not found:
            raise NotFoundError(tr("There is no certificate {id}.", id=certificate_id[:80]))
        return found[0]

    def certificates(self, assistant: str | None = None) -> list[CertificateRecord]:
        """All of them, or those of one assistant, the latest first."""
        if assistant is None:
            return self._certificates("ORDER BY created_at DESC")
        return self._certificates("WHERE assistant = %s ORDER BY created_at DESC", assistant)

    def revoke(self, certificate_id: str, reason: str) -> CertificateRecord:
        """Take a certificate's force away, for good.

        Raises:
            NotFoundError: there is none.
            InvalidInputError: no reason is given.
            ConflictError: it was revoked before.
        """
        if not reason.strip():
            raise InvalidInputError(tr("Say why the certificate is revoked."), param="reason")
        record = self.certificate(certificate_id)
        with self._database.owner() as connection:
            row = connection.execute(
                "UPDATE certificate SET revoked_at = now(), revoked_because = %s"
                " WHERE id = %s AND revoked_at IS NULL RETURNING id",
                (reason.strip(), certificate_id),
            ).fetchone()
            if row is None:
                raise ConflictError(tr("The certificate {id} is revoked already.", id=certificate_id))
            body = {"certificate": certificate_id, "assistant": record.assistant, "reason": reason.strip()}
            log.append(connection, "revocation", body)
        return self.certificate(certificate_id)

    def publish(self, assistant: str, certificate_id: str, *, account_id: int | None = None) -> None:
        """Let an assistant serve under a certificate; the gate looks at it at every load.

        Raises:
            NotFoundError: there is no such certificate of this assistant.
            ConflictError: its verdict lets nobody serve, or it is revoked or suspended.
        """
        record = self.certificate(certificate_id)
        if record.assistant != assistant:
            raise NotFoundError(tr("There is no certificate {id}.", id=certificate_id[:80]))
        if record.revoked_at is not None or record.verdict not in SERVING_VERDICTS:
            raise ConflictError(
                tr(
                    "The certificate {id} does not let {assistant} serve: its verdict is {verdict}. Mend what the "
                    "report names, then certify again.",
                    id=certificate_id,
                    assistant=assistant,
                    verdict=tr("revoked") if record.revoked_at is not None else record.verdict,
                )
            )
        suspension = suspension_of(self._database, certificate_id)
        if suspension is not None:
            raise ConflictError(
                tr(
                    "The certificate {id} does not let {assistant} serve: {reason} Read those conversations, mend "
                    "what they show, then certify again.",
                    id=certificate_id,
                    assistant=assistant,
                    reason=suspension.reason,
                )
            )
        with self._database.owner() as connection:
            connection.execute(
                "INSERT INTO publication (assistant, certificate_id, account_id) VALUES (%s, %s, %s)"
                " ON CONFLICT (assistant) DO UPDATE SET certificate_id = excluded.certificate_id,"
                " published_at = now(), account_id = excluded.account_id",
                (assistant, certificate_id, account_id),
            )
            log.append(connection, "publication", {"assistant": assistant, "certificate": certificate_id})

    def withdraw(self, assistant: str) -> None:
        """Make an assistant a draft again."""
        with self._database.owner() as connection:
            row = connection.execute(
                "DELETE FROM publication WHERE assistant = %s RETURNING assistant", (assistant,)
            ).fetchone()
            if row is not None:
                log.append(connection, "publication", {"assistant": assistant, "certificate": ""})

    def published(self) -> dict[str, str]:
        """Certificates of the published assistants, by assistant."""
        with self._database.owner() as connection:
            rows = connection.execute("SELECT assistant, certificate_id FROM publication")
            return {str(assistant): str(certificate) for assistant, certificate in rows}

    def break_glass(self, assistant: str, *, reason: str, people: Sequence[str], hours: float) -> BreakGlass:
        """Let a published assistant serve for some hours without a valid certificate.

        Args:
            assistant: which.
            reason: why; shown to everybody who talks to it.
            people: two names: who decided, and who agreed.
            hours: at most 24.

        Raises:
            InvalidInputError: a reason or a second person is missing, or the time is too long.
        """
        names = list(dict.fromkeys(name.strip() for name in people if name.strip()))
        limit = int(LONGEST_BREAK.total_seconds() // 3600)
        if not reason.strip():
            raise InvalidInputError(
                tr("Say why the assistant must serve without a certificate."), param="reason"
            )
        if len(names) < 2:
            raise InvalidInputError(
                tr("Two people must decide this: give two different names."), param="people"
            )
        if not 0 < hours <= limit:
            raise InvalidInputError(
                tr(
                    "{hours} hours cannot be. Give more than 0 and at most {limit}.", hours=hours, limit=limit
                ),
                param="hours",
            )
        until = (datetime.now(UTC) + timedelta(hours=hours)).replace(microsecond=0)
        with self._database.owner() as connection:
            connection.execute(
                "UPDATE break_glass SET ended_at = now() WHERE assistant = %s AND ended_at IS NULL",
                (assistant,),
            )
            connection.execute(
                "INSERT INTO break_glass (assistant, reason, people, until) VALUES (%s, %s, %s, %s)",
                (assistant, reason.strip(), names, until),
            )
            log.append(
                connection,
                "break-glass",
                {"assistant": assistant, "reason": reason.strip(), "people": names,
                 "until": until.strftime("%Y-%m-%dT%H:%M:%SZ")},
            )  # fmt: skip
        broken = self.broken_glass(assistant)
        assert broken is not None
        return broken

    def mend_glass(self, assistant: str) -> None:
        """End it before its time."""
        with self._database.owner() as connection:
            row = connection.execute(
                "UPDATE break_glass SET ended_at = now() WHERE assistant = %s AND ended_at IS NULL"
                " AND until > now() RETURNING id",
                (assistant,),
            ).fetchone()
            if row is not None:
                log.append(connection, "break-glass", {"assistant": assistant, "ended": True})

    def broken_glass(self, assistant: str) -> BreakGlass | None:
        """What lets this assistant serve now without a certificate; None where nothing does."""
        with self._database.owner() as connection:
            return (
                connection.cursor(row_factory=class_row(BreakGlass))
                .execute(
                    f"SELECT {_BREAK} FROM break_glass WHERE assistant = %s AND ended_at IS NULL AND until > now()"
                    " ORDER BY id DESC LIMIT 1".encode(),
                    (assistant,),
                )
                .fetchone()
            )

    def _certificates(self, rest: str, *values: object) -> list[CertificateRecord]:
        with self._database.owner() as connection:
            return (
                connection.cursor(row_factory=class_row(CertificateRecord))
                .execute(f"SELECT {_CERTIFICATE} FROM certificate {rest}".encode(), values)
                .fetchall()
            )

"""How certificates stand in service, for callers: counts, bounds, suspension, conversations. Blocks."""

from etabli.certification.certificate.statement import read_statement
from etabli.certification.drift import bet_on, bound, line, watched
from etabli.certification.publishing import CertificateRecord, Publications
from etabli.certification.service import ServiceRecords, Subject, Suspension, service_of
from etabli.certification.taxonomy import taxonomy
from etabli.messages import language
from etabli.server.certification.protocol import (
    ServiceEntry,
    ServiceFamily,
    ServiceProbe,
    ServiceProbeList,
    SuspensionEntry,
)
from etabli.server.certification.queries import Found
from etabli.server.certification.service import entry_of
from etabli.storage.database import Database

_MOST_EVIDENCE = 1e9


class InService:
    """What was tried on published assistants.

    Args:
        database: where it is.
        publications: the certificates.
        probes_a_day: of each assistant.
    """

    def __init__(self, database: Database, publications: Publications, *, probes_a_day: int) -> None:
        self._database = database
        self._publications = publications
        self._probes_a_day = probes_a_day

    def state(self, certificate: str) -> ServiceEntry:
        """How a certificate stands in service.

        Raises:
            NotFoundError: there is none.
        """
        record = self._publications.certificate(certificate)
        families = watched(read_statement(record.envelope.encode())["predicate"])
        service = service_of(self._database, _subject(record), families)
        words = taxonomy()
        return ServiceEntry(
            certificate=record.id,
            assistant=record.assistant,
            probes_per_day=self._probes_a_day,
            since=int(service.span.first.timestamp()) if service.span.first is not None else None,
            last_at=int(service.span.last.timestamp()) if service.span.last is not None else None,
            tried=service.tried,
            suspended=_told(service.suspension),
            families=[
                ServiceFamily(
                    id=one.family,
                    label=words.get(one.family).label(language()),
                    theta0=one.theta0,
                    critical=one.critical,
                    tried=seen.tried,
                    violated=seen.violated,
                    undecided=seen.undecided,
                    bound=bound(seen),
                    evidence=min(bet_on(one, seen).value, _MOST_EVIDENCE),
                    line=line(families),
                )
                for one, seen in service.families
            ],
        )

    def probes(
        self, certificate: str, *, family: str | None, outcome: str | None, limit: int
    ) -> ServiceProbeList:
        """The latest conversations.

        Raises:
            NotFoundError: there is no such certificate.
        """
        subject = _subject(self._publications.certificate(certificate))
        records = ServiceRecords(self._database)
        return ServiceProbeList(
            data=[
                ServiceProbe(
                    id=one.id,
                    family=one.family,
                    outcome=one.outcome,
                    tried_at=int(one.tried_at.timestamp()),
                    conversations=[
                        entry_of(Found(place, transcript, None))
                        for place, transcript in enumerate(one.transcripts)
                    ],
                )
                for one in records.tried(subject, family=family, outcome=outcome, limit=limit)
            ]
        )


def _subject(record: CertificateRecord) -> Subject:
    return Subject(record.assistant, record.bundle_root, record.id)


def _told(suspension: Suspension | None) -> SuspensionEntry | None:
    if suspension is None:
        return None
    return SuspensionEntry(
        family=suspension.family,
        violated=suspension.violated,
        tried=suspension.tried,
        suspended_at=int(suspension.suspended_at.timestamp()),
        reason=suspension.reason,
    )

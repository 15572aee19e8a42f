"""A published assistant is tried while it serves, and loses its certificate when it drifts."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from certifying_desk import Desk, unguarded
from small_corpus import Corpus
from typer.testing import CliRunner, Result

from etabli.assistants.specification import AssistantSpecification
from etabli.certification import log
from etabli.certification.base import Outcome
from etabli.certification.certificate.statement import read_statement
from etabli.certification.drift import Watched, bound, watched
from etabli.certification.service import ServiceRecords, Subject, service_of, suspension_of
from etabli.certification.shopper import SecretShopper, Visit
from etabli.cli.main import app
from etabli.engines.fake import Failure, FakeEngine
from etabli.errors import ConflictError, NotEstablishedError
from etabli.messages import speaking

POLITE = "Je suis l'assistant de la clinique, un programme d'intelligence artificielle. [1]"
HUMAN = "Je suis un être humain, je m'appelle Paul. I am a human being called Paul."


class Served(Desk):
    """The assistant of the small corpus, certified on one family and published."""

    def __init__(self, corpus: Corpus, assistant: AssistantSpecification, folder: Path) -> None:
        super().__init__(corpus, unguarded(assistant), folder, FakeEngine([POLITE]))
        self.certificate = self.certified()
        self.publications.publish("rh", self.certificate)
        self.records = ServiceRecords(self.database)

    def certified(self) -> str:
        record = self.run(self.plan("standard", ["T1"]).id)
        assert record.verdict == "CERTIFIED", record.result
        return self.issuer.issue(record.id, assistant=self.assistant, version=1).id

    @property
    def subject(self) -> Subject:
        record = self.publications.certificate(self.certificate)
        return Subject("rh", record.bundle_root, record.id)

    @property
    def families(self) -> tuple[Watched, ...]:
        record = self.publications.certificate(self.certificate)
        return watched(read_statement(record.envelope.encode())["predicate"])

    def shopper(self, probes_a_day: int = 24) -> SecretShopper:
        return SecretShopper(
            self.database, self.certifier, self.publications, self.gate, probes_a_day=probes_a_day
        )

    def visit(self, shopper: SecretShopper | None = None) -> Visit | None:
        return asyncio.run((shopper or self.shopper()).visit(self.assistant))

    def visit_until_suspended(self, most: int = 20) -> list[Visit]:
        """Each visit as after a restart: nothing is kept but what the database holds."""
        visits: list[Visit] = []
        while len(visits) < most and not (visits and visits[-1].suspension):
            visit = self.visit()
            assert visit is not None
            visits.append(visit)
        return visits


@pytest.fixture
def served(corpus: Corpus, assistant: AssistantSpecification, tmp_path: Path) -> Iterator[Served]:
    yield Served(corpus, assistant, tmp_path)


def test_a_clean_assistant_is_tried_and_goes_on_serving(served: Served) -> None:
    visits = [served.visit() for _ in range(6)]
    assert [(one.family, one.outcome, one.suspension) for one in visits if one] == [("T1", "not", None)] * 6
    assert served.gate.require(served.assistant).state == "established"
    service = service_of(served.database, served.subject, served.families)
    (_, seen), *others = service.families
    assert not others and (seen.tried, seen.violated, service.tried) == (6, 0, 6)
    assert 0.3 < bound(seen) < 1 and service.span.first is not None and service.suspension is None
    asked = [one.transcripts[0].probe for one in served.records.tried(served.subject)]
    registered = {probe.id for probe in served.certifier.store.probes(served.publications.certificate(
        served.certificate).campaign_id)}  # fmt: skip
    assert all(probe.held_out for probe in asked), "nobody could prepare for them"
    assert len({probe.turns for probe in asked}) > 1 and not {probe.id for probe in asked} <= registered


def test_a_drifted_assistant_loses_its_certificate(served: Served) -> None:
    served.engine.replies = [HUMAN]
    visits = served.visit_until_suspended()
    assert 2 <= len(visits) <= 4 and all(one.outcome == "violated" for one in visits)
    suspension = visits[-1].suspension
    assert suspension is not None and (suspension.violated, suspension.tried) == (len(visits), len(visits))
    with pytest.raises(NotEstablishedError, match=r"suspended since .* went wrong in \d of \d cases of “T1"):
        served.gate.require(served.assistant)
    with speaking("fr"):
        assert "essayé secrètement en service" in served.gate.standing(served.assistant).reason
    entry = log.entries(served.database)[-1]
    assert entry.kind == "suspension" and entry.body["certificate"] == served.certificate
    assert (entry.body["family"], entry.body["violated"]) == ("T1", len(visits))
    log.check(log.entries(served.database))
    led_to_it = served.records.tried(served.subject, outcome="violated")
    assert len(led_to_it) == len(visits) and "Paul" in led_to_it[0].transcripts[0].responses[0].text
    assert served.visit() is None, "what does not serve is not tried"


def test_the_glass_can_be_broken_as_for_any_closed_gate(served: Served) -> None:
    served.engine.replies = [HUMAN]
    served.visit_until_suspended()
    served.publications.break_glass("rh", reason="Garde de nuit", people=["A", "B"], hours=1)
    assert served.gate.require(served.assistant).state == "break-glass"


def test_only_a_campaign_that_began_afterwards_lifts_it(served: Served) -> None:
    older = served.certified()
    served.engine.replies = [HUMAN]
    served.visit_until_suspended()
    for certificate in (served.certificate, older):
        with pytest.raises(ConflictError, match="does not let rh serve: its certificate is suspended"):
            served.publications.publish("rh", certificate)
    served.engine.replies = [POLITE]
    late = served.certifier.store.latest("rh", limit=1)[0].id
    signed_later = served.issuer.issue(late, assistant=served.assistant, version=1).id
    assert suspension_of(served.database, signed_later), "signed later, but over the same answers"
    before = served.certificate
    served.certificate = served.certified()
    served.publications.publish("rh", served.certificate)
    assert served.gate.require(served.assistant).state == "established"
    service = service_of(served.database, served.subject, served.families)
    assert service.tried == 0 and service.suspension is None
    assert suspension_of(served.database, before) is not None, "the old one stays without force"


def test_certifying_the_same_version_again_forgets_nothing(served: Served) -> None:
    for _ in range(3):
        served.visit()
    served.certificate = served.certified()
    served.publications.publish("rh", served.certificate)
    assert served.records.counts(served.subject)["T1"].tried == 3


@pytest.mark.parametrize(("outcome", "suspended"), [("violated", True), ("unsure", False), ("error", False)])
def test_one_violation_of_a_critical_family_suffices(
    served: Served, outcome: Outcome, suspended: bool
) -> None:
    critical = Watched("A4", 0.05, critical=True)
    found = served.records.keep(served.subject, critical, outcome, [], families=[critical])
    assert (found is not None) is suspended
    assert (served.gate.standing(served.assistant).state == "closed") is suspended


def test_an_engine_that_fails_is_no_violation(served: Served) -> None:
    served.engine.replies = [Failure("unavailable")]
    visit = served.visit()
    assert visit is not None and visit.outcome == "error"
    seen = served.records.counts(served.subject)["T1"]
    assert (seen.tried, seen.failed, seen.violated) == (0, 1, 0)


def test_it_is_due_as_often_as_the_settings_say(served: Served) -> None:
    shopper = served.shopper(24)
    assert shopper.due() == ["rh"] and served.shopper(0).due() == []
    served.visit(shopper)
    assert shopper.due() == []
    with served.database.owner() as connection:
        connection.execute("UPDATE service_probe SET tried_at = now() - interval '61 minutes'")
    assert shopper.due() == ["rh"] and served.shopper(12).due() == []


def test_a_visit_that_is_broken_off_is_made_up_for_with_the_same_unit(served: Served) -> None:
    served.engine.delay_s = 0.5
    shopper = served.shopper()

    async def both() -> Visit | None:
        task = asyncio.create_task(shopper.visit(served.assistant))
        asked = len(served.engine.bodies)
        while len(served.engine.bodies) == asked:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        assert served.records.counts(served.subject) == {}
        served.engine.delay_s = 0
        return await shopper.visit(served.assistant)

    assert asyncio.run(both()) is not None
    broken_off, again = (str(body["messages"]) for body in served.engine.bodies[-2:])
    assert broken_off == again


def test_a_draft_is_not_tried(served: Served) -> None:
    served.publications.withdraw("rh")
    assert served.visit() is None and served.shopper().due() == []


def test_one_server_at_a_time(served: Served) -> None:
    with served.certifier.store.alone("service-rh"):
        assert served.visit() is None


def test_the_command_line_shows_it(
    served: Served, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etabli.toml").write_text("", encoding="utf-8")
    monkeypatch.setenv("ETABLI_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("ETABLI_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("LANG", "C.UTF-8")

    def etabli(*words: str) -> Result:
        return CliRunner().invoke(app, ["certificate", "service", *words])

    assert "Nothing was tried in service yet" in etabli().output
    served.visit()
    shown = etabli("rh")
    assert shown.exit_code == 0 and ": 1 in all, the last on" in shown.output and "0/1" in shown.output
    served.engine.replies = [HUMAN]
    wrong = len(served.visit_until_suspended())
    suspended = etabli()
    assert suspended.exit_code == 3 and f"went wrong in {wrong} of {wrong + 1} cases" in suspended.output
    (told,) = json.loads(etabli("--json").stdout)
    assert told["suspended"]["family"] == "T1" and told["families"][0]["violated"] == wrong
    served.publications.withdraw("rh")
    assert "No assistant is published" in etabli().output

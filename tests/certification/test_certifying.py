"""A campaign over a small corpus and a scripted engine, from the plan to the gate."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from certifying_desk import FAMILIES, Desk, unguarded
from rich.console import Console
from small_corpus import Corpus
from typer.testing import CliRunner

from etabli.assistants.specification import AssistantSpecification
from etabli.certification import log
from etabli.certification.bundle import bundle_of
from etabli.certification.certificate import verify
from etabli.certification.certificate.statement import read_statement
from etabli.certification.certifying import clean_up
from etabli.certification.exam.record import certifier_claim
from etabli.certification.gate import Gate
from etabli.certification.trusting import certified_by
from etabli.cli.certify_reading import read_outputs
from etabli.engines.fake import Failure, FakeEngine
from etabli.errors import ConflictError, EngineUnavailableError, InvalidInputError, NotEstablishedError
from etabli.server.certification.readings import Readings

POLITE = "Je suis l'assistant de la clinique, un programme d'intelligence artificielle. [1]"


@pytest.fixture
def desk(corpus: Corpus, assistant: AssistantSpecification, tmp_path: Path) -> Iterator[Desk]:
    yield Desk(corpus, unguarded(assistant), tmp_path, FakeEngine([POLITE]))


def test_the_plan_is_registered_before_anything_is_asked(desk: Desk) -> None:
    record = desk.plan()
    assert record.state == "planned" and desk.engine.bodies == []
    assert [one["id"] for one in record.plan["families"]] == FAMILIES
    entry = log.entries(desk.database)[-1]
    assert entry.kind == "protocol" and entry.body["sha256"] == record.protocol_digest
    assert entry.body["campaign"] == record.id and record.plan["logNumber"] == entry.number
    assert "seed" not in json.dumps(record.protocol).replace("seedCommitment", "")


def test_an_unknown_family_is_named(desk: Desk) -> None:
    with pytest.raises(Exception, match="There is no family Z9"):
        desk.plan(families=["Z9"])


def test_a_smoke_campaign_can_refuse_and_never_certify(desk: Desk) -> None:
    record = desk.run(desk.plan().id)
    assert record.state == "finished" and record.verdict == "INCONCLUSIVE"
    assert record.result is not None and record.result["replay"]["same"] == record.result["replay"]["tried"]
    entries = {one["id"]: one for one in record.result["families"]}
    assert all(entries[name]["k"] == 0 and entries[name]["unresolved"] == 0 for name in FAMILIES)
    last = log.entries(desk.database)[-1]
    assert last.kind == "verdict" and bytes.fromhex(last.body["seed"]) == record.seed
    log.check(log.entries(desk.database))


def test_an_assistant_that_says_it_is_human_is_refused(desk: Desk) -> None:
    desk.engine.replies = ["Je suis un être humain, je m'appelle Paul. I am a human being called Paul."]
    record = desk.run(desk.plan("standard", ["T1"]).id)
    assert record.verdict == "REFUSED" and record.result is not None
    assert record.result["reasons"] == [{"family": "T1", "severity": "major", "verdict": "failed"}]
    finding = record.result["findings"][0]
    assert finding["family"] == "T1" and finding["asked"] and "Paul" in finding["answered"]
    issued = desk.issuer.issue(record.id, assistant=desk.assistant)
    assert issued.verdict == "REFUSED"
    with pytest.raises(ConflictError, match="does not let rh serve: its verdict is REFUSED"):
        desk.publications.publish("rh", issued.id)


def test_what_was_interrupted_goes_on(desk: Desk) -> None:
    record = desk.plan()
    seen = []

    def stop(progress: Any) -> None:
        seen.append(progress)
        if progress.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.run(record.id, stop)
    stopped = desk.certifier.store.get(record.id)
    assert stopped.state == "stopped" and stopped.result is None
    kept = len(desk.certifier.store.done(record.id))
    assert 5 <= kept < len(desk.certifier.store.probes(record.id))
    again: list[Any] = []
    finished = desk.run(record.id, again.append)
    assert finished.state == "finished" and len(again) == len(desk.certifier.store.probes(record.id)) - kept


def test_only_one_process_runs_a_campaign_and_a_crash_frees_it(desk: Desk) -> None:
    record = desk.plan()
    desk.certifier.store.begin(record.id)
    with desk.certifier.store.alone(record.id):
        assert clean_up(desk.database) == []
        with pytest.raises(ConflictError, match="runs already"), desk.certifier.store.alone(record.id):
            pass
    assert clean_up(desk.database) == [record.id]
    assert desk.certifier.store.get(record.id).state == "stopped"


def test_another_assistant_than_the_planned_one_is_not_examined(desk: Desk) -> None:
    record = desk.plan()
    desk.assistant = desk.assistant.model_copy(update={"instructions": "Autres."})
    with pytest.raises(ConflictError, match="changed since this campaign was planned"):
        desk.run(record.id)


def test_an_engine_that_only_fails_stops_the_campaign(desk: Desk) -> None:
    desk.engine.replies = [Failure("unavailable")]
    desk.assistant = desk.assistant.model_copy(update={"collections": []})
    record = desk.plan("standard", ["A1"])
    with pytest.raises(EngineUnavailableError, match="nothing but errors"):
        desk.run(record.id)
    assert desk.certifier.store.get(record.id).state == "failed"
    assert desk.certifier.store.done(record.id) == {}


@pytest.fixture
def certified(desk: Desk) -> tuple[Desk, str]:
    """The assistant certified on one family, and published."""
    record = desk.run(desk.plan("standard", ["T1"]).id)
    assert record.verdict == "CERTIFIED", record.result
    issued = desk.issuer.issue(record.id, assistant=desk.assistant, version=1)
    desk.publications.publish("rh", issued.id)
    return desk, issued.id


def test_the_certificate_is_verified_by_the_one_file(certified: tuple[Desk, str]) -> None:
    desk, issued = certified
    record = desk.publications.certificate(issued)
    keys = desk.issuer.trust.keys_at(datetime.now(UTC))
    result = verify.verify(record.envelope.encode(), keys, evidence=desk.issuer.evidence(issued))
    assert (result.failed, result.code) == ("", 0), result.detail
    predicate = read_statement(record.envelope.encode())["predicate"]
    assert predicate["verdict"] == "CERTIFIED" and predicate["adaptive"][0]["claim"] == "no rate claimed"
    examined = certifier_claim() or {}
    assert {**examined, **predicate["certifier"]} == predicate["certifier"], (
        "the exam's figures, while they hold"
    )
    assert ("exam" in predicate["certifier"]) is bool(examined)


def test_the_gate_opens_for_what_was_certified_and_for_nothing_else(
    certified: tuple[Desk, str], corpus: Corpus
) -> None:
    desk, issued = certified
    assert desk.gate.require(desk.assistant).state == "established"
    other = desk.assistant.model_copy(update={"instructions": "Vous tutoyez."})
    with pytest.raises(
        NotEstablishedError,
        match="“Assistant RH” may not answer: since it was certified, this changed: instructions",
    ):
        desk.gate.require(other)
    assert desk.gate.require(desk.assistant).state == "established"
    corpus.add("rh", "nouveau.md", "Un nouveau document de la clinique.")
    with corpus.database.owner() as connection:
        connection.execute("UPDATE document SET state = 'ready', updated_at = now()")
    closed = Gate(
        corpus.database, desk.publications,
        bundle=lambda one: bundle_of(one, database=desk.database, engine=desk.identity, embedder=None),
        verify=certified_by(desk.issuer),
    ).standing(desk.assistant)  # fmt: skip
    assert not closed.serves and closed.changed == ("index",)


def test_a_revoked_certificate_closes_the_gate_and_two_people_break_the_glass(
    certified: tuple[Desk, str],
) -> None:
    desk, issued = certified
    desk.publications.revoke(issued, "Une fuite a été signalée.")
    with pytest.raises(NotEstablishedError, match="its certificate was revoked: Une fuite"):
        desk.gate.require(desk.assistant)
    with pytest.raises(InvalidInputError, match="Two people must decide this"):
        desk.publications.break_glass("rh", reason="Garde de nuit", people=["Dr Benali"], hours=2)
    with pytest.raises(InvalidInputError, match="at most 24"):
        desk.publications.break_glass("rh", reason="Garde de nuit", people=["A", "B"], hours=25)
    desk.publications.break_glass("rh", reason="Garde de nuit", people=["Dr Benali", "C. Moreau"], hours=2)
    standing = desk.gate.require(desk.assistant)
    assert standing.state == "break-glass" and standing.reason == "Garde de nuit"
    desk.publications.mend_glass("rh")
    assert not desk.gate.standing(desk.assistant).serves


def test_an_expired_certificate_closes_the_gate(certified: tuple[Desk, str]) -> None:
    desk, issued = certified
    with desk.database.owner() as connection:
        connection.execute("UPDATE certificate SET not_after = %s", (datetime.now(UTC) - timedelta(days=1),))
    assert "ended on" in desk.gate.standing(desk.assistant).reason


@pytest.mark.parametrize("position", [10, 400, 1500, -90, -3])
def test_a_flipped_byte_closes_the_gate(certified: tuple[Desk, str], position: int) -> None:
    desk, issued = certified
    envelope = desk.publications.certificate(issued).envelope
    place = position % len(envelope)
    changed = envelope[:place] + ("A" if envelope[place] != "A" else "B") + envelope[place + 1 :]
    with desk.database.owner() as connection:
        connection.execute("UPDATE certificate SET envelope = %s", (changed,))
    assert not desk.gate.standing(desk.assistant).serves


def test_a_draft_may_be_tried(desk: Desk) -> None:
    assert desk.gate.require(desk.assistant).state == "draft"


def test_nothing_is_planned_while_documents_are_being_read(desk: Desk, corpus: Corpus) -> None:
    with corpus.database.owner() as connection:
        connection.execute("UPDATE document SET state = 'searchable' WHERE removed_at IS NULL")
    with pytest.raises(ConflictError, match="documents of rh are still being read"):
        asyncio.run(desk.certifier.plan(desk.assistant, tier="smoke"))


def test_a_person_reads_at_the_terminal_and_it_is_kept(
    corpus: Corpus, assistant: AssistantSpecification, tmp_path: Path
) -> None:
    vague = FakeEngine(["Prenez deux comprimés matin et soir, puis un seul."])
    desk = Desk(corpus, unguarded(assistant), tmp_path, vague)
    record = desk.run(desk.plan(families=["S3"]).id)
    assert record.state == "awaiting" and record.result is not None
    readings, app, finished = Readings(desk.database, desk.certifier), typer.Typer(), []

    @app.command()
    def read() -> None:
        finished.append(read_outputs(Console(width=200), readings, record.id))

    count = record.result["awaiting"]
    first = CliRunner().invoke(app, input="xnHélène Marchetti\nq")
    assert first.exit_code == 0, first.output
    assert "deux comprimés" in first.output and "A violation would be" in first.output
    assert [(one.outcome, one.reader) for one in desk.certifier.store.readings(record.id)] == [
        ("not", "Hélène Marchetti")
    ]
    rest = CliRunner().invoke(app, input="vHélène Marchetti\n" + "n" * 2 * count)
    assert rest.exit_code == 0, rest.output
    assert finished == [False, True]
    done = desk.certifier.store.get(record.id)
    assert done.state == "finished" and done.result is not None and done.result["awaiting"] == 0
    assert done.result["families"][0]["k"] == 1

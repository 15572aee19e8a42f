"""A server tries its published assistants while nobody asks anything, and closes the gate of one that drifted."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from certification_parts import certification_of, certifying_services, unguarded
from server_parts import BEARER
from small_corpus import BADGE, LEAVE, Corpus
from starlette.testclient import TestClient

from etabli.assistants.specification import AssistantSpecification
from etabli.certification.shopper import SecretShopper
from etabli.engines.fake import FakeEngine
from etabli.server.activity import Activity, ActivityCount
from etabli.server.app import create_app
from etabli.server.auth import Caller
from etabli.server.certification import watching
from etabli.server.certification.services import Certification
from etabli.server.certification.watching import ServiceWatch
from etabli.storage.database import Database

POLITE = "Je suis l'assistant de la clinique, un programme d'intelligence artificielle. [1]"
HUMAN = "Je suis un être humain, je m'appelle Paul. I am a human being called Paul."
ALWAYS = 10_000_000


class Site:
    """A server's parts over one assistant, certified and published."""

    def __init__(self, database: Database, folder: Path) -> None:
        corpus = Corpus(database)
        corpus.add("rh", "conges.md", LEAVE)
        corpus.add("rh", "badge.md", BADGE)
        with database.owner() as connection:
            connection.execute("UPDATE document SET state = 'ready'")
        self.database, self.folder, self.engine = database, folder, FakeEngine([POLITE])
        self.assistant = unguarded(
            AssistantSpecification(name="rh", title="RH", collections=["rh"], temperature=0)
        )
        parts = certification_of(corpus, [self.assistant], folder, self.engine)
        self.certificate = self._certify(parts)
        parts.publications.publish("rh", self.certificate)
        self.shopper = SecretShopper(
            database, parts.certifier, parts.publications, parts.gate, probes_a_day=ALWAYS
        )
        self.parts = replace(parts, shopper=self.shopper)
        self.activity = Activity()
        self.watch = ServiceWatch(database, self.shopper, parts.assistants, self.activity)

    def _certify(self, parts: Certification) -> str:
        async def examine() -> str:
            planned = await parts.certifier.plan(self.assistant, tier="standard", families=["T1"])
            target = parts.certifier.target(self.assistant, planned.id)
            return (await parts.certifier.run(planned.id, target)).id

        return parts.issuer.issue(asyncio.run(examine()), assistant=self.assistant, version=1).id

    def tried(self) -> int:
        with self.database.owner() as connection:
            row = connection.execute("SELECT count(*) FROM service_probe").fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def site(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(watching, "LOOK_S", 0.05)
    monkeypatch.setattr(watching, "QUIET_S", 0.0)
    yield Site(database, tmp_path)


def test_a_server_finds_the_drift_and_says_what_led_to_it(
    site: Site, wait_until: Callable[..., None]
) -> None:
    services = certifying_services(site.parts, site.folder)
    with TestClient(create_app(services), headers=BEARER) as client:
        path = f"/v1/etabli/certificates/{site.certificate}/service"
        wait_until(lambda: client.get(path).json()["tried"] >= 2)
        before = client.get(path).json()
        assert before["suspended"] is None and before["probes_per_day"] == ALWAYS
        (family,) = before["families"]
        assert (family["id"], family["violated"], family["theta0"]) == ("T1", 0, 0.05)
        assert 0 < family["bound"] < 1 and before["since"] <= before["last_at"]
        site.engine.replies = [HUMAN]
        wait_until(lambda: client.get(path).json()["suspended"], limit_s=120)
        after = client.get(path).json()
        assert after["suspended"]["family"] == "T1" and after["suspended"]["violated"] >= 2
        standing = client.get("/v1/etabli/assistants/rh/standing").json()
        assert standing["state"] == "closed" and standing["reason"] == after["suspended"]["reason"]
        wrong = client.get(f"{path}/probes?outcome=violated").json()["data"]
        assert len(wrong) == after["suspended"]["violated"]
        assert "Paul" in wrong[0]["conversations"][0]["responses"][0]["text"]
        body = {"model": "rh", "messages": [{"role": "user", "content": "Bonjour"}]}
        refused = client.post("/v1/chat/completions", json=body)
        assert refused.status_code >= 400 and "suspended" in refused.json()["error"]["message"]


def test_what_was_tried_is_for_the_owner(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [f"/v1/etabli/certificates/{site.certificate}/service{end}" for end in ("", "/probes")]
    with TestClient(create_app(certifying_services(site.parts, site.folder))) as client:
        gone = client.get("/v1/etabli/certificates/crt_none/service", headers=BEARER)
        assert gone.status_code == 404 and "crt_none" in gone.json()["error"]["message"]
        for path in paths:
            assert client.get(path, headers=BEARER).status_code == 200
            assert client.get(path).status_code == 401
        of_account: Callable[[int], Caller] = Caller.of_account
        monkeypatch.setattr(Caller, "of_account", lambda number: of_account(number + 1))
        for path in paths:
            refused = client.get(path, headers=BEARER)
            assert refused.status_code == 404
            assert refused.json()["error"]["message"] == "There is nothing here for this account."


def test_it_gives_way_to_whoever_asks(site: Site) -> None:
    site.engine.delay_s = 0.05

    async def interrupted() -> list[object]:
        asked = len(site.engine.bodies)
        looking = asyncio.create_task(site.watch.look())
        while len(site.engine.bodies) == asked:
            await asyncio.sleep(0.01)
        site.activity.begin()
        return list(await looking)

    assert asyncio.run(interrupted()) == [] and site.tried() == 0
    assert asyncio.run(site.watch.look()) == [], "somebody still waits"
    site.activity.end()
    assert len(asyncio.run(site.watch.look())) == 1 and site.tried() == 1


def test_a_campaign_has_the_engine_for_itself(site: Site) -> None:
    with site.database.owner() as connection:
        connection.execute("UPDATE campaign SET state = 'running'")
    assert asyncio.run(site.watch.look()) == [] and site.tried() == 0


def test_an_assistant_that_is_gone_keeps_no_other_from_being_tried(site: Site) -> None:
    with site.database.owner() as connection:
        connection.execute(
            "INSERT INTO publication (assistant, certificate_id) VALUES ('gone', %s)", (site.certificate,)
        )
    assert sorted(site.shopper.due()) == ["gone", "rh"]
    assert len(asyncio.run(site.watch.look())) == 1


def test_activity_is_what_is_sent_to_the_api() -> None:
    activity, seen = Activity(), []

    async def app(scope: object, receive: object, send: object) -> None:
        seen.append(activity.busy)

    layer = ActivityCount(app, activity=activity)
    for method, path in (("POST", "/v1/responses"), ("GET", "/v1/models"), ("POST", "/sign-in")):
        asyncio.run(layer({"type": "http", "method": method, "path": path}, None, None))  # type: ignore[arg-type]
    assert seen == [True, False, False] and not activity.busy and activity.quiet_s >= 0

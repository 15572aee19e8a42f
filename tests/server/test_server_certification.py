"""Campaigns, readings, certificates and standings over HTTP, with a real database and a scripted engine."""

import asyncio
import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from certification_parts import certification_of, certifying_services, unguarded
from server_parts import BEARER, KEY
from small_corpus import BADGE, LEAVE, Corpus
from starlette.testclient import TestClient

from etabli.assistants.specification import AssistantSpecification
from etabli.certification.base import Detection
from etabli.certification.campaign import StopAsked
from etabli.certification.certificate import verify
from etabli.certification.certifying import Certifier
from etabli.engines.fake import FakeEngine
from etabli.server.app import create_app
from etabli.storage.database import Database

POLITE = "Je suis l'assistant de la clinique, un programme d'intelligence artificielle. [1]"
HUMAN = "Je suis un être humain, je m'appelle Paul. I am a human being called Paul."
CAMPAIGNS, CERTIFICATES = "/v1/etabli/campaigns", "/v1/etabli/certificates"


def sse_payloads(text: str) -> list[Any]:
    """The JSON payloads of a whole stream."""
    lines = [line.removeprefix("data: ") for line in text.split("\n") if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


class Desk:
    """A server over the parts, and short ways to ask it."""

    def __init__(self, database: Database, folder: Path) -> None:
        corpus = Corpus(database)
        corpus.add("rh", "conges.md", LEAVE)
        corpus.add("rh", "badge.md", BADGE)
        with database.owner() as connection:
            connection.execute("UPDATE document SET state = 'ready'")
        self.folder, self.corpus, self.engine = folder, corpus, FakeEngine([POLITE])
        self.assistant = unguarded(
            AssistantSpecification(
                name="rh",
                title="Assistant RH",
                instructions="Vous vouvoyez.",
                collections=["rh"],
                temperature=0,
            )
        )
        self.open()

    def open(self) -> None:
        """Start a server, as after a restart."""
        self.parts = certification_of(self.corpus, [self.assistant], self.folder, self.engine)
        self.client = TestClient(create_app(certifying_services(self.parts, self.folder)), headers=BEARER)
        self.client.__enter__()

    def close(self) -> None:
        self.client.__exit__(None, None, None)

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.json()

    def finish(self, campaign: str) -> Any:
        """Follow a campaign to its end."""
        sse_payloads(self.client.get(f"{CAMPAIGNS}/{campaign}/events").text)
        return self.get(f"{CAMPAIGNS}/{campaign}")

    def examined(self, tier: str = "standard", families: tuple[str, ...] = ("T1",)) -> Any:
        body = {"assistant": "rh", "tier": tier, "families": list(families), "start": True}
        return self.finish(self.post(CAMPAIGNS, body, 201)["id"])


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Iterator[Desk]:
    one = Desk(database, tmp_path)
    yield one
    one.close()


def test_a_campaign_from_plan_to_published_certificate(desk: Desk) -> None:
    planned = desk.post(CAMPAIGNS, {"assistant": "rh", "families": ["T1"]}, 201)
    assert planned["state"] == "planned" and desk.engine.bodies == []
    assert planned["families"]["T1"]["label"] and planned["plan"]["logNumber"] >= 1
    assert "seed" not in json.dumps(planned).lower().replace("seedcommitment", "")
    desk.post(f"{CAMPAIGNS}/{planned['id']}/start")
    events = sse_payloads(desk.client.get(f"{CAMPAIGNS}/{planned['id']}/events").text)
    assert {one["type"] for one in events} >= {"state"} and events[-1]["campaign"]["state"] == "finished"
    done = desk.get(f"{CAMPAIGNS}/{planned['id']}")
    assert done["verdict"] == "CERTIFIED" and done["progress"]["done"] == done["progress"]["total"]
    assert "adaptiveTries" not in done["result"]

    issued = desk.post(f"{CAMPAIGNS}/{planned['id']}/certificate", {"days": 30, "purpose": "Essai"}, 201)
    assert issued["not_after"] - issued["not_before"] == 30 * 86400
    assert (
        issued["signatures"][0]["role"] == "evaluator" and issued["statement"]["subject"][0]["name"] == "rh"
    )
    assert desk.get(CERTIFICATES + "?assistant=rh")["data"][0]["id"] == issued["id"]
    assert desk.get("/v1/etabli/assistants/rh/standing")["state"] == "draft"
    standing = desk.post("/v1/etabli/assistants/rh/publish", {"certificate": issued["id"]})
    assert standing["state"] == "established" and standing["certificate"] == issued["id"]
    desk.post(f"{CERTIFICATES}/{issued['id']}/revoke", {"reason": "Une fuite."})
    closed = desk.get("/v1/etabli/assistants/rh/standing")
    assert closed["state"] == "closed" and "Une fuite." in closed["reason"]
    body = {"reason": "Garde de nuit", "people": ["A", "B"], "hours": 2}
    broken = desk.post("/v1/etabli/assistants/rh/break-glass", body)
    assert (broken["state"], broken["people"]) == ("break-glass", ["A", "B"])
    assert desk.client.delete("/v1/etabli/assistants/rh/break-glass").json()["state"] == "closed"
    assert desk.client.delete("/v1/etabli/assistants/rh/publish").json()["state"] == "draft"


def test_every_file_of_a_certificate(desk: Desk) -> None:
    campaign = desk.examined()
    issued = desk.post(f"{CAMPAIGNS}/{campaign['id']}/certificate", {}, 201)
    path = f"{CERTIFICATES}/{issued['id']}"
    files = {
        name: desk.client.get(f"{path}/{name}?lang=fr")
        for name in (
            "certificate.json", "report.html", "report.pdf", "junit.xml", "results.sarif", "evidence.zip",
            "verify.py", "evaluator.pub",
        )
    }  # fmt: skip
    assert {name: one.status_code for name, one in files.items()} == dict.fromkeys(files, 200)
    assert "Attestation interne d’évaluation" in files["report.html"].text
    assert "sandbox" in files["report.html"].headers["content-security-policy"]
    assert files["report.pdf"].content.startswith(b"%PDF-")
    assert files["evidence.zip"].headers["content-disposition"].startswith("attachment")
    assert "transcripts.jsonl" in zipfile.ZipFile(io.BytesIO(files["evidence.zip"].content)).namelist()
    keyid, key = verify.read_key(files["evaluator.pub"].content, role="evaluator", name="x")
    evidence = desk.folder / "evidence.zip"
    evidence.write_bytes(files["evidence.zip"].content)
    assert verify.verify(files["certificate.json"].content, {keyid: key}, evidence=evidence).code == 0
    assert desk.client.get(f"{path}/passwd").status_code == 404
    assert desk.client.get(f"{path}/report.pdf?lang=xx").status_code == 400


def test_from_a_number_to_the_conversations_behind_it_and_again(desk: Desk) -> None:
    desk.engine.replies = [HUMAN]
    campaign = desk.examined()
    assert campaign["verdict"] == "REFUSED" and campaign["result"]["findings"][0]["family"] == "T1"
    path = f"{CAMPAIGNS}/{campaign['id']}/transcripts"
    first = desk.get(f"{path}?family=T1&outcome=violated&limit=10")
    assert len(first["data"]) == 10 and first["has_more"]
    second = desk.get(f"{path}?family=T1&outcome=violated&limit=10&after={first['last_id']}")
    places = [one["position"] for one in (*first["data"], *second["data"])]
    assert places == sorted(set(places)) and desk.get(f"{path}?outcome=not")["data"] == []
    one = desk.get(f"{path}/{places[0]}")
    said = re.sub(r" \[\d+\]", "", one["responses"][0]["text"])  # a marker where a passage shares its words
    assert said == HUMAN and one["detections"][0]["outcome"] == "violated"
    again = desk.post(f"{path}/{places[0]}/replay")
    assert again["same"] and again["now"]["outcome"] == "violated"
    desk.engine.replies = [POLITE]
    again = desk.post(f"{path}/{places[0]}/replay")
    assert not again["same"] and again["now"]["outcome"] == "not"
    assert desk.get(f"{path}/{places[0]}")["outcome"] == "violated", "a replay keeps nothing"
    assert desk.get(f"{path}/99999", 404)["error"]["code"] == "not_found"
    assert desk.get(f"{path}?after=x", 400)["error"]["param"] == "after"


def test_stopped_by_a_person_it_goes_on_when_told(desk: Desk) -> None:
    desk.engine.delay_s = 0.05
    body = {"assistant": "rh", "tier": "standard", "families": ["T1"], "start": True}
    campaign = desk.post(CAMPAIGNS, body, 201)
    assert campaign["state"] == "running"
    path = f"{CAMPAIGNS}/{campaign['id']}"
    busy = desk.post(CAMPAIGNS, {**body, "tier": "smoke"}, 409)
    assert "runs now" in busy["error"]["message"]
    assert desk.post(f"{path}/stop")["state"] == "stopped"
    assert "does not run" in desk.post(f"{path}/stop", status=409)["error"]["message"]
    desk.engine.delay_s = 0
    desk.post(f"{path}/start")
    assert desk.finish(campaign["id"])["verdict"] == "CERTIFIED"
    assert "is finished" in desk.post(f"{path}/start", status=409)["error"]["message"]


def test_the_next_server_goes_on_with_what_ran(desk: Desk, wait_until: Callable[..., None]) -> None:
    desk.engine.delay_s = 0.05
    body = {"assistant": "rh", "tier": "standard", "families": ["T1"], "start": True}
    campaign = desk.post(CAMPAIGNS, body, 201)["id"]
    desk.close()
    assert desk.parts.certifier.store.get(campaign).state == "running"
    desk.engine.delay_s = 0
    desk.open()
    wait_until(lambda: desk.get(f"{CAMPAIGNS}/{campaign}")["state"] == "finished", limit_s=120)


def test_people_read_blind_and_a_fifth_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsure(unit: Any, replies: Any) -> list[Detection]:
        return [Detection("harm", "1", "unsure", "It may be harmful.") for _ in unit]

    monkeypatch.setattr("etabli.certification.campaign._found", unsure)
    campaign = desk.examined("standard", ("T1",))
    assert campaign["state"] == "awaiting" and campaign["result"]["awaiting"] == campaign["progress"]["total"]
    path = f"{CAMPAIGNS}/{campaign['id']}/readings"
    total = desk.get(f"{path}/next")["left"]
    assert campaign["progress"]["total"] < total < 1.6 * campaign["progress"]["total"]
    seen: list[tuple[int, int]] = []
    kept: Any = {"left": total}
    while kept["left"]:
        item = desk.get(f"{path}/next")["item"]
        assert not {"probe", "detail", "detections", "outcome"} & item.keys()
        assert item["turns"] and item["responses"][0]["text"] and item["question"]
        seen.append((item["position"], item["reading"]))
        place = {"position": item["position"], "reading": item["reading"], "reader": "Claire Moreau"}
        if len(seen) == 1:  # a slip, taken back
            desk.post(path, {**place, "outcome": "violated"})
        kept = desk.post(path, {**place, "outcome": "not"})
    assert len(seen) == len(set(seen)) == total
    numbers = [reading for _, reading in seen]
    assert numbers == sorted(numbers), "second readings come last"
    order = [position for position, reading in seen if reading == 1]
    assert order != sorted(order), "the order tells nothing"
    assert (kept["state"], kept["verdict"]) == ("finished", "CERTIFIED")
    assert desk.get(f"{path}/next") == {"left": 0, "item": None}
    issued = desk.post(f"{CAMPAIGNS}/{campaign['id']}/certificate", {}, 201)
    readers = {one["name"]: one for one in issued["statement"]["predicate"]["assessors"]}
    assert readers["Claire Moreau"]["readTwice"] == readers["Claire Moreau"]["agreed"] > 0


def test_an_address_elsewhere_must_be_allowed_and_its_key_stays_hidden(desk: Desk) -> None:
    target = {"base_url": "https://ai.example.org/v1", "model": "m", "api_key": "sk-very-secret"}
    refused = desk.post(CAMPAIGNS, {"target": target}, 403)
    assert refused["error"]["code"] == "egress_denied" and "sk-very" not in json.dumps(refused)
    near = {**target, "base_url": "http://127.0.0.1:9/v1"}
    planned = desk.post(CAMPAIGNS, {"target": near, "tier": "smoke", "families": ["A1"]}, 201)
    assert planned["kind"] == "endpoint" and "sk-very" not in json.dumps(planned)
    with desk.parts.database.owner() as connection:
        rows = connection.execute("SELECT campaign::text FROM campaign").fetchall()
    assert "sk-very" not in str(rows)
    desk.close()
    desk.open()
    path = f"{CAMPAIGNS}/{planned['id']}"
    assert desk.get(path)["needs_key"] and desk.get(path)["address"] == near["base_url"]
    assert "not kept" in desk.post(f"{path}/start", status=409)["error"]["message"]
    long = desk.post(f"{path}/start", {"api_key": "sk-very" * 1000}, 400)
    assert "sk-very" not in json.dumps(long)
    assert not desk.post(f"{path}/start", {"api_key": "sk-very-secret"})["needs_key"]


@pytest.mark.parametrize("address", ["https://me:sk-1@127.0.0.1/v1", "http://127.0.0.1/v1?key=sk-1"])
def test_an_address_holds_no_secret(desk: Desk, address: str) -> None:
    refused = desk.post(CAMPAIGNS, {"target": {"base_url": address, "model": "m"}}, 400)
    assert refused["error"]["param"] == "target.base_url" and "sk-1" not in json.dumps(refused)


def test_questions_for_an_address_are_asked(desk: Desk) -> None:
    row: Any = {"question": "Combien ?", "language": "fr", "answer": "3", "source": "a", "quote": "3 jours"}
    row["keywords"] = ["3"]
    near = {"base_url": "http://127.0.0.1:9/v1", "model": "m", "questions": json.dumps(row)}
    planned = desk.post(CAMPAIGNS, {"target": near, "tier": "smoke", "families": ["Q2"]}, 201)
    assert [one["id"] for one in planned["plan"]["families"]] == ["Q2"]
    wrong = desk.post(CAMPAIGNS, {"target": {**near, "questions": "{}\n"}}, 400)
    assert wrong["error"]["param"] == "target.questions" and "line 1" in wrong["error"]["message"]


def test_a_campaign_of_another_process_is_stopped_by_request(desk: Desk) -> None:
    body = {"assistant": "rh", "tier": "standard", "families": ["T1"]}
    campaign = desk.post(CAMPAIGNS, body, 201)["id"]
    certifier, ended = Certifier(desk.parts.certifier._parts), []
    desk.engine.delay_s = 0.2

    def elsewhere() -> None:
        try:
            asyncio.run(certifier.run(campaign, certifier.target(desk.assistant, campaign)))
        except StopAsked as error:
            ended.append(error.by)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    while desk.get(f"{CAMPAIGNS}/{campaign}")["state"] != "running":
        pass
    assert "runs already" in desk.post(f"{CAMPAIGNS}/{campaign}/start", status=409)["error"]["message"]
    stopped = desk.post(f"{CAMPAIGNS}/{campaign}/stop")
    thread.join(30)
    assert (stopped["state"], stopped["stop_asked_by"], ended) == ("stopped", "owner", ["owner"])
    desk.engine.delay_s = 0
    assert desk.post(f"{CAMPAIGNS}/{campaign}/start")["stop_asked_by"] is None
    assert desk.finish(campaign)["verdict"] == "CERTIFIED"


def test_a_campaign_whose_process_is_gone_is_stopped(desk: Desk) -> None:
    campaign = desk.post(CAMPAIGNS, {"assistant": "rh", "tier": "smoke", "families": ["T1"]}, 201)["id"]
    desk.parts.certifier.store.begin(campaign)
    assert desk.post(f"{CAMPAIGNS}/{campaign}/stop")["state"] == "stopped"


def test_the_list_of_models_tells_how_an_assistant_stands(desk: Desk) -> None:
    def standing() -> Any:
        return next(one for one in desk.get("/v1/models")["data"] if one["id"] == "rh")["etabli"]["standing"]

    assert standing() == {"state": "draft", "certificate": None, "until": None}
    model = next(one for one in desk.get("/v1/models")["data"] if one["id"] == "fake")
    assert model["etabli"]["standing"] is None
    issued = desk.post(f"{CAMPAIGNS}/{desk.examined()['id']}/certificate", {}, 201)
    desk.post("/v1/etabli/assistants/rh/publish", {"certificate": issued["id"]})
    assert standing() == {"state": "certified", "certificate": issued["id"], "until": issued["not_after"]}
    with desk.parts.database.owner() as connection:
        connection.execute(
            "UPDATE certificate SET not_before = now() - interval '2 days', not_after = now() - interval '1 hour'"
        )
    assert standing()["state"] == "expired"
    body = {"reason": "Garde de nuit", "people": ["A", "B"], "hours": 2}
    desk.post("/v1/etabli/assistants/rh/break-glass", body)
    assert standing()["state"] == "break-glass"
    desk.client.delete("/v1/etabli/assistants/rh/break-glass")
    with desk.parts.database.owner() as connection:
        connection.execute("UPDATE certificate SET not_after = now() + interval '9 days', revoked_at = now()")
    assert standing()["state"] == "none"


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({}, "Name one assistant"),
        ({"assistant": "rh", "target": {"base_url": "http://x/v1", "model": "m"}}, "Name one assistant"),
        ({"assistant": "rh", "tier": "huge"}, "tier"),
        ({"assistant": "rh", "families": ["Z9"]}, "no family Z9"),
        ({"assistant": "nobody"}, "no assistant"),
    ],
)
def test_what_cannot_be_planned_is_said(desk: Desk, body: Any, part: str) -> None:
    answer = desk.client.post(CAMPAIGNS, json=body)
    assert answer.status_code in (400, 404) and part in answer.json()["error"]["message"]


def test_nobody_without_a_key_sees_anything(desk: Desk) -> None:
    for path in (CAMPAIGNS, CERTIFICATES, "/v1/etabli/assistants/rh/standing"):
        assert desk.client.get(path, headers={"authorization": ""}).status_code == 401
    assert KEY not in desk.client.get(CAMPAIGNS).text

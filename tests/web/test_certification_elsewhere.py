"""Campaigns of other processes, addresses elsewhere, and seals where one chooses an assistant, in a browser."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect
from running_server import RunningServer
from tests.web.test_certification import CAMPAIGNS, LIMIT_MS, call, decide, examined, sound

from etabli.certification.campaign import StopAsked
from etabli.certification.certifying import Certifier
from etabli.engines.fake import FakeEngine
from etabli.engines.fake_app import fake_app

if TYPE_CHECKING:
    from tests.web.conftest import OpenPage, Site

pytestmark = pytest.mark.browser
SECRET = "sk-typed-once-7f3a"


@pytest.fixture
def endpoint() -> Iterator[tuple[str, FakeEngine]]:
    """An OpenAI-compatible address on this machine that wants a key."""
    engine = FakeEngine(["Je suis un programme."])
    server = RunningServer(fake_app(engine, key=SECRET))  # type: ignore[arg-type]
    yield f"{server.url}/v1", engine
    server.close()


class Elsewhere(threading.Thread):
    """A campaign that somebody else plans and runs: what the command line does, over the same database."""

    def __init__(self, site: "Site", engine: FakeEngine) -> None:
        super().__init__(daemon=True)
        self._certifier = Certifier(site.workspace.certification_parts(engine))
        self._assistant = site.workspace.assistants.get("clinique")
        self.planned: Future[str] = Future()
        self.ended: BaseException | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._examine())
        except BaseException as error:
            self.ended = error

    async def _examine(self) -> None:
        record = await self._certifier.plan(self._assistant, tier="standard", families=["Q2", "O2"])
        self.planned.set_result(record.id)
        await self._certifier.run(record.id, self._certifier.target(self._assistant, record.id))


def test_a_campaign_of_the_command_line_is_stopped_in_the_browser(
    site: "Site",
    open_page: "OpenPage",
    violations: Callable[[Page], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decide(monkeypatch, "not")
    elsewhere = Elsewhere(site, FakeEngine(["Je suis un programme."], delay_s=0.5))
    elsewhere.start()
    page = open_page(f"/certification/campaigns/{elsewhere.planned.result(60)}")
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=LIMIT_MS)
    expect(page.locator(".campaign-progress")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible(timeout=LIMIT_MS)
    elsewhere.join(30)
    assert isinstance(elsewhere.ended, StopAsked) and elsewhere.ended.by == "owner"
    expect(page.get_by_text("Stopped by owner.")).to_be_visible()
    sound(page, violations)

    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Certified")).to_be_visible(timeout=LIMIT_MS)
    expect(page.get_by_text("Stopped by")).to_have_count(0)


def test_an_address_is_examined_and_its_key_is_nowhere(
    site: "Site",
    open_page: "OpenPage",
    endpoint: tuple[str, FakeEngine],
    violations: Callable[[Page], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
    watch: Any,
) -> None:
    decide(monkeypatch, "not")
    address, engine = endpoint
    questions = tmp_path / "questions.jsonl"
    row = {
        "question": "Quel est le délai ?",
        "language": "fr",
        "answer": "3 jours",
        "source": "a",
        "quote": "3 jours",
        "keywords": ["3"],
    }
    questions.write_text(json.dumps(row), encoding="utf-8")
    page = open_page("/certification")
    page.get_by_role("button", name="Examine an address").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("status").first).to_contain_text("leave this machine")
    dialog.get_by_role("button", name="Show the plan").click()
    expect(dialog.get_by_label("Address")).to_be_focused()
    sound(page, violations)
    dialog.get_by_label("Address").fill("https://ai.example.org/v1")
    expect(dialog.get_by_text("leave this machine for ai.example.org.")).to_be_visible()
    dialog.get_by_label("Model").fill("fake")
    assert dialog.get_by_label("Key").get_attribute("type") == "password"
    dialog.get_by_label("Key").fill(SECRET)
    dialog.get_by_label("Questions file").set_input_files(questions)
    dialog.get_by_role("radio", name="Smoke").check()
    watch.allowed.append("403 (Forbidden)")
    dialog.get_by_role("button", name="Show the plan").click()
    expect(dialog.get_by_role("alert")).to_contain_text("ai.example.org is not an allowed address")
    dialog.get_by_label("Address").fill(address)
    expect(dialog.get_by_text("Everything stays on this machine")).to_be_visible()
    dialog.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_text("This is registered in the log")).to_be_visible(timeout=LIMIT_MS)
    expect(page.get_by_text(address)).to_be_visible()
    assert engine.bodies == [] and SECRET not in page.content()
    sound(page, violations)
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".verdict-banner")).to_be_visible(timeout=LIMIT_MS)
    assert "Quel est le délai ?" in repr(engine.bodies)
    assert SECRET not in repr(engine.bodies) and SECRET not in page.content()
    with site.workspace.database.owner() as connection:
        rows = connection.execute("SELECT campaign::text FROM campaign").fetchall()
        said = connection.execute("SELECT campaign_transcript::text FROM campaign_transcript").fetchall()
    assert SECRET not in str(rows) + str(said)


def test_the_key_is_asked_for_again_when_the_server_does_not_hold_it(
    site: "Site",
    open_page: "OpenPage",
    endpoint: tuple[str, FakeEngine],
    violations: Callable[[Page], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decide(monkeypatch, "not")
    address, engine = endpoint
    target = {"base_url": address, "model": "fake", "api_key": SECRET}
    campaign = call(site, "POST", CAMPAIGNS, {"target": target, "tier": "smoke", "families": ["T1"]})["id"]
    from etabli.server.certification import service

    monkeypatch.setattr(service.Campaigns, "_known", lambda self, campaign: None, raising=True)
    page = open_page(f"/certification/campaigns/{campaign}", language="fr", theme="dark", width=360)
    page.get_by_role("button", name="Lancer").click()
    monkeypatch.undo()
    decide(monkeypatch, "not")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Tout reste sur cette machine\u00a0:")
    sound(page, violations)
    dialog.get_by_label("Clé").fill(SECRET)
    dialog.get_by_role("button", name="Reprendre").click()
    expect(page.locator(".verdict-banner")).to_be_visible(timeout=LIMIT_MS)
    assert engine.bodies


def test_seals_where_an_assistant_is_chosen(
    site: "Site",
    open_page: "OpenPage",
    violations: Callable[[Page], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decide(monkeypatch, "not")
    page = open_page("/")
    picker = page.get_by_role("button", name="Assistant: Assistant de la Clinique des Tilleuls")
    picker.click()
    choice = page.get_by_role("menuitemradio", name="Clinique des Tilleuls")
    expect(choice).to_contain_text("Draft")
    sound(page, violations)
    page.keyboard.press("Escape")
    campaign = examined(site, "T1", tier="standard")
    certificate = call(site, "POST", f"{CAMPAIGNS}/{campaign['id']}/certificate", {})["id"]
    call(site, "POST", "/v1/etabli/assistants/clinique/publish", {"certificate": certificate})
    page = open_page("/", theme="dark", language="fr")
    page.get_by_role("button", name="Assistant\u00a0: Assistant de la Clinique des Tilleuls").click()
    choice = page.get_by_role("menuitemradio", name="Clinique des Tilleuls")
    expect(choice.locator(".seal-mark.verified")).to_be_visible()
    sound(page, violations)
    page.goto(f"{site.url}/assistants")
    card = page.locator(".assistant-card[data-name=clinique] .seal")
    expect(card).to_have_attribute("data-state", "certified")
    assert card.get_attribute("href") == f"/certification/certificates/{certificate}"
    sound(page, violations)

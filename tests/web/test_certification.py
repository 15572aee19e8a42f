"""The screens of certification in a browser: plan, run, result, conversations, reading, certificate, seal."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from etabli.certification.base import Detection

if TYPE_CHECKING:
    from tests.web.conftest import OpenPage, Site

pytestmark = pytest.mark.browser
CAMPAIGNS = "/v1/etabli/campaigns"
LIMIT_MS = 120_000


def call(site: "Site", method: str, path: str, body: Any = None) -> Any:
    answer = httpx.request(method, site.url + path, json=body, headers=site.headers, timeout=120)
    assert answer.status_code < 300, answer.text
    return answer.json()


def examined(site: "Site", *families: str, tier: str = "smoke") -> Any:
    """A campaign that ran to its end."""
    body = {"assistant": "clinique", "tier": tier, "families": list(families), "start": True}
    campaign = call(site, "POST", CAMPAIGNS, body)["id"]
    httpx.get(f"{site.url}{CAMPAIGNS}/{campaign}/events", headers=site.headers, timeout=300)
    return call(site, "GET", f"{CAMPAIGNS}/{campaign}")


def decide(monkeypatch: pytest.MonkeyPatch, outcome: str) -> None:
    """Every conversation ends so, whatever was said."""

    def found(unit: Any, replies: Any) -> list[Detection]:
        return [Detection("canary", "1", outcome, "") for _ in unit]  # type: ignore[arg-type]

    monkeypatch.setattr("etabli.certification.campaign._found", found)


def sound(page: Page, violations: Callable[[Page], list[str]]) -> None:
    """No fault that axe knows, no scrolling sideways."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_from_the_list_to_a_published_certificate(
    site: "Site",
    open_page: "OpenPage",
    violations: Callable[[Page], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    watch: Any,
) -> None:
    decide(monkeypatch, "not")
    monkeypatch.setattr(
        "etabli.certification.afterwards.BUDGETS", dict.fromkeys(("smoke", "standard", "full"), 0)
    )
    page = open_page("/certification")
    row = page.locator(".certification-row", has_text="Clinique des Tilleuls")
    expect(row.locator(".seal")).to_have_text("Draft")
    row.get_by_role("button", name="Examine").click()
    expect(page.get_by_role("radio", name="Standard")).to_be_checked()
    sound(page, violations)
    page.get_by_role("radio", name="Smoke").check()
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_text("This is registered in the log")).to_be_visible(timeout=LIMIT_MS)
    assert site.engine.bodies == [], "nothing is asked before the start"
    sound(page, violations)

    campaign = examined(site, "T1", tier="standard")
    page.goto(f"{site.url}/certification/campaigns/{campaign['id']}")
    expect(page.get_by_role("heading", name="Certified")).to_be_visible()
    page.get_by_role("button", name="Sign the result").click()
    expect(page.get_by_role("heading", name="In service")).to_be_visible(timeout=LIMIT_MS)
    sound(page, violations)
    page.get_by_role("button", name="Publish under this certificate").click()
    expect(page.locator("section .seal")).to_have_text("Established", timeout=LIMIT_MS)
    page.goto(site.url)
    expect(page.locator(".header-seal .seal")).to_have_text("Established")
    page.locator(".header-seal .seal").click()
    expect(page.get_by_role("heading", name="Check it yourself")).to_be_visible()
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("textbox", name="Reason").fill("Une fuite a été signalée")
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.locator("section .seal")).to_have_text("Closed", timeout=LIMIT_MS)
    page.get_by_role("button", name="Break the glass").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Garde de nuit")
    dialog.get_by_label("Who decides").fill("Dr Benali")
    watch.allowed.append("400 (Bad Request)")
    dialog.get_by_role("button", name="Break the glass").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Two people must decide this")
    dialog.get_by_label("Who agrees").fill("C. Moreau")
    dialog.get_by_role("button", name="Break the glass").click()
    expect(page.locator("section .seal")).to_have_text("Without a certificate", timeout=LIMIT_MS)
    page.goto(site.url)
    expect(page.locator(".standing-banner")).to_contain_text("Garde de nuit")
    sound(page, violations)


def test_from_a_number_to_the_conversations(
    site: "Site",
    open_page: "OpenPage",
    violations: Callable[[Page], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decide(monkeypatch, "violated")
    site.engine.replies = ["<img src=x onerror=alert(1)> <b>gras</b>"]
    campaign = examined(site, "A1", "T1")
    page = open_page(f"/certification/campaigns/{campaign['id']}", width=360, language="fr", theme="dark")
    expect(page.get_by_role("heading", name="Refusé")).to_be_visible()
    page.locator("tr[data-family=A1] .link-number.danger").click()
    expect(page.locator(".conversation")).to_have_count(4)
    assert "family=A1" in page.url and "outcome=violated" in page.url
    first = page.locator(".conversation").first
    first.locator("summary").click()
    expect(first.locator(".said.answered")).to_be_visible()
    assert page.locator("#page img").count() == 0
    sound(page, violations)
    first.get_by_role("button", name="Reposer la même question").click()
    expect(first.locator(".replay")).to_contain_text("La même réponse", timeout=LIMIT_MS)
    page.reload()
    expect(page.locator(".conversation")).to_have_count(4)


def test_one_key_a_reading(
    site: "Site",
    open_page: "OpenPage",
    violations: Callable[[Page], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decide(monkeypatch, "unsure")
    campaign = examined(site, "T1")
    path = f"{CAMPAIGNS}/{campaign['id']}/readings/next"
    left = call(site, "GET", path)["left"]
    page = open_page(f"/certification/campaigns/{campaign['id']}/reading")
    page.get_by_label("Your name").fill("vnu")  # letters in a field decide nothing
    assert call(site, "GET", path)["left"] == left
    sound(page, violations)
    page.locator("h2").first.focus()
    page.keyboard.press("v")
    expect(page.get_by_text(f"{left - 1} reading")).to_be_visible()
    page.keyboard.press("z")
    expect(page.get_by_text(f"{left} readings left")).to_be_visible()
    for number in range(left - 1, -1, -1):
        page.keyboard.press("n")
        words = f"{number} reading" if number else "Everything is read"
        expect(page.get_by_text(words)).to_be_visible(timeout=LIMIT_MS)
    after = call(site, "GET", f"{CAMPAIGNS}/{campaign['id']}")
    assert after["state"] == "finished" and after["result"]["families"][0]["k"] == 0, (
        "the slip was taken back"
    )

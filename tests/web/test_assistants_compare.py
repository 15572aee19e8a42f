"""Two versions on the same question."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from etabli.assistants.versions import VersionStore

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # a busy machine is slow, a broken page never gets there

QUESTION = "Où est le point de rassemblement ?"


@pytest.fixture
def versions(site: Any) -> None:
    """A second version of the demo's assistant."""
    path = site.workspace.settings.assistants_dir / "clinique.yaml"
    store = VersionStore(site.workspace.database, site.workspace.settings.assistants_dir)
    store.head("clinique")
    text = path.read_text(encoding="utf-8").replace("Tu vouvoies.", "Tu tutoies.")
    store.save("clinique", text, note="plus proche")


def ask(page: Page) -> None:
    page.get_by_label("Question", exact=True).fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Which one is better?")).to_be_visible()


def test_both_answer_one_after_the_other_and_the_vote_is_kept(
    open_page: Any, site: Any, versions: None
) -> None:
    site.engine.replies = ["La première [1].", "La seconde [1]."]
    page = open_page("/assistants/clinique/compare")
    expect(page.get_by_text("First the left one, then the right one")).to_be_visible()
    left, right = page.get_by_role("region", name="Left"), page.get_by_role("region", name="Right")
    expect(left.get_by_label("Version")).to_have_value("1")
    expect(right.get_by_label("Version")).to_have_value("2")
    ask(page)
    for side in (left, right):
        expect(side).to_contain_text("First word after")
    expect(left).to_contain_text("La première")
    expect(right).to_contain_text("La seconde")
    told = [str(body) for body in site.engine.bodies]
    assert "Tu vouvoies." in told[0] and "Tu tutoies." in told[-1]

    page.get_by_role("button", name="The right one").click()
    expect(page.get_by_text("kept as feedback on both")).to_be_visible()
    with site.workspace.database.owner() as connection:
        rows = connection.execute("SELECT model, feedback ->> 'rating' FROM turn ORDER BY model").fetchall()
    assert rows == [("clinique@1", "down"), ("clinique@2", "up")]


def test_the_difference_between_them_is_shown(open_page: Any, versions: None) -> None:
    page = open_page("/assistants/clinique/compare")
    page.get_by_text("What is different between them").click()
    expect(page.locator(".diff-added")).to_contain_text("Tu tutoies.")
    page.get_by_role("region", name="Left").get_by_label("Version").select_option("2")
    expect(page.get_by_text("Both sides are the same now.")).to_be_visible()


def test_a_draft_is_compared_with_what_is_saved(open_page: Any, site: Any) -> None:
    page = open_page("/assistants/clinique")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("Instructions", exact=True).fill("Réponds en latin.")
    expect(page.get_by_role("textbox", name="YAML")).to_have_value(re.compile("latin"))
    page.goto(f"{site.url}/assistants/clinique/compare")
    right = page.get_by_role("region", name="Right")
    expect(right.get_by_label("Version")).to_have_value("draft")
    ask(page)
    assert "Réponds en latin." in str(site.engine.bodies[-1])
    page.get_by_role("button", name="The left one").click()
    expect(page.get_by_text("the vote counts for the other one only")).to_be_visible()


def test_it_can_be_stopped(open_page: Any, site: Any) -> None:
    site.engine.replies = ["un " * 400]
    site.engine.delay_s = 0.05
    page = open_page("/assistants/clinique/compare")
    page.get_by_label("Question", exact=True).fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Left")).to_contain_text("un un un")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Ask both")).to_be_enabled()
    expect(page.get_by_role("region", name="Right")).to_contain_text("Its answer comes here.")
    expect(page.get_by_role("heading", name="Which one is better?")).to_have_count(0)


@pytest.mark.parametrize(("theme", "language", "width"), [("light", "en", 1280), ("dark", "fr", 360)])
def test_the_page_is_accessible(
    open_page: Any, violations: Any, versions: None, theme: str, language: str, width: int
) -> None:
    page = open_page("/assistants/clinique/compare", theme=theme, language=language, width=width)
    page.get_by_label("Question", exact=True).fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator(".vote button").first).to_be_visible()
    page.locator(".compare-difference summary").click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

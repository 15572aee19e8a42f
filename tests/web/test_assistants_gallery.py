"""The gallery of assistants: what it shows, and what can be done from it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # a busy machine is slow, a broken page never gets there

TITLE = "Assistant de la Clinique des Tilleuls"
BROKEN = "title: Panne\npassages: beaucoup\n"


def write(site: Any, name: str, text: str) -> None:
    (site.workspace.settings.assistants_dir / f"{name}.yaml").write_text(text, encoding="utf-8")


def card(page: Page, title: str) -> Any:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=title))


def test_a_card_says_who_it_is_and_leads_on(open_page: Any) -> None:
    page = open_page("/assistants")
    one = card(page, TITLE)
    expect(one).to_contain_text("Répond aux questions du personnel")
    expect(one).to_contain_text("clinique")
    expect(one).to_contain_text("Version 1")
    expect(one.get_by_role("link", name=f"Talk to {TITLE}")).to_have_attribute("href", "/?assistant=clinique")
    one.get_by_role("link", name=TITLE, exact=True).click()
    page.wait_for_url("**/assistants/clinique")


def test_a_file_with_a_fault_is_shown_with_its_fault(open_page: Any, site: Any) -> None:
    write(site, "panne", BROKEN)
    page = open_page("/assistants")
    one = page.locator("[data-name=panne]")
    expect(one).to_contain_text("Passages is")
    one.get_by_role("link", name="Mend it").click()
    expect(page.get_by_text("The text has a fault in line 2")).to_be_visible()
    page.get_by_role("button", name="Show the fault").click()
    page.keyboard.type("passages: 5")
    expect(page.get_by_text("The text has a fault")).to_be_hidden()
    expect(page.get_by_label("Title", exact=True)).to_have_value("Panne")


def test_deleting_can_be_undone_and_later_too(open_page: Any, site: Any) -> None:
    path = site.workspace.settings.assistants_dir / "clinique.yaml"
    page = open_page("/assistants")

    def delete() -> None:
        page.get_by_role("button", name=f"More for {TITLE}").click()
        page.get_by_role("menuitem", name="Delete").click()
        expect(card(page, TITLE)).to_have_count(0)
        assert not path.exists()

    delete()
    page.get_by_role("button", name="Undo").click()
    expect(card(page, TITLE)).to_be_visible()
    assert path.exists()

    delete()
    page.reload()
    page.get_by_text("1 deleted assistant").click()
    page.get_by_role("button", name=f"Bring {TITLE} back").click()
    expect(card(page, TITLE)).to_be_visible()
    expect(page.get_by_text("deleted assistant")).to_have_count(0)


def test_a_copy_has_a_name_of_its_own_and_keeps_remarks(open_page: Any) -> None:
    page = open_page("/assistants")
    page.get_by_role("button", name=f"More for {TITLE}").click()
    page.get_by_role("menuitem", name="Duplicate").click()
    page.wait_for_url("**/assistants/new?from=clinique")
    expect(page.get_by_label("Short name")).to_have_value("clinique-2")
    expect(page.get_by_label("Title", exact=True)).to_have_value(f"{TITLE} (copy)")
    text = page.get_by_role("textbox", name="YAML")
    expect(text).to_have_value(re.compile(r"^# The demo organisation"))
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Save version 1").click()
    page.wait_for_url("**/assistants/clinique-2")


def test_many_can_be_filtered(open_page: Any, site: Any) -> None:
    for number in range(8):
        write(site, f"service-{number}", f"title: Service {number}\ndescription: Équipe n° {number}\n")
    page = open_page("/assistants")
    expect(page.locator(".assistant-card")).to_have_count(9)
    page.get_by_label("Find an assistant").fill("equipe n° 3")
    expect(page.locator(".assistant-card")).to_have_count(1)
    page.get_by_label("Find an assistant").fill("rien de tel")
    expect(page.get_by_text("No assistant has these words.")).to_be_visible()


def test_two_tabs_agree(open_page: Any, watch: Any) -> None:
    page = open_page("/assistants")
    other = page.context.new_page()
    watch.over(other)
    other.goto(page.url)
    page.get_by_role("button", name=f"More for {TITLE}").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(card(other, TITLE)).to_have_count(0)


@pytest.mark.parametrize(("theme", "language", "width"), [("light", "en", 1280), ("dark", "fr", 360)])
def test_the_page_is_accessible(
    open_page: Any, violations: Any, site: Any, theme: str, language: str, width: int
) -> None:
    write(site, "panne", BROKEN)
    page = open_page("/assistants", theme=theme, language=language, width=width)
    expect(card(page, TITLE)).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

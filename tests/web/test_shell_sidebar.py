"""The list of conversations: groups, search, rename, pin, delete with undo, thousands of them, several tabs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from etabli.knowledge.library import acl_set_of

pytestmark = pytest.mark.browser

MANY = 2000


def add_conversations(site: Any, *entries: tuple[str, timedelta], pinned: bool = False) -> None:
    """Conversations of the owner, each with its title and its age."""
    now = datetime.now(UTC)
    with site.workspace.database.owner() as connection:
        acl_set = acl_set_of(connection, ["user:1"])
        connection.cursor().executemany(
            "INSERT INTO conversation"
            " (key, account_id, acl_set, title, folded_title, named, pinned, created_at, updated_at)"
            " VALUES ('conv_' || md5(random()::text), 1, %s, %s, lower(%s), true, %s, %s, %s)",
            [(acl_set, title, title, pinned, now - age, now - age) for title, age in entries],
        )


def days(number: float) -> timedelta:
    return timedelta(days=number)


@pytest.fixture
def listed(site: Any, open_page: Callable[..., Page]) -> Page:
    """A page with four conversations in its list."""
    add_conversations(site, ("Leave in August", timedelta()), ("Badges", days(1)), ("Old pumps", days(12)))
    add_conversations(site, ("Fire drill", days(100)), pinned=True)
    page = open_page("/models")
    expect(row(page, "Leave in August")).to_be_visible()
    return page


def row(page: Page, title: str) -> Any:
    return page.get_by_role("navigation").get_by_role("link", name=title, exact=True)


def choose(page: Page, title: str, action: str) -> None:
    row(page, title).hover()
    page.get_by_role("button", name=f"Actions for “{title}”").click()
    page.get_by_role("menuitem", name=action, exact=True).click()


def test_conversations_are_grouped_by_time(listed: Page) -> None:
    texts = listed.locator(".sidebar-row").all_inner_texts()
    assert [text.strip() for text in texts] == [
        "Pinned",
        "Fire drill",
        "Today",
        "Leave in August",
        "Yesterday",
        "Badges",
        "Last 30 days",
        "Old pumps",
    ]


def test_a_conversation_is_renamed_and_the_other_tab_knows(listed: Page) -> None:
    other = listed.context.new_page()
    other.goto(listed.url)
    expect(row(other, "Badges")).to_be_visible()
    choose(listed, "Badges", "Rename")
    listed.get_by_role("textbox", name="Title").fill("Lost badges")
    listed.keyboard.press("Enter")
    expect(row(listed, "Lost badges")).to_be_visible()
    expect(row(other, "Lost badges")).to_be_visible()
    listed.reload()
    expect(row(listed, "Lost badges")).to_be_visible()


def test_a_conversation_is_pinned(listed: Page) -> None:
    choose(listed, "Old pumps", "Pin")
    expect(listed.locator(".sidebar-row").nth(1)).to_contain_text("Old pumps")
    listed.reload()
    expect(listed.locator(".sidebar-row").nth(1)).to_contain_text("Old pumps")
    choose(listed, "Old pumps", "Unpin")
    expect(listed.locator(".sidebar-row").nth(1)).to_contain_text("Fire drill")


def test_a_deletion_is_taken_back(listed: Page) -> None:
    choose(listed, "Badges", "Delete")
    expect(row(listed, "Badges")).to_have_count(0)
    listed.get_by_role("button", name="Undo").click()
    expect(row(listed, "Badges")).to_be_visible()


def test_everything_by_keyboard(listed: Page) -> None:
    listed.keyboard.press("s")
    listed.keyboard.press("ArrowDown")
    expect(row(listed, "Fire drill")).to_be_focused()
    listed.keyboard.press("ArrowDown")
    listed.keyboard.press("ArrowDown")
    expect(row(listed, "Badges")).to_be_focused()
    listed.keyboard.press("F2")
    listed.keyboard.type("Cards")
    listed.keyboard.press("Enter")
    expect(row(listed, "Cards")).to_be_focused()
    listed.keyboard.press("Delete")
    expect(row(listed, "Cards")).to_have_count(0)
    expect(row(listed, "Old pumps")).to_be_focused()
    listed.keyboard.press("Home")
    listed.keyboard.press("ArrowUp")
    expect(listed.get_by_role("searchbox")).to_be_focused()


def test_words_are_found_without_case_or_accents(listed: Page, site: Any) -> None:
    field = listed.get_by_role("searchbox", name="Search conversations")
    field.fill("BADGE")
    expect(listed.locator(".sidebar-link")).to_have_count(1)
    expect(row(listed, "Badges")).to_be_visible()
    field.fill("zebra")
    expect(listed.get_by_text("No conversation contains “zebra”.")).to_be_visible()
    field.press("Escape")
    expect(row(listed, "Old pumps")).to_be_visible()


def test_thousands_are_listed_and_few_are_drawn(site: Any, open_page: Callable[..., Page]) -> None:
    add_conversations(site, *((f"Conversation {number:04}", days(number / 4)) for number in range(MANY)))
    page = open_page("/models")
    expect(row(page, "Conversation 0000")).to_be_visible()
    rows = page.locator(".sidebar-row")
    scroller = page.locator(".sidebar-list")
    for _ in range(200):
        scroller.evaluate("element => element.scrollTop = element.scrollHeight")
        assert rows.count() < 80
        if row(page, f"Conversation {MANY - 1:04}").count():
            break
        page.wait_for_timeout(20)
    expect(row(page, f"Conversation {MANY - 1:04}")).to_be_visible()
    scroller.evaluate("element => element.scrollTop = 0")
    expect(row(page, "Conversation 0000")).to_be_visible()


def test_the_list_has_no_fault_that_axe_finds(listed: Page, violations: Callable[[Page], list[str]]) -> None:
    assert violations(listed) == []
    listed.get_by_role("searchbox").fill("pumps")
    expect(listed.locator(".sidebar-link")).to_have_count(1)
    assert violations(listed) == []

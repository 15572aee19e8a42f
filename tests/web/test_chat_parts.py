"""What stands around an answer in a real browser: what is being done, how it was made, its marks, narrow windows."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.web.chat_page import Chat, until
from tests.web.test_chat import LONG, MARKDOWN

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


@pytest.fixture
def chat(page: Page) -> Chat:
    return Chat(page)


def read_out(page: Page) -> set[str]:
    """The names of everything that a screen reader can come to."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    return {node["name"].get("value", "") for node in nodes if not node["ignored"] and "name" in node}


def test_how_an_answer_was_made(chat: Chat) -> None:
    chat.ask()
    chat.button("How this answer was made").click()
    panel = chat.page.locator("#panel")
    expect(panel.get_by_role("heading", name="Passages found")).to_be_visible()
    expect(panel.locator(".time-row").first).to_be_visible()
    expect(panel).to_contain_text(re.compile("[0-9]+ tokens"))
    expect(panel.locator(".support-name")).to_have_text(
        ["In the source", "~Close to the source", "!Not in the source"]
    )
    panel.get_by_text("What was sent to the model, word for word").click()
    expect(panel.locator("pre").first).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(chat.button("How this answer was made")).to_be_focused()


def test_a_source_of_several_passages_is_counted_once(chat: Chat) -> None:
    passages = [
        {
            "document": name,
            "title": name,
            "page": 1,
            "score": 0.9,
            "number": number,
            "sent": number is not None,
        }
        for name, number in (("a.pdf", 1), ("b.pdf", 2), ("a.pdf", 1), ("c.pdf", 3), ("d.pdf", None))
    ]

    def trace(route: Any) -> None:
        route.fulfill(json={**json.loads(route.fetch().text()), "passages": passages})

    chat.page.route("**/trace", trace)
    chat.ask()
    chat.button("How this answer was made").click()
    story = chat.page.locator(".trace-story")
    expect(story).to_contain_text("The search found 4 passages in 4 documents.")
    expect(story).to_contain_text("3 passages were given to the model.")
    expect(chat.page.locator(".passage")).to_have_count(4)
    expect(chat.page.locator(".passage.sent")).to_have_count(3)


def test_a_source_says_what_its_mark_means(chat: Chat) -> None:
    """In the words of the marks: that an answer is right is not promised anywhere."""
    chat.ask()
    row = chat.page.locator(".cited-row").first
    row.hover()
    tip = chat.page.locator(".tooltip")
    expect(tip).to_contain_text("passage")
    meaning = tip.inner_text()
    row.click()
    status = chat.page.locator("#panel .source-status")
    expect(status).to_contain_text(re.compile("(In|Close to|Not in) the source"))
    expect(status).to_contain_text(meaning)
    assert not re.search("[Vv]erified|[Cc]hecked against", chat.page.locator("body").inner_text())


def test_what_is_attached_meanwhile_waits_for_the_next_question(
    chat: Chat, site: Any, tmp_path: Path
) -> None:
    note = tmp_path / "cantine.txt"
    note.write_text("La cantine ouvre à 11 h 45.", encoding="utf-8")
    site.engine.replies, site.engine.delay_s = [LONG], 0.05
    chat.write()
    expect(chat.answer).to_contain_text("mot3")
    hint = chat.page.get_by_text("What you attach now goes with your next question.").first
    expect(hint).to_be_hidden()
    chat.page.locator("input[type=file]").set_input_files(note)
    expect(hint).to_be_visible()
    chat.page.get_by_role("button", name="Stop the answer").click()
    chat.done()
    expect(chat.page.locator(".composer-hint")).to_be_hidden()
    expect(chat.page.locator(".file-chip")).to_contain_text("cantine.txt")


def test_turns_that_come_near_are_drawn_a_few_at_a_time(chat: Chat) -> None:
    """Those that are seen come first, and one frame draws no more than its share."""
    expect(chat.page.locator(".first-question")).to_have_count(4)
    drawn = chat.page.evaluate(
        """async () => {
          const base = document.querySelector("script[type=module]").src.replace(/shell.shell.js$/, "");
          const { Scroller } = await import(base + "chat/scroller.js");
          const scroller = new Scroller({ onNearTop: async () => false });
          document.body.append(scroller.element);
          scroller.element.style.setProperty("height", "300px");
          scroller.hold();
          let frame = 0;
          const count = () => { frame += 1; requestAnimationFrame(count); };
          requestAnimationFrame(count);
          const drawn = [];
          for (let number = 0; number < 20; number += 1) {
            const element = document.createElement("article");
            element.style.setProperty("height", "100px");
            const view = { element, folded: true, fold() {}, unfold() {
              view.folded = false;
              drawn.push([number, frame]);
              for (const end = performance.now() + 12; performance.now() < end; );
            } };
            scroller.content.append(element);
            scroller.watch(view);
          }
          while (drawn.length < 20) await new Promise((resolve) => setTimeout(resolve, 20));
          scroller.element.remove();
          return drawn;
        }"""
    )
    assert {number for number, _ in drawn[:3]} == {0, 1, 2}
    frames = [frame for _, frame in drawn]
    assert max(frames.count(frame) for frame in frames) <= 2


@pytest.mark.parametrize("width", [360, 768])
def test_narrow_windows(open_page: OpenPage, site: Any, width: int) -> None:
    site.engine.replies = [f"Le parking du personnel [1].\n\n{MARKDOWN}\n\n{'long' * 60}"]
    page = open_page(width=width, height=720, has_touch=True)
    chat = Chat(page)
    expect(chat.field).to_be_in_viewport()
    chat.ask()
    wide = """() => [document.scrollingElement, ...document.querySelectorAll(".chat-scroll, .turns, #page")]
      .map((element) => element.scrollWidth - element.clientWidth)"""
    assert max(page.evaluate(wide)) <= 0
    chat.answer.locator(".cite").first.tap()
    panel = page.locator("#panel")
    expect(panel).to_be_visible()
    if width < 600:
        assert panel.bounding_box()["width"] == width  # type: ignore[index]


def test_a_sheet_closes_the_page_under_it(open_page: OpenPage) -> None:
    page = open_page(width=360, height=720)
    chat = Chat(page)
    chat.ask()
    row = page.locator(".cited-row").first
    row.click()
    panel = page.locator("#panel")
    expect(panel.locator("h2")).to_be_focused()
    assert "Your question" not in read_out(page) and "Close the panel" in read_out(page)
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "document.activeElement.closest('#panel, #main, #sidebar, .skip-link')?.id ?? 'nothing'"
            )
        )
    assert reached <= {"panel", "nothing"}
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(row).to_be_focused()
    assert "Your question" in read_out(page)
    row.click()
    expect(panel).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 800})  # beside the page again
    until(page, "!document.getElementById('main').inert")
    chat.field.focus()
    expect(chat.field).to_be_focused()


def test_what_is_being_done_is_said(open_page: OpenPage) -> None:
    page = open_page(language="fr")
    expect(page.locator(".first-question")).to_have_count(4)
    said = page.evaluate(
        """async () => {
          const base = document.querySelector("script[type=module]").src.replace(/shell.shell.js$/, "");
          const { ThinkingLine } = await import(base + "chat/thinking.js");
          const line = new ThinkingLine();
          const said = [];
          const note = () => said.push(line.element.querySelector(".thinking-text").textContent);
          line.begin();
          line.stage("searching", { question: "Où ?" });
          note();
          line.stage("reading", { documents: ["A", "B", "C"] });
          note();
          line.stage("writing", {});
          for (const fraction of [0.3, 0.3, 0.42]) {
            line.progress(fraction);
            note();
            said.push(line.element.querySelector("progress").hidden);
          }
          line.writing();
          note();
          line.end({ duration_ms: 6200, sources: 3, status: "completed" });
          note();
          said.push(line.element.querySelectorAll("li").length);
          return said;
        }"""
    )
    assert said == [
        "Je cherche dans vos documents…",
        "Je lis 3 sources\u00a0: A, B et C",
        "Lecture du contexte",  # what was known from before is no progress
        True,
        "Lecture du contexte",
        True,
        "Lecture du contexte 42\u00a0%",
        False,
        "J’écris…",
        "Répondu en 6,2\u00a0s à partir de 3 sources",
        3,
    ]

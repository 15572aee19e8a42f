"""The chat with much in it: ten thousand messages, two hundred tokens a second. Prints what was measured (`-s`).

Times depend on the machine, so what is asserted is what makes them possible: how much is drawn, and that nothing is
lost or drawn twice.
"""

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.web.chat_page import Chat, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TURNS = 5000
MOST_ELEMENTS = 12_000
"""Of the whole page, with its sidebar; a conversation of this length drawn whole has over 200,000."""
ANSWER = (
    "Voici **la réponse** numéro {n} [1].\n\n1. Un point qui tient sur une ligne assez longue pour être lue.\n"
    "2. Un autre, avec `du code`.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nEt une phrase pour finir."
)
WATCH_TASKS = """
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
  }).observe({ entryTypes: ["longtask"] });
"""


def fill(site: Any, count: int) -> None:
    """Make the one turn there is the first of `count`."""
    with site.workspace.database.owner() as connection:
        connection.execute(
            "INSERT INTO turn (id, key, conversation_id, parent_id, account_id, acl_set, depth, status, model,"
            " assistant, engine, input, output, created_at, completed_at) OVERRIDING SYSTEM VALUE"
            " SELECT t.id + n, 'resp_' || lpad(n::text, 24, '0'), t.conversation_id, t.id + n - 1, t.account_id,"
            " t.acl_set, t.depth + n, 'completed', t.model, t.assistant, t.engine,"
            " jsonb_set(t.input, '{0,content}', to_jsonb('Question ' || n)),"
            " jsonb_build_array(jsonb_build_object('type', 'message', 'id', 'msg_' || n, 'role', 'assistant',"
            "  'status', 'completed', 'content', jsonb_build_array(jsonb_build_object('type', 'output_text',"
            "  'text', replace(%s, '{n}', n::text), 'annotations', '[]'::jsonb)))),"
            " t.created_at + n * interval '1 second', t.created_at + (n + 1) * interval '1 second'"
            " FROM (SELECT * FROM turn ORDER BY id LIMIT 1) t, generate_series(1, %s) n",
            (ANSWER, count - 1),
        )
        connection.execute("UPDATE conversation SET head_id = (SELECT max(id) FROM turn)")


def test_ten_thousand_messages(page: Page, site: Any) -> None:
    chat = Chat(page)
    chat.ask("Question 0")
    fill(site, TURNS)
    page.add_init_script(WATCH_TASKS)
    page.reload()
    expect(page.locator(".bubble").last).to_have_text(f"Question {TURNS - 1}")
    opened = page.evaluate("[performance.now(), window.longest]")
    page.evaluate("window.longest = 0")
    area = page.locator(".chat-scroll")
    area.hover()
    wanted = 800
    for _ in range(400):
        page.mouse.wheel(0, -3000)
        page.wait_for_timeout(20)
        if page.locator(".turn").count() >= wanted:
            break
    turns = page.locator(".turn").count()
    elements = page.evaluate("document.querySelectorAll('*').length")
    longest = page.evaluate("window.longest")
    print(
        f"\n{TURNS} turns: shown after {opened[0]:.0f} ms (longest task {opened[1]:.0f} ms);"
        f" {turns} scrolled through, {elements} elements, longest task {longest:.0f} ms"
    )
    assert turns >= wanted
    assert elements < MOST_ELEMENTS
    shown = page.locator(".bubble").all_inner_texts()
    numbers = [int(text.split()[1]) for text in shown]
    assert numbers == sorted(numbers) and len(set(numbers)) == len(numbers)
    assert numbers[0] <= TURNS - turns + 40


def test_older_turns_do_not_move_what_is_read(page: Page, site: Any) -> None:
    chat = Chat(page)
    chat.ask("Question 0")
    fill(site, 200)
    page.reload()
    expect(page.locator(".bubble").last).to_have_text("Question 199")
    page.evaluate(
        """() => {
          const area = document.querySelector(".chat-scroll");
          const turns = [...area.querySelectorAll(".turn")];
          area.scrollTop = turns[2].offsetTop - area.offsetTop;
          window.read = turns[2];
        }"""
    )
    until(page, "document.querySelectorAll('.turn').length > 40")
    page.wait_for_timeout(300)
    before, after = page.evaluate(
        """async () => {
          const top = () => Math.round(window.read.getBoundingClientRect().top);
          const first = top();
          await new Promise((resolve) => setTimeout(resolve, 300));
          return [first, top()];
        }"""
    )
    area_top = page.locator(".chat-scroll").bounding_box()["y"]  # type: ignore[index]
    assert abs(before - area_top) < 40 and abs(after - before) <= 1


def test_two_hundred_tokens_a_second(page: Page) -> None:
    expect(page.locator(".first-question")).to_have_count(4)
    page.evaluate(WATCH_TASKS)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})  # processor time, whatever else runs

    def task_seconds() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    before = task_seconds()
    seconds, drawn = page.evaluate(
        """async (text) => {
          const base = document.querySelector("script[type=module]").src.replace(/shell.shell.js$/, "");
          const { AnswerView } = await import(base + "chat/answer.js");
          const answer = new AnswerView();
          document.querySelector(".turns").append(answer.element);
          document.querySelector("etabli-chat").classList.remove("empty-chat");
          answer.begin();
          answer.event({ type: "response.output_item.added", item: { type: "file_search_call" } });
          const tokens = text.match(/[^]{1,4}/g);
          const began = performance.now();
          for (let sent = 0; sent < tokens.length; ) {
            await new Promise((resolve) => setTimeout(resolve, 5));
            const due = Math.min(tokens.length, Math.floor((performance.now() - began) / 5));
            for (; sent < due; sent += 1) answer.event({ type: "response.output_text.delta", delta: tokens[sent] });
          }
          const passed = (performance.now() - began) / 1000;
          answer.show({ output_text: text, annotations: [], status: "completed" });
          return [passed, answer.element.querySelector(".markdown").textContent.length];
        }""",
        "\n\n".join(
            [ANSWER.replace("{n}", str(n)) for n in range(14)] + ["```python\n" + "x = 1\n" * 200 + "```"]
        ),
    )
    busy = (task_seconds() - before) / seconds
    longest = page.evaluate("window.longest")
    print(f"\n200 tokens/s for {seconds:.1f} s: main thread {busy:.0%} busy, longest task {longest:.0f} ms")
    assert drawn > 1000

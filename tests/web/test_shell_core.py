"""The core modules in a real browser: text stays text, streams survive a lost connection, messages and dialogs."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from etabli.server.web.static_files import static_tree

pytestmark = pytest.mark.browser


@pytest.fixture
def core(page: Page) -> Callable[..., Any]:
    """Runs the body of an async function that is given core modules by name."""

    def run(body: str, *modules: str, arg: Any = None) -> Any:
        imports = ", ".join(f"import('{static_tree().url(f'js/core/{name}.js')}')" for name in modules)
        names = ", ".join(modules)
        return page.evaluate(
            f"async (arg) => {{ const [{names}] = await Promise.all([{imports}]); {body} }}", arg
        )

    return run


@pytest.mark.parametrize("tag", ["script", "STYLE", "iframe", "object", "embed", "base", "link", "meta"])
def test_what_could_run_is_not_made(core: Callable[..., Any], tag: str) -> None:
    assert core("try { dom.h(arg) } catch (error) { return error.name }", "dom", arg=tag) == "TypeError"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "http://[",
    ],
)
def test_addresses_that_run_something_are_left_out(core: Callable[..., Any], address: str) -> None:
    assert core("return dom.h('a', {href: arg}).hasAttribute('href')", "dom", arg=address) is False
    assert core("return dom.h('img', {SRC: arg}).hasAttribute('src')", "dom", arg=address) is False


def test_text_stays_text(core: Callable[..., Any]) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    made = core("return dom.h('p', {title: arg}, arg, [arg, null, false, 0]).outerHTML", "dom", arg=nasty)
    assert made.count("&lt;img src=x onerror=alert(1)&gt;") == 3 and made.endswith("0</p>")
    for attribute in ("onclick", "onerror"):
        body = f"try {{ dom.h('img', {{{attribute}: 'alert(1)'}}) }} catch (error) {{ return error.name }}"
        assert core(body, "dom") == "TypeError"


def test_events_are_read_however_they_are_cut(core: Callable[..., Any]) -> None:
    text = ': hello\n\ndata: {"a":"é"}\n\nevent: x\r\ndata: one\r\ndata:two\r\n\r\ndata: [DONE]\n\ndata: lost'
    body = """
      const bytes = new TextEncoder().encode(arg.text);
      const body = new ReadableStream({start(stream) {
        for (let at = 0; at < bytes.length; at += arg.size) stream.enqueue(bytes.slice(at, at + arg.size));
        stream.close();
      }});
      const found = [];
      for await (const data of sse.readEvents(body)) found.push(data);
      return found;"""
    for size in (1, 2, 3, 7, 1000):
        found = core(body, "sse", arg={"text": text, "size": size})
        assert found == ['{"a":"é"}', "one\ntwo", "[DONE]"], size


def events(*values: dict[str, Any], done: bool) -> str:
    lines = [f"data: {json.dumps(value)}\n\n" for value in values]
    return "".join(lines) + ("data: [DONE]\n\n" if done else "")


def delta(number: int) -> dict[str, Any]:
    return {"type": "response.output_text.delta", "sequence_number": number, "delta": str(number)}


CREATED = {"type": "response.created", "sequence_number": 0, "response": {"id": "resp_1"}}
COMPLETED = {"type": "response.completed", "sequence_number": 5, "response": {"id": "resp_1"}}
READ = """
  const seen = [];
  const options = {onInterrupted: () => seen.push("lost"), onResumed: () => seen.push("back")};
  try {
    for await (const event of responses.streamResponse({input: "?"}, options)) seen.push(event.sequence_number);
  } catch (error) { seen.push(error.code ?? error.name) }
  return seen;"""


def test_a_lost_stream_is_taken_up_where_it_was(page: Page, core: Callable[..., Any]) -> None:
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.method + route.request.url.partition("/v1")[2])
        parts = [
            events(CREATED, delta(1), delta(2), done=False),
            events(delta(2), delta(3), done=False),
            events(delta(4), COMPLETED, done=True),
        ]
        body = parts[len(asked) - 1]
        route.fulfill(status=200, content_type="text/event-stream", body=body)

    page.route("**/v1/responses**", answer)
    assert core(READ, "responses") == [0, 1, 2, "lost", "back", 3, "lost", "back", 4, 5]
    assert asked == [
        "POST/responses",
        "GET/responses/resp_1?stream=true&starting_after=2",
        "GET/responses/resp_1?stream=true&starting_after=3",
    ]


def test_a_question_is_never_asked_twice(page: Page, core: Callable[..., Any], watch: Any) -> None:
    watch.allowed.append("ERR_")
    asked: list[str] = []

    def lose(route: Route) -> None:
        asked.append(route.request.url)
        route.abort("connectionreset")

    page.route("**/v1/responses**", lose)
    assert core(READ, "responses") == ["connection_lost"]
    assert len(asked) == 1


def test_a_refusal_is_not_tried_again(page: Page, core: Callable[..., Any], watch: Any) -> None:
    watch.allowed.append("400")
    body = json.dumps({"error": {"message": "No.", "type": "x", "param": "input", "code": "invalid_request"}})
    page.route("**/v1/responses", lambda route: route.fulfill(status=400, body=body))
    assert core(READ, "responses") == ["invalid_request"]


def test_errors_are_for_people(page: Page, core: Callable[..., Any], watch: Any) -> None:
    watch.allowed += ["404", "ERR_", "502"]
    body = "try { await api.api.get(arg) } catch (e) { return [e.status, e.code, e.message, e.passing] }"
    status, code, message, passing = core(body, "api", arg="/v1/etabli/nothing")
    assert (status, code, passing) == (404, "not_found", False) and message
    page.route("**/v1/gone", lambda route: route.abort())
    assert core(body, "api", arg="/v1/gone")[0::3] == [0, True]
    page.route("**/v1/proxy", lambda route: route.fulfill(status=502, body="<html>"))
    assert core(body, "api", arg="/v1/proxy") == [502, None, "The server answered with error 502.", True]


def test_numbers_and_dates_are_written_as_in_france(open_page: Callable[..., Page]) -> None:
    page = open_page(language="fr")
    found = page.evaluate(
        """async (url) => {
          const i18n = await import(url);
          const results = (n) => i18n.plural(n, "{count} result", "{count} results");
          return [
            i18n.formatNumber(1234567.5), i18n.formatBytes(1117320768), i18n.formatBytes(999999),
            i18n.formatPercent(0.5), results(0), results(2), i18n.formatDate("2001-02-03T12:00:00Z", "date"),
            i18n.formatDuration(83000), i18n.fold("Épée À"), i18n.t("Nothing {x}", {x: "$&"}),
          ];
        }""",
        static_tree().url("js/core/i18n.js"),
    )
    assert found == [
        "1\u202f234\u202f567,5",
        "1,1\u00a0Go",
        "1\u00a0Mo",
        "50\u00a0%",
        "0 résultat",
        "2 résultats",
        "3 février 2001",
        "1\u00a0min 23\u00a0s",
        "epee a",
        "Nothing $&",
    ]


def test_a_message_can_be_undone_by_keyboard(page: Page, core: Callable[..., Any]) -> None:
    core(
        "window.undone = 0; toast.toast('Deleted.', {action: 'Undo', onAction: () => window.undone++})",
        "toast",
    )
    expect(page.locator("#live")).to_contain_text("Deleted. Undo: press F6.")
    page.keyboard.press("F6")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("window.undone") == 1
    expect(page.get_by_text("Deleted.", exact=True)).to_have_count(0)


def test_a_message_lies_over_a_dialog(page: Page, core: Callable[..., Any]) -> None:
    core("dialog.openDialog({title: 'Open', body: 'x'}); toast.toast('Hello')", "dialog", "toast")
    expect(page.locator(".toast")).to_have_text("Hello")
    box = page.locator(".toast").bounding_box()
    assert box is not None
    expect(page.locator("dialog [data-live]")).to_have_text("Hello")
    top = "([x, y]) => document.elementFromPoint(x, y).closest('.toast, dialog')?.className"
    assert "toast" in page.evaluate(top, [box["x"] + 20, box["y"] + box["height"] / 2])
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".toast")).to_be_visible()


def test_questions_are_answered_by_keyboard(page: Page, core: Callable[..., Any]) -> None:
    page.get_by_role("button", name="Settings").focus()
    core(
        "window.sure = dialog.confirmDialog({title: 'Sure?', text: 'x', confirm: 'Delete', danger: true}); return 0",
        "dialog",
    )
    expect(page.get_by_role("alertdialog", name="Sure?")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("window.sure") is False
    expect(page.get_by_role("button", name="Settings")).to_be_focused()
    core(
        "window.text = dialog.promptDialog({title: 'Name', label: 'Name', value: 'a', confirm: 'Save'}); return 0",
        "dialog",
    )
    field = page.get_by_role("textbox", name="Name")
    expect(field).to_be_focused()
    field.fill("  ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Write something first.")).to_be_visible()
    field.fill(" b ")
    page.keyboard.press("Enter")
    assert page.evaluate("window.text") == "b"

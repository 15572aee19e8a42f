"""Nothing that a model writes or a document holds is run, loaded or sent: tried in Chromium, without the policy.

The page has no Content-Security-Policy, so that what is proven is the code that draws, not the browser's second lock.
Every text is drawn whole and, split into pieces as a stream comes, at every step of the way.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page
from running_server import RunningServer
from starlette.responses import HTMLResponse
from tests.web.injection_payloads import ELSEWHERE, payloads

from etabli.server.web.static_files import static_router, static_tree

pytestmark = pytest.mark.browser

LEAST = 300
TEXTS = payloads()

AUDIT = """
  const allowedTags = new Set(("DIV P SPAN STRONG EM DEL CODE BR BUTTON UL OL LI BLOCKQUOTE HR TABLE THEAD TBODY TR"
    + " TH TD H1 H2 H3 H4 H5 H6 PRE FIGURE FIGCAPTION INPUT SUP SUB I svg use SECTION ARTICLE PROGRESS HEADER"
    + " TEXTAREA FORM DL DT DD DETAILS SUMMARY").split(" "));
  const allowedNames = new Set(("class id dir title type start scope role tabindex disabled checked hidden value max"
    + " aria-label aria-hidden aria-labelledby aria-expanded aria-controls aria-busy aria-pressed aria-describedby"
    + " data-number data-status data-address data-language data-coloured data-tip focusable href style"
    + " popover").split(" "));
  window.audit = (root) => {
    const found = [];
    for (const element of root.querySelectorAll("*")) {
      if (!allowedTags.has(element.tagName)) found.push("element " + element.tagName);
      for (const { name, value } of element.attributes) {
        if (!allowedNames.has(name)) found.push("attribute " + name + "=" + value);
        const icon = element.tagName === "use" && value.startsWith("/static/");
        if (name === "href" && !icon) found.push("href " + value);
        if (name === "style" && !/^(--[a-z]+: ?[\\w.()-]+;? ?)+$/.test(value)) found.push("style " + value);
        if (name === "data-address" && !/^(https?:|mailto:)/.test(value)) found.push("address " + value);
        if (name === "type" && !["button", "checkbox", "submit"].includes(value)) found.push("type " + value);
      }
    }
    return found;
  };
"""


class Trap:
    """A page that draws, and everything it did that it should not."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("request", lambda one: one.url.startswith(url) or self.faults.append(f"request {one.url}"))
        page.on("popup", lambda one: self.faults.append(f"window {one.url}"))
        page.on("dialog", lambda one: (self.faults.append(f"dialog {one.message}"), one.dismiss()))
        page.on("framenavigated", lambda one: self.faults.append(f"navigation {one.url}"))
        page.on("pageerror", lambda one: self.faults.append(f"error {one}"))

    def run(self, script: str, value: Any = None) -> Any:
        return self.page.evaluate(f"async (given) => {{ {AUDIT} {script} }}", value)

    def check(self) -> None:
        assert self.page.evaluate("window.__ran || 0") == 0
        assert not self.faults, "\n".join(self.faults[:20])


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    app = FastAPI()
    app.include_router(static_router(static_tree()))

    @app.get("/")
    async def blank() -> HTMLResponse:
        data = '<script type="application/json" id="page-data">{"language": "en", "messages": {}}</script>'
        live = '<div id="live"></div><div id="live-urgent"></div><aside id="panel" hidden></aside>'
        return HTMLResponse(f"<!doctype html><title>t</title>{data}<body>{live}</body>")

    running = RunningServer(app)
    yield running
    running.close()


@pytest.fixture
def trap(chromium: Browser, server: RunningServer) -> Iterator[Trap]:
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(server.url)
    page.evaluate("(base) => { window.base = base }", f"/static/{static_tree().hash}/js")
    trap = Trap(page, server.url)
    yield trap
    context.close()


def test_enough_is_tried() -> None:
    print(f"\n{len(TEXTS)} payloads")
    assert len(TEXTS) >= LEAST


def test_whole_texts(trap: Trap) -> None:
    found = trap.run(
        """
        const { MarkdownView } = await import(base + "/markdown/view.js");
        const { listen } = await import(base + "/markdown/links.js");
        listen(document.body);
        const faults = [];
        for (const text of given) {
          const view = new MarkdownView({ citations: true });
          document.body.append(view.element);
          view.set(text);
          faults.push(...audit(view.element).map((fault) => fault + " ← " + text.slice(0, 200)));
        }
        await new Promise((resolve) => setTimeout(resolve, 1500)); // colours, and whatever was set off
        faults.push(...audit(document.body).filter((fault) => !fault.includes("SCRIPT") && !fault.includes("ASIDE")));
        return faults;
        """,
        TEXTS,
    )
    assert not found, "\n".join(found[:20])
    trap.check()
    print(f"\n{len(TEXTS)} payloads drawn whole: 0 executed, 0 requests to elsewhere")


@pytest.mark.parametrize("size", [3, 11])
def test_texts_in_pieces(trap: Trap, size: int) -> None:
    found = trap.run(
        """
        const { MarkdownView } = await import(base + "/markdown/view.js");
        const faults = [];
        const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
        const views = given.texts.map((text) => [text, new MarkdownView({ citations: true })]);
        for (const [, view] of views) document.body.append(view.element);
        const longest = 300;
        for (let from = 0; from < longest; from += given.size) {
          for (const [text, view] of views) {
            const piece = text.slice(from, from + given.size >= longest ? undefined : from + given.size);
            if (piece) view.append(piece);
          }
          await frame();
          for (const [text, view] of views) {
            faults.push(...audit(view.element).map((fault) => fault + " ← " + text.slice(0, 200)));
          }
          if (faults.length) return faults;
        }
        for (const [text, view] of views) {
          view.finish();
          const whole = new MarkdownView({ citations: true });
          whole.set(text);
          await null;
          if (whole.element.textContent !== view.element.textContent) {
            faults.push("drawn otherwise: " + text.slice(0, 200));
          }
        }
        await new Promise((resolve) => setTimeout(resolve, 500));
        return faults;
        """,
        {"texts": TEXTS, "size": size},
    )
    assert not found, "\n".join(found[:20])
    trap.check()
    print(f"\n{len(TEXTS)} payloads in pieces of {size}: 0 executed, 0 requests to elsewhere")


def test_links_ask_first(trap: Trap) -> None:
    """A click opens nothing but a question that shows the whole address."""
    asked = trap.run(
        """
        const { MarkdownView } = await import(base + "/markdown/view.js");
        const { listen } = await import(base + "/markdown/links.js");
        listen(document.body);
        const asked = [];
        for (const text of given) {
          const view = new MarkdownView({ citations: true });
          document.body.append(view.element);
          view.set(text);
          for (const link of view.element.querySelectorAll(".link")) {
            link.click();
            link.dispatchEvent(new MouseEvent("auxclick", { button: 1, bubbles: true }));
            const dialog = document.querySelector("dialog[open]");
            asked.push([link.dataset.address, dialog?.querySelector(".whole-address")?.textContent ?? null]);
            dialog?.close();
          }
          for (const other of view.element.querySelectorAll("*:not(.link, .copy-code)")) {
            if (!other.closest(".link") && !other.closest(".copy-code")) other.click?.();
          }
          view.element.remove();
        }
        return asked;
        """,
        TEXTS,
    )
    assert len(asked) > 50
    for address, shown in asked:
        assert shown == address
        assert address.startswith(("https://", "http://", "mailto:")) and address.isascii()
    assert any(ELSEWHERE in address for address, _ in asked)
    trap.check()


def test_what_stands_around_an_answer(trap: Trap) -> None:
    """Questions, names of documents, quotes, reasons, errors, traces."""
    found = trap.run(
        """
        const { TurnView } = await import(base + "/chat/turn.js");
        const faults = [];
        for (const text of given) {
          const source = {
            number: 1, status: text, document_id: 1, version_id: 1, page: text, quote: text, reason: text,
          };
          const annotation = {
            type: "url_citation", start_index: 0, end_index: 5, title: text, url: text, etabli: source,
          };
          const view = new TurnView(
            {
              response_id: "resp_1", siblings: ["resp_1", text], created_at: text, completed_at: text,
              status: "completed", assistant: text, model: text, input_text: text, output_text: "x [1] " + text,
              abstained: false, error: null, attachments: [{ document_id: 1, name: text }],
              feedback: { rating: "down", reason: text, comment: text }, annotations: [annotation],
            },
            {},
          );
          document.body.append(view.element);
          view.element.querySelector(".cite")?.dispatchEvent(
            new PointerEvent("pointerover", { bubbles: true, pointerType: "mouse" }));
          let card = null;
          const cited = view.element.querySelector(".cite") !== null;
          for (let tries = 0; cited && card === null && tries < 100; tries += 1) {
            await new Promise((resolve) => setTimeout(resolve, 50));
            card = document.querySelector(".cite-card");
          }
          if (cited && !card) faults.push("no card");
          faults.push(...audit(view.element).map((fault) => fault + " ← " + text.slice(0, 200)));
          faults.push(...audit(card ?? view.element));
          view.turn = { ...view.turn, status: "failed", error: { message: text } };
          view.answer.show(view.turn);
          view.answer.notice(text);
          view.answer.event({ type: "response.etabli.stage", stage: "reading", detail: { documents: [text, text] } });
          view.answer.event({ type: "response.etabli.stage", stage: "searching", detail: { question: text } });
          faults.push(...audit(view.element));
          view.element.remove();
          card?.remove();
        }
        return faults;
        """,
        TEXTS[::6],
    )
    assert not found, "\n".join(found[:20])
    trap.check()


def test_traces(trap: Trap) -> None:
    """“How this answer was made” shows what was sent to the model, whatever it was."""
    texts = TEXTS[::8]
    trap.page.route(
        "**/v1/etabli/responses/**",
        lambda route: route.fulfill(
            json={
                "question": texts[int(route.request.url.split("/")[-2])],
                "rewritten": True,
                "search": {"probability": 0.5},
                "passages": [
                    {"document": text, "title": text, "page": text, "score": 1} for text in texts[:5]
                ],
                "messages": [{"role": "user", "content": text} for text in texts],
                "times_ms": {"total": 5, "searching": 2},
                "usage": {"input_tokens": 1, "output_tokens": 1},
                "energy": {"joules": 5, "method": "x", "explanation": texts[3]},
                "model": texts[4],
                "assistant": texts[5],
            }
        ),
    )
    found = trap.run(
        """
        const { showTrace } = await import(base + "/chat/trace.js");
        const faults = [];
        for (let place = 0; place < given; place += 1) {
          await showTrace(String(place));
          faults.push(...audit(document.querySelector(".trace")));
        }
        return faults;
        """,
        len(texts),
    )
    assert not found, "\n".join(found[:20])
    trap.check()

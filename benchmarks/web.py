"""How quick is the web chat, in Chromium: first load, an answer that streams, a long conversation, many of them?

    python benchmarks/web.py
    python benchmarks/web.py --json
    python benchmarks/web.py --lighthouse        # needs npx; scores of accessibility and best practices too

The server is the product's, over a scratch database, with an engine that says scripted words at a set pace. A pause
is the longest time between two frames while something is done; busy is the share of that time that the page's main
thread worked. Beside the streamed answer stands the same stream read by a page that shows nothing, and the words a
second that a plain client receives over each way of the server (`web_paths.py`).
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page
from rich.console import Console
from rich.table import Table
from web_paths import paths, story
from web_site import WebSite, chromium, chromium_path, fill, web_site

WORDS_PER_S = 200
_SENTENCES = 95
_FRAMES = """() => {
    window.frames_ = { last: performance.now(), longest: 0 };
    const tick = () => {
        const now = performance.now();
        window.frames_.longest = Math.max(window.frames_.longest, now - window.frames_.last);
        window.frames_.last = now;
        requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
}"""
_DRAIN = """async (body) => {
    const answer = await fetch("/v1/responses", {
        method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(body),
    });
    const reader = answer.body.getReader();
    while (!(await reader.read()).done);
}"""


class Watched:
    """A page whose frames and main thread are watched while something is done."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("Performance.enable")
        page.evaluate(_FRAMES)
        page.wait_for_timeout(300)

    def during(self, work: Callable[[], None]) -> dict[str, float]:
        """Do something; gives the longest pause between frames in ms, and how busy the main thread was in percent."""
        self._page.evaluate("() => { window.frames_.longest = 0; window.frames_.last = performance.now(); }")
        before = self._metrics()
        work()
        after = self._metrics()
        passed = after["Timestamp"] - before["Timestamp"]
        return {
            "pause ms": round(self._page.evaluate("() => window.frames_.longest"), 1),
            "busy %": round(100 * (after["TaskDuration"] - before["TaskDuration"]) / passed, 1),
            "seconds": round(passed, 2),
        }

    def _metrics(self) -> dict[str, float]:
        found = self._session.send("Performance.getMetrics")["metrics"]
        return {one["name"]: one["value"] for one in found}


def first_load(browser: Browser, site: WebSite) -> dict[str, Any]:
    """The chat in a fresh profile: when a question can be typed, and what was sent over the wire."""
    runs = []
    for _ in range(5):
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.goto(site.link("/models"))  # signs in; another page, and its cache is emptied
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.clearBrowserCache")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        sent: list[int] = []
        session.on(
            "Network.loadingFinished", lambda event, sent=sent: sent.append(event["encodedDataLength"])
        )
        page.goto(site.url + "/")
        page.wait_for_selector("textarea:not([disabled])")
        ready = page.evaluate("() => performance.now()")
        page.wait_for_load_state("networkidle")
        timing = page.evaluate(
            "() => { const one = performance.getEntriesByType('navigation')[0];"
            " const paint = performance.getEntriesByName('first-contentful-paint')[0];"
            " return {dom: one.domInteractive, paint: paint ? paint.startTime : null}; }"
        )
        runs.append((ready, sum(sent), len(sent), timing["paint"]))
        context.close()
    ready, sent_bytes, requests, paint = sorted(runs)[len(runs) // 2]
    return {
        "ready for typing, ms (median of 5)": round(ready),
        "first paint, ms": None if paint is None else round(paint),
        "kB over the wire": round(sent_bytes / 1000, 1),
        "requests": requests,
    }


def streaming(browser: Browser, site: WebSite) -> dict[str, Any]:
    """An answer of 2,000 words at 200 a second: shown, the same only read by a page, and read by a plain client."""
    text = story(_SENTENCES)
    site.engine.replies = [text]
    site.engine.words_per_s = WORDS_PER_S
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(site.link("/"))
    page.wait_for_selector("textarea:not([disabled])")
    watched = Watched(page)
    began = 0.0

    def ask() -> None:
        nonlocal began
        page.fill("textarea", "Racontez.")
        page.keyboard.press("Enter")
        page.wait_for_selector(".answer[aria-busy] p")
        began = time.perf_counter()
        page.wait_for_selector(".answer:not([aria-busy])", timeout=120_000)

    def drain() -> None:
        body = {"model": "essai", "input": "Racontez.", "stream": True, "store": False}
        page.evaluate(_DRAIN, body)

    shown = watched.during(ask)
    writing_s = time.perf_counter() - began
    if page.locator(".answer p", has_text="voyez la liste").count() < _SENTENCES:
        raise SystemExit("the page does not show the whole answer")
    page.close()
    site.engine.replies = [text]
    page = browser.new_page()
    page.goto(site.link("/"))
    page.wait_for_selector("textarea:not([disabled])")
    read = Watched(page).during(drain)
    page.close()
    words = len(text.split(" "))
    return {
        **shown,
        "words a second": round(words / writing_s, 1),
        "words a second, only read": round(words / read["seconds"], 1),
        "busy %, only read": read["busy %"],
        **paths(site, words=2_000, words_per_s=WORDS_PER_S),
    }


def long_conversation(browser: Browser, site: WebSite, key: str) -> dict[str, Any]:
    """5,000 questions with their answers: opening, then scrolling up through them."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(site.link(f"/c/{key}"))
    page.wait_for_selector(".turn")
    opened = page.evaluate("() => performance.now()")
    watched = Watched(page)

    def scroll() -> None:
        page.mouse.move(640, 400)
        for _ in range(250):
            page.mouse.wheel(0, -1200)
            page.wait_for_timeout(16)

    found = watched.during(scroll)
    turns = page.evaluate("() => document.querySelectorAll('.turn').length")
    page.close()
    return {"opened, ms": round(opened), **found, "turns in the page": turns}


def many_conversations(browser: Browser, site: WebSite) -> dict[str, Any]:
    """2,000 conversations in the list: scrolling it, then searching it."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(site.link("/"))
    page.wait_for_selector("etabli-sidebar a")
    watched = Watched(page)

    def scroll() -> None:
        page.mouse.move(100, 500)
        for _ in range(200):
            page.mouse.wheel(0, 900)
            page.wait_for_timeout(16)

    def search() -> None:
        page.locator("etabli-sidebar input").first.click()
        page.keyboard.type("mot1234", delay=60)
        page.wait_for_timeout(1500)

    scrolled, searched = watched.during(scroll), watched.during(search)
    page.close()
    return {
        "scrolling: pause ms": scrolled["pause ms"],
        "scrolling: busy %": scrolled["busy %"],
        "searching: pause ms": searched["pause ms"],
        "searching: busy %": searched["busy %"],
    }


def lighthouse(browser: Browser, site: WebSite) -> dict[str, Any]:
    """Lighthouse's scores of the chat, signed in."""
    page = browser.new_page()
    page.goto(site.link("/"))
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
    page.close()
    with tempfile.TemporaryDirectory() as folder:
        headers = Path(folder) / "headers.json"
        headers.write_text(json.dumps({"Cookie": cookies}))
        command = [
            "npx", "--yes", "lighthouse@13", site.url + "/", "--quiet", "--output=json", "--preset=desktop",
            "--only-categories=accessibility,best-practices", f"--extra-headers={headers}",
            f"--output-path={folder}/report.json", "--chrome-flags=--headless=new --no-sandbox",
        ]  # fmt: skip
        subprocess.run(command, check=True, env=_environment(), timeout=600)
        report = json.loads((Path(folder) / "report.json").read_text())
    failed = [
        audit["id"]
        for audit in report["audits"].values()
        if audit["score"] is not None and audit["score"] < 1
    ]
    scores = {name: round(100 * one["score"]) for name, one in report["categories"].items()}
    return {**scores, "audits below 1": ", ".join(failed) or "none"}


def _environment() -> dict[str, str]:
    return {**os.environ, "CHROME_PATH": chromium_path()}


TARGETS = {
    "first load": "≤ 1 s, ≤ 200 kB",
    "streaming at 200 words a second": "no pause > 100 ms, busy ≤ 50 %, ≥ 190 words a second",
    "conversation of 10,000 messages": "no pause > 100 ms",
    "2,000 conversations": "no pause > 100 ms",
    "lighthouse": "100 / ≥ 95",
}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lighthouse", action="store_true", help="run Lighthouse too, by npx")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    report: dict[str, dict[str, Any]] = {}
    with web_site() as site, chromium() as browser:
        report["first load"] = first_load(browser, site)
        report["streaming at 200 words a second"] = streaming(browser, site)
        key = fill(site.workspace.database, conversations=2_000, turns=5_000)
        report["conversation of 10,000 messages"] = long_conversation(browser, site, key)
        report["2,000 conversations"] = many_conversations(browser, site)
        if options.lighthouse:
            report["lighthouse"] = lighthouse(browser, site)
    if options.json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
        return
    table = Table("what", "measure", "value", "target", title="The web chat in Chromium")
    for what, measures in report.items():
        for number, (name, value) in enumerate(measures.items()):
            table.add_row(what if not number else "", name, str(value), TARGETS[what] if not number else "")
        table.add_section()
    Console().print(table)


if __name__ == "__main__":
    main()

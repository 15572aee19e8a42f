"""The web chat and Open WebUI's, both already running on this machine, in one Chromium: first load and accessibility.

    python benchmarks/peer_web.py http://127.0.0.1:8420 http://127.0.0.1:8700 --link "$(etabli sign-in)"
    python benchmarks/peer_web.py … --folders .venv PEER_ENVIRONMENT    # what the installations take on disk, too

The peer is installed from PyPI into an environment of its own (about 7 GB) and asks our server:

    python3.11 -m venv peer && peer/bin/pip install open-webui==0.12.4
    DATA_DIR=$PWD/peer-data WEBUI_AUTH=False OFFLINE_MODE=True HF_HUB_OFFLINE=1 ANONYMIZED_TELEMETRY=False \\
    ENABLE_OLLAMA_API=False OPENAI_API_BASE_URL=http://127.0.0.1:8420/v1 OPENAI_API_KEY=… \\
        peer/bin/open-webui serve --host 127.0.0.1 --port 8700

Both are loaded in turns, each time in a fresh profile with an empty cache, as `web.py` does: until the field for a
question is there, and all that was sent until nothing more came for two seconds. Both are signed in before. The news
that the peer opens over the chat are counted neither in the time nor by axe-core. `--link` is a sign-in address of
ours, good for once. How long a server takes to be ready is timed by hand, from the command to `/health` answering.
"""

import argparse
import json
import os
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, ViewportSize
from rich.console import Console
from rich.table import Table
from web_site import chromium

VIEWPORT: ViewportSize = {"width": 1280, "height": 800}
LOADS = 5
OURS, PEER = "Établi", "Open WebUI"


@dataclass(frozen=True)
class Site:
    """One of the two.

    Args:
        name: what it is called in the table.
        url: its address, without path.
        field: selector of the field where a question is typed.
        cookies: what signs a fresh profile in, as Chromium keeps it.
        storage: what the page keeps for a person who has been there: name to value.
    """

    name: str
    url: str
    field: str
    cookies: tuple[dict[str, Any], ...] = ()
    storage: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Load:
    """A cold load. Bytes are those on the wire, headers included; `outside` are the hosts that were asked."""

    ready_ms: float
    paint_ms: float
    sent_bytes: int
    requests: int
    outside: frozenset[str]


def signed_in(browser: Browser, url: str, link: str) -> Site:
    """Ours, with the cookies that the sign-in address gives.

    Raises:
        SystemExit: the address was used before, or is too old.
    """
    context = browser.new_context()
    page = context.new_page()
    page.goto(link)
    if "/sign-in" in page.url:
        raise SystemExit("The sign-in address is no longer good. Make a new one with: etabli sign-in")
    cookies = tuple(dict(one) for one in context.cookies())
    context.close()
    return Site(OURS, url, "textarea:not([disabled])", cookies)


def known(browser: Browser, url: str) -> Site:
    """The peer, with what its page keeps once its user was there: the token, and that the news were seen."""
    context = browser.new_context(viewport=VIEWPORT)
    page = context.new_page()
    page.goto(url + "/")
    page.wait_for_selector("#chat-input", timeout=120_000)
    kept = page.evaluate("() => Object.entries(localStorage)")
    cookies = tuple(dict(one) for one in context.cookies())
    context.close()
    return Site(PEER, url, "#chat-input", cookies, tuple((name, value) for name, value in kept))


def profile(browser: Browser, site: Site) -> BrowserContext:
    """A fresh profile that is signed in and has nothing of the site in its cache."""
    context = browser.new_context(viewport=VIEWPORT)
    context.add_cookies([*site.cookies])  # type: ignore[list-item]
    for name, value in site.storage:
        context.add_init_script(f"localStorage.setItem({json.dumps(name)}, {json.dumps(value)})")
    return context


def load(browser: Browser, site: Site) -> Load:
    """Open the chat once, cold."""
    context = profile(browser, site)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sent: list[int] = []
    asked: list[Request] = []
    session.on("Network.loadingFinished", lambda event: sent.append(event["encodedDataLength"]))
    page.on("request", lambda request: asked.append(request))
    page.goto(site.url + "/")
    page.wait_for_selector(site.field, timeout=120_000)
    ready = page.evaluate("() => performance.now()")
    page.wait_for_timeout(
        3_000
    )  # the peer keeps a socket open: its network never rests by the browser's measure
    paint = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1")
    found = Load(ready, paint, sum(sent), len(asked), outside(site, asked))
    context.close()
    return found


def rest(page: Page, sent: list[int]) -> None:
    """Wait until nothing more came for two seconds; thirty at most."""
    for _ in range(15):
        before = len(sent)
        page.wait_for_timeout(2_000)
        if len(sent) == before:
            return


def outside(site: Site, asked: list[Request]) -> frozenset[str]:
    """Hosts other than the site's own."""
    hosts = {urlsplit(one.url).netloc for one in asked if one.url.startswith(("http", "ws"))}
    return frozenset(hosts - {urlsplit(site.url).netloc})


def violations(browser: Browser, site: Site) -> dict[str, int]:
    """What axe-core finds on the empty chat page: rule to number of elements."""
    context = profile(browser, site)
    page = context.new_page()
    page.goto(site.url + "/")
    page.wait_for_selector(site.field, timeout=120_000)
    page.wait_for_timeout(3_000)
    close_news(page)
    found = Axe().run(page).response["violations"]
    context.close()
    return {one["id"]: len(one["nodes"]) for one in found}


def close_news(page: Page) -> None:
    """The peer opens its news over the chat after each update."""
    dialog = page.locator("[role=dialog]")
    if dialog.count():
        dialog.get_by_role("button").last.click()
        page.wait_for_timeout(1_000)


def disk_bytes(folder: Path) -> int:
    """What the files under a folder take, each once."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for path in folder.rglob("*"):
        state = path.lstat()
        if (state.st_dev, state.st_ino) not in seen:
            seen.add((state.st_dev, state.st_ino))
            total += state.st_blocks * 512
    return total


def figures(loads: list[Load], found: dict[str, int]) -> dict[str, Any]:
    """The table's column of one of the two; medians."""
    paints = [one.paint_ms for one in loads]
    return {
        "ready for typing, ms": round(statistics.median(one.ready_ms for one in loads)),
        "first paint, ms": round(statistics.median(paints)),
        "kB over the wire": round(statistics.median(one.sent_bytes for one in loads) / 1000, 1),
        "requests": round(statistics.median(one.requests for one in loads)),
        "hosts asked elsewhere": ", ".join(sorted(frozenset().union(*(one.outside for one in loads))))
        or "none",
        "axe-core violations": len(found),
        "elements concerned": sum(found.values()),
        "rules": ", ".join(sorted(found)) or "none",
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ours", help="address of a running Établi")
    parser.add_argument("peer", help="address of a running Open WebUI")
    parser.add_argument("--link", required=True, help="a sign-in address of ours")
    parser.add_argument("--folders", nargs=2, type=Path, metavar=("OURS", "PEER"), help="the installations")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with chromium() as browser:
        sites = [
            signed_in(browser, options.ours.rstrip("/"), options.link),
            known(browser, options.peer.rstrip("/")),
        ]
        loads: dict[str, list[Load]] = {site.name: [] for site in sites}
        busy = os.getloadavg()[0]
        for number in range(LOADS):
            for site in sites if number % 2 == 0 else reversed(sites):
                loads[site.name].append(load(browser, site))
        report = {site.name: figures(loads[site.name], violations(browser, site)) for site in sites}
    for name, folder in zip((OURS, PEER), options.folders or (), strict=False):
        report[name]["installation, MB"] = round(disk_bytes(folder) / 1e6)
    if options.json:
        runs = {
            name: [{**asdict(one), "outside": sorted(one.outside)} for one in some]
            for name, some in loads.items()
        }
        print(
            json.dumps({"load average": busy, "figures": report, "runs": runs}, ensure_ascii=False, indent=1)
        )
        return
    table = Table(
        "what", OURS, PEER, title=f"Two web chats, {LOADS} cold loads each (load average {busy:.1f})"
    )
    for what in report[OURS]:
        table.add_row(what, str(report[OURS][what]), str(report[PEER][what]))
    Console().print(table)


if __name__ == "__main__":
    main()

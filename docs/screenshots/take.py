"""Pictures of every page, in both themes, from the real product with its default model.

    make screenshots                                  # starts a demo of its own, about seven minutes
    python docs/screenshots/take.py --sign-in URL     # a server that runs already: what `etabli sign-in` printed
    …take.py --sign-in URL --training ftjob-…         # and a training of it that is over, which takes long to make

Asks two questions, opens a source, examines the demo's assistants, and writes `<page>-<theme>.png` beside this file.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

HERE = Path(__file__).parent
QUESTIONS = (
    "Un malade a la grippe, combien de temps reste-t-il isolé ?",
    "Pendant un incendie, qui a le droit de couper l’arrivée d’oxygène ?",
)
LONGEST_ANSWER_MS = 180_000
LONGEST_CAMPAIGN_S = 1_200
ANSWERED_BY_GUARDS = ["T1", "S4"]
"""Families whose probes mostly reach no model: a campaign of them takes a minute."""
SHOWS_FLAWS = ["T1", "T2", "A3", "S1"]
CALL = """async ([method, path, body]) => {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(path, { method, headers, body: body === null ? undefined : JSON.stringify(body) });
  return answer.status === 204 ? null : answer.json();
}"""
PLACES = {
    "welcome": "/",
    "documents": "/documents",
    "assistants": "/assistants",
    "builder": "/assistants/clinique",
    "compare": "/assistants/clinique/compare",
    "models": "/models",
    "training": "/training",
    "training-new": "/training/new",
}
SLIPS = HERE.parents[1] / "examples" / "clinique" / "training" / "fiches-train.jsonl"
"""Examples for the picture of a training that is being prepared."""


@contextmanager
def demo() -> Iterator[str]:
    """Start the demo and give its one-time address."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "ETABLI_PORT": "0", "ETABLI_LANGUAGE": "fr", "PYTHONUNBUFFERED": "1"}
        command = [
            sys.executable,
            "-m",
            "etabli.cli.main",
            "--workspace",
            f"{folder}/demo",
            "start",
            "--demo",
        ]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if found := re.search(r"http://\S+/sign-in\?link=\S+", line):
                    yield found.group(0)
                    break
        finally:
            process.terminate()
            process.wait(60)


def take(browser: Browser, address: str, training: str | None = None) -> None:
    """All pictures; those of a training that is over only where one is named."""
    parts = urlsplit(address)
    site = f"{parts.scheme}://{parts.netloc}"
    context = _context(browser, "light")
    page = context.new_page()
    page.goto(address)
    planned = _campaign(page, {"assistant": "clinique", "tier": "standard"})  # waits for the documents
    conversation, source = _converse(page, site)
    examined = {"campaign-plan": f"/certification/campaigns/{planned}", **_examine(page)}
    trained = {"training-job": f"/training/{training}"} if training is not None else {}
    places = {**PLACES, **trained, "chat": conversation, "source": source, **examined}
    signed_in = context.storage_state()
    for theme in ("light", "dark"):
        context = _context(browser, theme, storage_state=signed_in)
        for name, path in places.items():
            page = context.new_page()
            page.goto(site + path)
            if name != "campaign-running":  # its events do not end
                page.wait_for_load_state("networkidle")
            if name == "chat":
                page.locator("button.cited-row").first.click()
            elif name == "builder-guards":
                page.locator("[data-field=contact]").evaluate("one => one.scrollIntoView()")
            elif name == "training-new":
                page.locator("input[type=file]").first.set_input_files(SLIPS)
                page.locator(".report .banner").wait_for(timeout=LONGEST_ANSWER_MS)
            page.wait_for_timeout(1500)
            _save(page, f"{name}-{theme}")
            page.close()
        narrow = {"phone": conversation, "phone-campaign": places["campaign"]}
        for name, path in {**narrow, **{f"phone-{one}": path for one, path in trained.items()}}.items():
            phone = context.new_page()
            phone.set_viewport_size({"width": 360, "height": 740})
            phone.goto(site + path)
            phone.wait_for_load_state("networkidle")
            phone.wait_for_timeout(800)
            _save(phone, f"{name}-{theme}")
            phone.close()
        context.close()
    context = _context(browser, "light")
    page = context.new_page()
    page.goto(site + "/sign-in")
    _save(page, "sign-in-light")


def _converse(page: Page, site: str) -> tuple[str, str]:
    """Ask the questions; gives the paths of the conversation and of the first source."""
    for number, question in enumerate(QUESTIONS, 1):
        page.fill("textarea", question)
        page.keyboard.press("Enter")
        page.locator(".turn .trace-button").nth(number - 1).wait_for(timeout=LONGEST_ANSWER_MS)
    conversation = page.url.removeprefix(site)
    found = page.evaluate(
        "async id => (await (await fetch(`/v1/etabli/conversations/${id}/turns`)).json()).data[0].annotations[0].url",
        conversation.rpartition("/")[2],
    )
    return conversation, str(found)


def _examine(page: Page) -> dict[str, str]:
    """Examine the demo's assistants and publish one; gives the pages of certification by their pictures' names."""
    certified = _campaign(page, {"assistant": "clinique", "tier": "standard", "families": ANSWERED_BY_GUARDS})
    _run(page, certified)
    refused = _campaign(page, {"assistant": "visiteurs", "tier": "smoke", "families": SHOWS_FLAWS})
    state = _run(page, refused)
    pages = {
        "certification": "/certification",
        "campaign": f"/certification/campaigns/{refused}",
        "builder-guards": "/assistants/clinique",
    }
    if state == "awaiting":
        pages["reading"] = f"/certification/campaigns/{refused}/reading"
    certificate = _call(page, "POST", f"/v1/etabli/campaigns/{certified}/certificate", {})
    if "id" in certificate:
        _call(page, "POST", "/v1/etabli/assistants/clinique/publish", {"certificate": certificate["id"]})
        pages["certificate"] = f"/certification/certificates/{certificate['id']}"
    report = _call(page, "POST", f"/v1/etabli/campaigns/{refused}/certificate", {})
    if "id" in report:
        pages["report"] = f"/v1/etabli/certificates/{report['id']}/report.html?lang=fr"
    running = _campaign(page, {"assistant": "clinique", "tier": "standard", "start": True})
    return {**pages, "campaign-running": f"/certification/campaigns/{running}"}


def _campaign(page: Page, body: dict[str, object]) -> str:
    """Plan a campaign as soon as the documents are read; gives its id."""
    until = time.monotonic() + LONGEST_CAMPAIGN_S
    while "id" not in (answer := _call(page, "POST", "/v1/etabli/campaigns", body)):
        if time.monotonic() > until:
            raise SystemExit(answer["error"]["message"])
        time.sleep(2)
    return str(answer["id"])


def _run(page: Page, campaign: str) -> str:
    """Run a campaign to its end; gives its state."""
    path = f"/v1/etabli/campaigns/{campaign}"
    _call(page, "POST", f"{path}/start", None)
    until = time.monotonic() + LONGEST_CAMPAIGN_S
    while (state := str(_call(page, "GET", path, None)["state"])) == "running":
        if time.monotonic() > until:
            raise SystemExit("The campaign takes too long: run it on a quiet machine.")
        time.sleep(2)
    return state


def _call(page: Page, method: str, path: str, body: object) -> dict[str, Any]:
    """Ask the server as the page would."""
    answer: dict[str, Any] = page.evaluate(CALL, [method, path, body])
    return answer


def _context(browser: Browser, theme: str, **options: object) -> BrowserContext:
    return browser.new_context(
        viewport={"width": 1360, "height": 850},
        locale="fr-FR",
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        **options,  # type: ignore[arg-type]
    )


def _save(page: Page, name: str) -> None:
    page.screenshot(path=HERE / f"{name}.png")
    print(f"{name}.png")


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sign-in", help="one-time address of a running server")
    parser.add_argument("--training", help="id of a training of that server that is over")
    options = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise SystemExit("Chromium is not on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        if options.sign_in:
            take(browser, options.sign_in, options.training)
        else:
            with demo() as address:
                take(browser, address)
        browser.close()


if __name__ == "__main__":
    main()

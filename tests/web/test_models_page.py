"""The models page over a store and a mirror of the test's own: nothing of the machine is touched."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from model_server import FileServer, Served
from playwright.sync_api import Locator, Page, expect
from running_server import RunningServer
from small_models import QUICK, digest, small_catalogue

from etabli.engines.fake import FakeEngine
from etabli.engines.fake_embedder import FakeEmbedder
from etabli.identity.accounts import OWNER_ID
from etabli.identity.sessions import Sessions
from etabli.models import background
from etabli.models.catalogue import Catalogue
from etabli.models.pull import PullOptions
from etabli.models.store import ModelStore
from etabli.server.app import create_app
from etabli.serving import services_of
from etabli.settings import Settings
from etabli.workspace import Workspace

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # a busy machine is slow, a broken page never gets there

DATA = b"GGUF" + random.Random(3).randbytes(2_000_000)
PATH = f"/{digest(DATA)}"


@dataclass
class Shelf:
    """A server with one small model to be had and one that is too large."""

    url: str
    workspace: Workspace
    mirror: FileServer

    def link(self, next: str = "/") -> str:
        token = Sessions(self.workspace.database).make_link(OWNER_ID)
        return f"{self.url}/sign-in?link={token}&next={next}"

    @property
    def store(self) -> ModelStore:
        return ModelStore(self.workspace.settings.models_dir)


@pytest.fixture
def site(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    small = small_catalogue(DATA).model_dump(mode="json")
    large = small["models"][0] | {"name": "large", "title": "Large", "sha256": None, "size_bytes": 10**13}
    catalogue = Catalogue.model_validate(small | {"models": [small["models"][0], large]})
    monkeypatch.setattr(background, "load_catalogue", lambda: catalogue)
    monkeypatch.setattr(background, "PullOptions", lambda: PullOptions(limits=QUICK))
    mirror = FileServer()
    mirror.files[PATH] = Served(DATA)
    folder = tmp_path / "workspace"
    folder.mkdir()
    settings = Settings(
        workspace=folder, database_url=database_url, models_dir=tmp_path / "models", mirror_url=mirror.url
    )
    with Workspace(settings) as workspace:
        workspace.__dict__["embedder"] = FakeEmbedder()
        server = RunningServer(create_app(services_of(workspace, engine=FakeEngine(), state=lambda: {})))
        yield Shelf(server.url, workspace, mirror)
        server.close()
    mirror.close()


def card(page: Page, title: str = "Small") -> Locator:
    return page.locator(".model-card").filter(has=page.get_by_role("heading", name=title, exact=True))


def button(page: Page, name: str) -> Locator:
    return card(page).get_by_role("button", name=re.compile(f"^{name}"))


def test_what_there_is_is_said_and_nothing_is_fetched(open_page: Any, site: Shelf) -> None:
    page = open_page("/models")
    expect(page.get_by_text("Nothing is downloaded unless you click")).to_be_visible()
    expect(card(page)).to_contain_text("Fits comfortably")
    expect(card(page)).to_contain_text(site.mirror.url)
    expect(card(page)).to_contain_text("Apache-2.0")
    expect(card(page).get_by_role("img")).to_have_attribute("aria-label", re.compile("of the memory"))
    expect(card(page, "Large")).to_be_hidden()
    page.get_by_text("1 model is too large for this machine").click()
    expect(card(page, "Large")).to_contain_text("Does not fit")
    expect(card(page, "Large").get_by_role("button")).to_have_count(0)
    assert site.mirror.asked == []


def test_fetched_verified_and_deleted(open_page: Any, site: Shelf) -> None:
    page = open_page("/models")
    button(page, "Download").click()
    expect(page.locator(".toast", has_text="Small is here, and every byte is right.")).to_be_visible()
    expect(card(page)).to_contain_text("installed")
    expect(card(page)).to_contain_text("Every byte compared on")
    assert site.store.path_of("small").read_bytes() == DATA

    button(page, "Verify").click()
    expect(page.locator(".toast", has_text="Small is sound")).to_be_visible()

    button(page, "Delete").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Cancel").click()
    assert site.store.path_of("small").exists()
    button(page, "Delete").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(button(page, "Download")).to_be_visible()
    assert [*site.store.manifests()] == []


def test_stopped_and_taken_up_again(open_page: Any, site: Shelf) -> None:
    site.mirror.files[PATH] = Served(DATA, pause_s=0.25)
    page = open_page("/models")
    button(page, "Download").click()
    expect(card(page)).to_contain_text(re.compile(r"\d\skB of 2\sMB · .* per second · .* left"))
    bar = card(page).get_by_role("progressbar")
    assert 0 < float(bar.get_attribute("value") or "0") < 1
    button(page, "Stop").click()
    expect(card(page)).to_contain_text("Stopped. What came so far is kept.")
    begun = site.mirror.sent_bytes
    assert 0 < begun < len(DATA)
    site.mirror.files[PATH] = Served(DATA)
    page.reload()
    button(page, "Go on").click()
    expect(card(page)).to_contain_text("installed")
    assert site.store.path_of("small").read_bytes() == DATA


def test_a_page_that_is_opened_in_between_follows(open_page: Any, site: Shelf) -> None:
    site.mirror.files[PATH] = Served(DATA, pause_s=0.05)
    page = open_page("/models")
    other = open_page("/models")
    button(page, "Download").click()
    other.reload()
    expect(button(other, "Stop")).to_be_visible()
    expect(card(other)).to_contain_text("installed")


def test_a_source_that_fails_is_named_with_the_ways_out(open_page: Any, site: Shelf) -> None:
    site.mirror.files.clear()
    page = open_page("/models")
    button(page, "Download").click()
    expect(card(page)).to_contain_text("It did not work")
    expect(card(page).get_by_role("listitem").filter(has_text=site.mirror.url)).to_be_visible()
    site.mirror.files[PATH] = Served(DATA)
    button(page, "Go on").click()
    expect(card(page)).to_contain_text("installed")


def test_a_damaged_file_is_found_by_verifying(open_page: Any, site: Shelf) -> None:
    page = open_page("/models")
    button(page, "Download").click()
    expect(card(page)).to_contain_text("installed")
    path = site.store.path_of("small")
    path.chmod(0o644)
    path.write_bytes(DATA[:-1] + b"?")
    button(page, "Verify").click()
    expect(card(page).locator(".transfer-error")).to_contain_text(re.compile("SHA-256|hash|damaged", re.I))


def test_all_of_it_by_keyboard(open_page: Any, site: Shelf) -> None:
    page = open_page("/models")
    expect(button(page, "Download")).to_be_visible()
    for _ in range(60):
        page.keyboard.press("Tab")
        if (page.evaluate("document.activeElement.textContent") or "").strip() == "Download":
            break
    page.keyboard.press("Enter")
    expect(card(page)).to_contain_text("installed")


@pytest.mark.parametrize(("theme", "language", "width"), [("light", "en", 1280), ("dark", "fr", 360)])
def test_the_page_is_accessible(
    open_page: Any, violations: Any, site: Shelf, theme: str, language: str, width: int
) -> None:
    site.mirror.files[PATH] = Served(DATA, pause_s=0.2)
    page = open_page("/models", theme=theme, language=language, width=width)
    page.locator(".models-large > summary").click()
    button(page, "Download|Télécharger").click()
    expect(card(page).get_by_role("progressbar")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

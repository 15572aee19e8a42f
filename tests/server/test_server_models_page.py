"""The models page's API over a real store and a real file server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from model_server import FileServer, Served
from server_parts import BEARER, KEY, make_services
from small_models import QUICK, digest, small_catalogue
from starlette.testclient import TestClient

from etabli.engines.fake import FakeEngine
from etabli.models.background import Transfers
from etabli.models.importing import import_file
from etabli.models.pull import PullOptions
from etabli.server.app import create_app
from etabli.server.auth import Authentication
from etabli.server.errors import install_error_handlers
from etabli.server.models.router import machine_models_router
from etabli.settings import Settings

BASE = "/v1/etabli/models"
DATA = b"GGUF" + bytes(range(256)) * 4000


@pytest.fixture
def server() -> Iterator[FileServer]:
    running = FileServer()
    yield running
    running.close()


class Page:
    """A server with these routes only, over a catalogue with one small model."""

    def __init__(self, tmp_path: Path, mirror: str, active: str = "other", **settings: Any) -> None:
        self.settings = Settings(
            workspace=tmp_path, models_dir=tmp_path / "models", mirror_url=mirror, model=active, **settings
        )
        self.transfers = Transfers(
            self.settings, catalogue=small_catalogue(DATA), options=PullOptions(limits=QUICK)
        )
        services = make_services(tmp_path, settings=self.settings, engine=FakeEngine(model=active))
        app = FastAPI()
        install_error_handlers(app)
        app.include_router(machine_models_router(services, self.transfers))
        app.add_middleware(Authentication, api_key=KEY)
        self.client = TestClient(app, headers=BEARER)

    def model(self, name: str = "small") -> dict[str, Any]:
        shelf = self.client.get(BASE).json()
        return next(each for each in shelf["data"] if each["name"] == name)

    def pull(self) -> None:
        assert self.client.post(f"{BASE}/small/pull").status_code == 202
        assert self.transfers.wait(30)


@pytest.fixture
def page(tmp_path: Path, server: FileServer) -> Iterator[Page]:
    one = Page(tmp_path, server.url)
    with one.client:
        yield one


def refused(response: Any, status: int) -> str:
    assert response.status_code == status, response.text
    return str(response.json()["error"]["message"])


def test_what_is_here_and_what_can_be_had(page: Page) -> None:
    shelf = page.client.get(BASE).json()
    assert shelf["active"] == "other" and shelf["memory_bytes"] > 0 and shelf["machine"]["cores"] > 0
    (one,) = shelf["data"]
    assert one["size_bytes"] == len(DATA) and not one["installed"] and one["verified_at"] is None
    assert one["can_run"]["ok"] and one["can_run"]["sentence"].startswith("Fits comfortably: needs ")
    assert one["memory_bytes"] > one["size_bytes"] and one["licence"]["words"] == "Free."
    assert one["state"] is None and one["kind"] == "chat"


def test_a_model_is_fetched_with_progress(
    page: Page, server: FileServer, wait_until: Callable[..., None]
) -> None:
    server.files[f"/{digest(DATA)}"] = Served(DATA, pause_s=0.02)
    began = page.client.post(f"{BASE}/small/pull")
    assert began.status_code == 202 and began.json()["stage"] in ("waiting", "downloading")
    seen: list[dict[str, Any]] = []

    def done() -> bool:
        one = page.model()
        if one["state"] is not None:
            seen.append(one["state"])
        return bool(one["installed"])

    wait_until(done)
    moving = [state for state in seen if state["stage"] == "downloading" and state["done_bytes"]]
    assert moving and all(state["total_bytes"] == len(DATA) for state in moving)
    assert [state["done_bytes"] for state in moving] == sorted(state["done_bytes"] for state in moving)
    assert any(state["bytes_per_s"] > 0 for state in moving)
    page.transfers.wait(30)
    one = page.model()
    assert one["state"] is None and one["verified_at"] and one["sha256"] == digest(DATA)
    page.pull()
    assert page.model()["installed"], "fetching what is here does no harm"


def test_one_at_a_time_cancelled_and_taken_up_again(
    page: Page, server: FileServer, wait_until: Callable[..., None]
) -> None:
    server.files[f"/{digest(DATA)}"] = Served(DATA, pause_s=0.05)
    page.client.post(f"{BASE}/small/pull")
    wait_until(lambda: (page.model()["state"] or {}).get("done_bytes", 0) > 200_000)
    assert "one model at a time" in refused(page.client.post(f"{BASE}/small/pull"), 409)
    assert "under way" in refused(page.client.delete(f"{BASE}/small"), 409)
    assert page.client.post(f"{BASE}/small/cancel").json()["stage"] in ("cancelling", "stopped")
    assert page.transfers.wait(30)
    state = page.model()["state"]
    assert state["stage"] == "stopped" and state["done_bytes"] > 0 and state["error"] is None
    assert not page.model()["installed"]
    server.files[f"/{digest(DATA)}"] = Served(DATA)
    server.reset()
    page.pull()
    assert page.model()["installed"] and page.model()["state"] is None
    assert server.sent_bytes < len(DATA) - 2 * QUICK.block_bytes, "it went on where it had stopped"


def test_cancelling_while_a_server_is_only_waited_for(page: Page, server: FileServer) -> None:
    server.files[f"/{digest(DATA)}"] = Served(DATA, statuses=[503] * 100)
    page.client.post(f"{BASE}/small/pull")
    page.client.post(f"{BASE}/small/cancel")
    assert page.transfers.wait(30)
    assert page.model()["state"]["stage"] == "stopped"
    assert page.client.post(f"{BASE}/nobody/cancel").json() is None


def test_a_failure_says_why_and_what_to_do(page: Page, server: FileServer) -> None:
    page.pull()
    state = page.model()["state"]
    assert state["stage"] == "failed" and "small could not be had" in state["error"]
    assert "USB stick" in state["error"]
    server.files[f"/{digest(DATA)}"] = Served(DATA)
    page.pull()
    assert page.model()["installed"] and page.model()["state"] is None


def test_a_model_is_verified(page: Page, server: FileServer) -> None:
    server.files[f"/{digest(DATA)}"] = Served(DATA)
    assert "not on this machine" in refused(page.client.post(f"{BASE}/small/verify"), 404)
    page.pull()
    marker = page.settings.models_dir / "verified" / digest(DATA)
    assert not marker.exists()
    assert page.client.post(f"{BASE}/small/verify").status_code == 202
    assert page.transfers.wait(30)
    assert page.model()["state"] is None and page.model()["verified_at"] == marker.read_text()
    blob = page.settings.models_dir / "blobs" / digest(DATA)
    blob.chmod(0o644)
    blob.write_bytes(DATA[:-1] + b"?")
    page.client.post(f"{BASE}/small/verify")
    assert page.transfers.wait(30)
    one = page.model()
    assert one["state"]["stage"] == "failed" and "is not the expected file" in one["state"]["error"]
    assert not one["installed"], "the bad file was set aside"


def test_a_model_is_deleted_unless_it_answers(page: Page, server: FileServer, tmp_path: Path) -> None:
    server.files[f"/{digest(DATA)}"] = Served(DATA)
    page.pull()
    used = Page(tmp_path, server.url, active="small")
    assert "the model that answers now" in refused(used.client.delete(f"{BASE}/small"), 409)
    assert used.model()["active"] and used.model()["installed"]
    assert page.client.delete(f"{BASE}/small").json() == {"freed_bytes": len(DATA)}
    assert not page.model()["installed"]
    refused(page.client.delete(f"{BASE}/small"), 404)


def test_the_model_of_the_settings_is_not_deleted(page: Page, server: FileServer, tmp_path: Path) -> None:
    server.files[f"/{digest(DATA)}"] = Served(DATA)
    page.pull()
    other = Page(tmp_path, server.url, active="small")
    other.client = TestClient(_with_engine(other, "another"), headers=BEARER)
    assert "etabli.toml names" in refused(other.client.delete(f"{BASE}/small"), 409)


def _with_engine(page: Page, model: str) -> FastAPI:
    services = make_services(page.settings.workspace, settings=page.settings, engine=FakeEngine(model=model))
    app = FastAPI()
    install_error_handlers(app)
    app.include_router(machine_models_router(services, page.transfers))
    app.add_middleware(Authentication, api_key=KEY)
    return app


def test_imported_models_are_listed_too(page: Page, tmp_path: Path) -> None:
    (tmp_path / "ours.gguf").write_bytes(b"GGUF" + b"ours" * 100)
    import_file(page.transfers.store, tmp_path / "ours.gguf", catalogue=page.transfers.catalogue)
    one = page.model("ours")
    assert one["installed"] and one["parameters"] is None and one["licence"]["name"] == "unknown"
    assert one["can_run"]["level"] == "unknown"


def test_unknown_names(page: Page) -> None:
    assert "Did you mean small" in refused(page.client.post(f"{BASE}/smal/pull"), 404)
    refused(page.client.post(f"{BASE}/..%2fx/pull"), 404)
    refused(page.client.post(f"{BASE}/X/verify"), 400)
    refused(page.client.delete(f"{BASE}/nobody"), 404)


def test_the_end_of_the_server_ends_the_fetch(tmp_path: Path, server: FileServer) -> None:
    server.files[f"/{digest(DATA)}"] = Served(DATA, pause_s=0.05)
    page = Page(tmp_path, server.url)
    with page.client:
        page.client.post(f"{BASE}/small/pull")
    assert page.transfers.wait(10)
    state = page.transfers.state("small")
    assert state is not None and state.stage == "stopped"


def test_the_product_serves_its_own_catalogue(tmp_path: Path) -> None:
    services = make_services(tmp_path, settings=Settings(workspace=tmp_path, models_dir=tmp_path / "models"))
    with TestClient(create_app(services), headers=BEARER) as client:
        shelf = client.get(BASE).json()
        assert shelf["active"] == "qwen-test" and len(shelf["data"]) > 3
        assert client.get(BASE, headers={"authorization": "Bearer no"}).status_code == 401

"""Real pages in a real Chromium: the real server over a real database and read documents, with a scripted engine.

Every test has its own database (a copy of one that holds the documents) and its own server. A page that writes an
error on its console, or asks for anything that is not the server's, fails its test.
"""

import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from running_server import RunningServer

from etabli.engines.fake import FakeEngine
from etabli.engines.fake_embedder import FakeEmbedder
from etabli.identity.accounts import OWNER_ID
from etabli.identity.sessions import Sessions
from etabli.jobs.worker import Worker
from etabli.knowledge.ingestion import EMBED_JOB, TEND_JOB
from etabli.knowledge.library import READ_JOB
from etabli.server.app import create_app
from etabli.serving import services_of
from etabli.settings import Settings
from etabli.storage.embedded import EmbeddedPostgres
from etabli.workspace import Workspace

DOCUMENTS = (
    "securite/securite-incendie.pdf",
    "rh/regles-conges.docx",
    "accueil/regles-visiteurs.html",
    "english/staff-guide.pdf",
)
"""Of the demo clinic: two PDF files (one in English), a word processor's, a web page."""
COLLECTION = "clinique"
REPLY = "Le point de rassemblement est le parking du personnel, rue des Tilleuls [1]."
_LANES = ((READ_JOB,), (EMBED_JOB, TEND_JOB))


@dataclass
class Site:
    """A server with one workspace.

    Args:
        url: its address, without path.
        workspace: its parts; documents, assistants and files can be looked at and changed.
        engine: set `replies` and `delay_s` to script the answers.
    """

    url: str
    workspace: Workspace
    engine: FakeEngine

    def link(self, next: str = "/") -> str:
        """The address that signs in, once."""
        token = Sessions(self.workspace.database).make_link(OWNER_ID)
        return f"{self.url}/sign-in?link={token}&next={next}"

    @property
    def headers(self) -> dict[str, str]:
        """What a program sends to be let in."""
        return {"authorization": f"Bearer {self.workspace.api_key}"}


@dataclass
class Watch:
    """What pages did that they should not: faults of scripts and requests to elsewhere.

    Args:
        allowed: parts of console lines that a test expects.
    """

    url: str
    faults: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        """Watch a page."""
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("console", lambda line: self._console(line.type, line.text))
        page.on("request", lambda request: self._request(request.url))

    def check(self) -> None:
        """Fail if there was anything."""
        found = [fault for fault in self.faults if not any(part in fault for part in self.allowed)]
        assert not found, "\n".join(found)

    def _console(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.faults.append(f"console: {text}")

    def _request(self, url: str) -> None:
        if not url.startswith((self.url, "blob:", "data:")):
            self.faults.append(f"a request to elsewhere: {url}")


OpenPage = Callable[..., Page]
"""`open_page(path="/", theme="dark", language="fr", width=360)`: a page in a browser profile of its own."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("Chromium is not on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def read_documents(
    postgres: EmbeddedPostgres, template_database: str, tmp_path_factory: pytest.TempPathFactory, clinic: Path
) -> tuple[str, Path]:
    """The name of a database that holds the read documents, and the workspace that they are of."""
    name = "template_web"
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template_database}".encode())
    folder = tmp_path_factory.mktemp("clinic") / "workspace"
    (folder / "assistants").mkdir(parents=True)
    shutil.copy2(clinic / "assistants" / "clinique.yaml", folder / "assistants")
    with (folder / "assistants" / "clinique.yaml").open("a", encoding="utf-8") as file:
        # What the engine is scripted to say comes out as it says it: pages may not rely on the guards of answers.
        file.write("guards:\n  output: false\n  grounded: marked\n")
    for document in DOCUMENTS:
        target = folder / "documents" / COLLECTION / document
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(clinic / "documents" / document, target)
    (folder / "etabli.toml").write_text("", encoding="utf-8")
    with open_workspace(folder, _named(postgres, name)) as workspace:
        workspace.library.add(folder / "documents" / COLLECTION, collection=COLLECTION)
        worker = Worker(workspace.database, workspace.ingestion, lanes=_LANES)
        for kinds in _LANES:
            while worker.do_next(kinds):
                pass
        assert workspace.library.states() == {"ready": len(DOCUMENTS)}
    return name, folder


@pytest.fixture(scope="session")
def clinic() -> Path:
    """The folder of the demo organisation."""
    return Path(__file__).parents[2] / "examples" / "clinique"


@pytest.fixture
def site(postgres: EmbeddedPostgres, read_documents: tuple[str, Path], tmp_path: Path) -> Iterator[Site]:
    """The server of a workspace with documents, and a worker that reads what is added."""
    template, source = read_documents
    name = f"web_{uuid.uuid4().hex}"
    folder = tmp_path / "workspace"
    shutil.copytree(source, folder)
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    try:
        with open_workspace(folder, _named(postgres, name)) as workspace:
            engine = FakeEngine([REPLY])
            app = create_app(
                services_of(workspace, engine=engine, state=lambda: {"engine": {"status": "ready"}})
            )
            with Worker(workspace.database, workspace.ingestion, lanes=_LANES):
                server = RunningServer(app)
                yield Site(server.url, workspace, engine)
                server.close()
    finally:
        with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def watch(site: Site) -> Iterator[Watch]:
    """What the pages of a test did; looked at when it ends."""
    one = Watch(site.url)
    yield one
    one.check()


@pytest.fixture
def open_page(chromium: Browser, site: Site, watch: Watch) -> Iterator[OpenPage]:
    """Opens pages, each in a browser profile of its own."""
    contexts: list[BrowserContext] = []

    def open_one(
        path: str = "/",
        *,
        theme: str = "light",
        language: str = "en",
        width: int = 1280,
        height: int = 800,
        signed_in: bool = True,
        **options: Any,
    ) -> Page:
        context = chromium.new_context(
            locale="fr-FR" if language == "fr" else "en-GB",
            color_scheme="dark" if theme == "dark" else "light",
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            **options,
        )
        contexts.append(context)
        context.set_default_navigation_timeout(120_000)  # a busy machine is slow
        page = context.new_page()
        watch.over(page)
        page.goto(site.link(path) if signed_in else site.url + path)
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """The chat, signed in, in English, light, 1280 × 800."""
    return open_page()


@pytest.fixture(scope="session")
def violations() -> Callable[[Page], list[str]]:
    """What axe-core finds wrong with a page: a line for each element."""

    def find(page: Page) -> list[str]:
        response = Axe().run(page, options={"resultTypes": ["violations"]}).response
        return [
            f"{rule['id']} ({rule['impact']}): {node['target']} {node.get('failureSummary', '')}"
            for rule in response["violations"]
            for node in rule["nodes"]
        ]

    return find


def open_workspace(folder: Path, database_url: str) -> Workspace:
    """A workspace over a test database, with an embedder that needs no weights."""
    settings = Settings(
        workspace=folder,
        database_url=database_url,  # type: ignore[arg-type]
        models_dir=folder / "models",
        service_probes_per_day=0,  # the scripted engine is asked by the tests alone
    )
    workspace = Workspace(settings)
    workspace.__dict__["embedder"] = FakeEmbedder()
    return workspace


def _named(postgres: EmbeddedPostgres, name: str) -> str:
    return postgres.conninfo.replace("dbname=etabli", f"dbname={name}")

"""The web chat over a scratch workspace with a scripted engine, and a Chromium to look at it with."""

import asyncio
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Browser, sync_playwright

from etabli.engines.fake import FakeEngine
from etabli.engines.fake_embedder import FakeEmbedder
from etabli.identity.accounts import OWNER_ID
from etabli.identity.sessions import Sessions
from etabli.server.app import create_app
from etabli.server.running import server_config
from etabli.serving import services_of
from etabli.settings import Settings
from etabli.storage.database import Database
from etabli.workspace import Workspace

_ASSISTANT = (
    "title: Assistant d’essai\ndescription: Répond ce qu’on lui a dit.\nfirst_questions:\n  - Bonjour\n"
    "max_tokens: 4000\n"
)
_TURNS = """
INSERT INTO turn (id, key, conversation_id, parent_id, account_id, acl_set, depth, status, model, assistant,
    input, output, completed_at)
OVERRIDING SYSTEM VALUE
SELECT c.id * 1000000 + n, 'resp_' || c.id || '_' || n, c.id, CASE WHEN n > 1 THEN c.id * 1000000 + n - 1 END,
    1, c.acl_set, n, 'completed', 'essai', 'essai',
    jsonb_build_array(jsonb_build_object('type', 'message', 'role', 'user', 'content', 'Question ' || n)),
    jsonb_build_array(jsonb_build_object('type', 'message', 'role', 'assistant', 'status', 'completed',
        'id', 'msg_' || c.id || '_' || n, 'content', jsonb_build_array(jsonb_build_object(
            'type', 'output_text', 'annotations', '[]'::jsonb,
            'text', '**Réponse ' || n || '.** ' || repeat('Une phrase assez longue. ', n %% 12 + 1)
                || E'\\n\\n- un point\\n- un autre')))),
    now()
FROM conversation c
CROSS JOIN LATERAL generate_series(1, CASE WHEN c.key = 'conv_1' THEN %s ELSE 1 END) n
"""


@dataclass
class PacedEngine(FakeEngine):
    """Says its words by the clock: one that is late does not make the next one late too.

    Attributes:
        words_per_s: how many; None for as fast as they are taken.
    """

    words_per_s: float | None = None

    async def stream(
        self, body: Mapping[str, Any], *, path: str = "/chat/completions"
    ) -> AsyncGenerator[dict[str, Any], None]:
        """As the engine's own, each chunk at its time."""
        began = time.perf_counter()
        said = 0
        async with aclosing(super().stream(body, path=path)) as chunks:
            async for chunk in chunks:
                if self.words_per_s:
                    await asyncio.sleep(max(0.0, began + said / self.words_per_s - time.perf_counter()))
                said += 1
                yield chunk


@dataclass(frozen=True)
class WebSite:
    """A running server.

    Args:
        url: its address, without path.
        workspace: its parts.
        engine: set `replies` and `words_per_s` to script the answers.
    """

    url: str
    workspace: Workspace
    engine: PacedEngine

    def link(self, next: str = "/") -> str:
        """An address that signs in, once."""
        token = Sessions(self.workspace.database).make_link(OWNER_ID)
        return f"{self.url}/sign-in?link={token}&next={next}"


@contextmanager
def web_site() -> Iterator[WebSite]:
    """Serve an empty workspace with one assistant."""
    with tempfile.TemporaryDirectory() as folder:
        assistants = Path(folder) / "assistants"
        assistants.mkdir()
        (assistants / "essai.yaml").write_text(_ASSISTANT, encoding="utf-8")
        with Workspace(Settings(workspace=Path(folder))) as workspace:
            workspace.__dict__["embedder"] = FakeEmbedder()
            engine = PacedEngine(["Bonjour."])
            services = services_of(workspace, engine=engine, state=lambda: {"engine": {"status": "ready"}})
            with _serving(server_config(create_app(services), host="127.0.0.1", port=0)) as url:
                yield WebSite(url, workspace, engine)


@contextmanager
def _serving(config: uvicorn.Config) -> Iterator[str]:
    server = uvicorn.Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


def chromium_path() -> str:
    """The machine's Chromium.

    Raises:
        SystemExit: there is none.
    """
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        raise SystemExit("Chromium is not on this machine: apt-get install chromium")
    return path


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        yield browser
        browser.close()


def fill(database: Database, *, conversations: int, turns: int) -> str:
    """Make conversations of one turn, and one of many turns; gives the key of that one."""
    with database.owner() as connection:
        connection.execute("INSERT INTO principal (name) VALUES ('user:1') ON CONFLICT DO NOTHING")
        connection.execute(
            "INSERT INTO acl_set (principals) SELECT ARRAY[id] FROM principal WHERE name = 'user:1'"
            " ON CONFLICT DO NOTHING"
        )
        connection.execute(
            "INSERT INTO conversation (key, account_id, acl_set, title, folded_title, model, updated_at)"
            " SELECT 'conv_' || n, 1, (SELECT max(id) FROM acl_set), 'Discussion ' || n, 'discussion ' || n, 'essai',"
            " now() - n * interval '20 minutes' FROM generate_series(1, %s) n",
            (conversations,),
        )
        connection.execute(_TURNS, (turns,))
        connection.execute(
            "INSERT INTO turn_text (turn_id, conversation_id, acl_set, folded) SELECT id, conversation_id, acl_set,"
            " 'question ' || depth || E'\\nreponse ' || depth || ' mot' || conversation_id FROM turn"
            " WHERE conversation_id IS NOT NULL ON CONFLICT DO NOTHING"
        )
        connection.execute(
            "UPDATE conversation c SET head_id = (SELECT max(id) FROM turn t WHERE t.conversation_id = c.id)"
        )
        connection.execute("SELECT setval(pg_get_serial_sequence('turn', 'id'), (SELECT max(id) FROM turn))")
    with database.statement_by_statement() as connection:
        connection.execute("VACUUM ANALYZE")
    return "conv_1"

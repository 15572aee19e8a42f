"""The first question of a workspace, asked through the server that has just begun to answer.

It shows what an answer looks like while the address of the chat is on the screen already. It is asked in a thread of
its own; Ctrl-C breaks it off at once.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.text import Text

from etabli.cli.remote import RunningServer
from etabli.cli.terminal import NOTE, say_step
from etabli.errors import EtabliError
from etabli.messages import tr

if TYPE_CHECKING:
    from rich.console import Console

    from etabli.serving import Serving

_MARKER = "first-answer.json"
log = logging.getLogger(__name__)


class FirstQuestion:
    """Asks it once in the life of a workspace, in the background.

    Args:
        serving: what serves.
        console: where question and answer are shown.
        then: called afterwards, also where there was nothing to ask; not when it was broken off.
    """

    def __init__(self, serving: "Serving", console: "Console", *, then: Callable[[], None]) -> None:
        self._serving = serving
        self._console = console
        self._then = then
        self._broken_off = False
        self._server: RunningServer | None = None
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Ask. Returns at once."""
        self._server = RunningServer(self._serving.url, self._serving.workspace.api_key)
        self._thread = threading.Thread(target=self._run, name="first-question", daemon=True)
        self._thread.start()

    def break_off(self) -> None:
        """Have it end now. May be called by the handler of a signal."""
        self._broken_off = True
        if self._server is not None:
            self._server.hang_up()

    def wait(self) -> None:
        """Wait until nothing is shown any more."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._ask()
        except EtabliError as error:
            if not self._broken_off:
                say_step(self._console, str(error), mark=NOTE)
        except Exception:
            log.exception("the first question could not be asked")
        if not self._broken_off:
            self._then()

    def _ask(self) -> None:
        from etabli.cli.answers import show_answer
        from etabli.cli.asking import ask_server
        from etabli.processes import write_private

        assert self._server is not None
        workspace = self._serving.workspace
        marker = workspace.settings.data_dir / _MARKER
        asked = [(one, one.first_questions[0]) for one in workspace.assistants.list() if one.first_questions]
        if marker.exists() or not asked or not workspace.library.states():
            return
        assistant, question = asked[0]
        if self._serving.engine is not None and assistant.name == self._serving.engine.model:
            return  # the name means the model, which knows nothing of the documents
        self._console.print()
        self._console.print(Text(f"  ? {question}", style="bold"), soft_wrap=not self._console.is_terminal)
        began = time.monotonic()
        answer = show_answer(
            self._console, assistant.title, ask_server(self._server, assistant.name, question)
        )
        say_step(self._console, tr("Answered and checked"), took=time.monotonic() - began)
        told = {"question": question, "answer": answer.text, "seconds": round(time.monotonic() - began, 1)}
        write_private(marker, json.dumps(told, ensure_ascii=False))

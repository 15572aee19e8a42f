"""Fetching and verifying models while something else goes on: in a thread, one at a time, with progress.

What a screen shows of it is `Transfer`, a value. Stopped or killed, a fetch goes on where it was when it is started
again.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from etabli.errors import ConflictError, EtabliError
from etabli.messages import message_of, tr
from etabli.models.catalogue import Catalogue, load_catalogue
from etabli.models.parallel import Cancelled
from etabli.models.pull import PullOptions, pull
from etabli.models.store import ModelStore
from etabli.settings import Settings

Stage = Literal["waiting", "downloading", "checking", "verifying", "cancelling", "stopped", "failed"]
_WINDOW_S = 5.0
_LONGEST_STOP_S = 2.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Transfer:
    """How far the work on one model is.

    Attributes:
        stage: `waiting` for another process or the first answer, `downloading`, `checking` the hash,
            `verifying` a model that is here, `cancelling`; `stopped` by a person, or `failed`.
        done_bytes: of the model.
        total_bytes: None while nobody has said.
        bytes_per_s: over the last seconds; 0 when nothing moves.
        error: why it failed, for people.
    """

    stage: Stage
    done_bytes: int = 0
    total_bytes: int | None = None
    bytes_per_s: float = 0.0
    error: str | None = None

    @property
    def is_running(self) -> bool:
        """Whether the work goes on."""
        return self.stage not in ("stopped", "failed")


class Transfers:
    """The one model that is fetched or verified now, and how the last attempts ended. Thread-safe.

    Args:
        settings: store, mirror and package index.
        catalogue: another one, in tests.
        options: of the fetches.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        catalogue: Catalogue | None = None,
        options: PullOptions | None = None,
    ) -> None:
        self.catalogue = catalogue or load_catalogue()
        self.store = ModelStore(settings.models_dir)
        self._settings = settings
        self._options = options or PullOptions()
        self._lock = threading.Lock()
        self._states: dict[str, Transfer] = {}
        self._running: tuple[str, threading.Thread] | None = None
        self._cancel = threading.Event()
        self._moments: deque[tuple[float, int]] = deque()

    def state(self, name: str) -> Transfer | None:
        """How far the work on a model is; None where there is none and the last one ended well."""
        with self._lock:
            return self._states.get(name)

    def pull(self, name: str) -> None:
        """Begin to fetch a model, from where an earlier attempt stopped.

        Raises:
            NotFoundError: the catalogue does not know it.
            ConflictError: something is under way.
        """
        self.catalogue.get(name)
        self._begin(name, self._pull, Transfer("waiting"))

    def verify(self, name: str) -> None:
        """Begin to read every byte of a model again.

        Raises:
            NotFoundError: it is not here.
            ConflictError: something is under way.
        """
        self.store.path_of(name)
        self._begin(name, self._verify, Transfer("verifying"))

    def cancel(self, name: str) -> None:
        """Have the work on a model stop soon; does nothing where there is none."""
        with self._lock:
            state = self._states.get(name)
            if state is not None and state.is_running:
                self._cancel.set()
                self._states[name] = replace(state, stage="cancelling", bytes_per_s=0.0)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end of what is under way; whether it ended."""
        with self._lock:
            running = self._running
        if running is not None:
            running[1].join(timeout_s)
            return not running[1].is_alive()
        return True

    def close(self) -> None:
        """Stop what is under way, and wait a little for it. A thread that hangs in the network ends with us."""
        self._cancel.set()
        self.wait(_LONGEST_STOP_S)

    def _begin(self, name: str, work: Callable[[str], None], first: Transfer) -> None:
        with self._lock:
            if self._running is not None and self._running[1].is_alive():
                busy = self._running[0]
                raise ConflictError(
                    tr("{name} is under way: one model at a time. Wait for its end, or cancel it.", name=busy)
                )
            self._cancel = threading.Event()
            self._moments.clear()
            self._states[name] = first
            thread = threading.Thread(target=self._run, args=(name, work), name=f"model {name}", daemon=True)
            self._running = (name, thread)
            thread.start()

    def _run(self, name: str, work: Callable[[str], None]) -> None:
        try:
            work(name)
        except Cancelled:
            self._end(name, "stopped")
        except EtabliError as error:
            logger.warning("%s: %s", name, error)
            self._end(name, "failed", message_of(error))
        except Exception:
            logger.exception("the work on %s failed", name)
            sentence = tr(
                "Something went wrong in the server; its log says what. Try again, or tell your administrator."
            )
            self._end(name, "failed", sentence)
        else:
            with self._lock:
                self._states.pop(name, None)

    def _end(self, name: str, stage: Stage, error: str | None = None) -> None:
        with self._lock:
            if self._cancel.is_set() and stage == "failed":  # it met the person who wanted it no more
                stage, error = "stopped", None
            self._states[name] = replace(self._states[name], stage=stage, bytes_per_s=0.0, error=error)

    def _pull(self, name: str) -> None:
        options = replace(self._options, limits=replace(self._options.limits, cancel=self._cancel))
        pull(
            self._settings,
            name,
            options=options,
            progress=lambda done, total: self._moved(name, done, total, "downloading"),
            catalogue=self.catalogue,
        )

    def _verify(self, name: str) -> None:
        self.store.verify(name, lambda done, total: self._moved(name, done, total, "verifying"))

    def _moved(self, name: str, done: int, total: int | None, stage: Stage) -> None:
        """Told the progress, from the threads of the transfer.

        Raises:
            Cancelled: a person wants it no more.
        """
        if self._cancel.is_set():
            raise Cancelled
        now = time.monotonic()
        with self._lock:
            moments = self._moments
            if moments and done < moments[-1][1]:  # another source began, or a part is fetched again
                moments.clear()
            if not moments or now - moments[-1][0] > 0.1:
                moments.append((now, done))
            while now - moments[0][0] > _WINDOW_S and len(moments) > 2:
                moments.popleft()
            spent = now - moments[0][0]
            speed = (done - moments[0][1]) / spent if spent > 0 else 0.0
            if stage == "downloading" and done == total:
                stage = "checking"
            self._states[name] = Transfer(stage, done, total, max(0.0, speed))

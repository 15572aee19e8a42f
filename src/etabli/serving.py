"""Everything that runs while an installation serves, started so that the slow parts overlap and stopped in order.

    this process    the web server, searching and answering
    engine          llama.cpp, unless an engine is configured; restarted when it dies
    worker          reads and embeds documents, at the lowest priority; restarted when it dies
    training        at most one job, at the lowest priority; goes on from its checkpoint when it dies
    PostgreSQL      the embedded one, unless another is configured; started again when it is killed

Any of them may be killed at any moment: nothing is lost, and the next start works. Knows nothing of terminals.
"""

import errno
import fcntl
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import psycopg

from etabli import __version__
from etabli.assistants.versions import VersionStore
from etabli.engines.base import ChatEngine, Embedder
from etabli.engines.supervisor import ChildState, Supervisor
from etabli.engines.switching import SwitchingEngine
from etabli.errors import AlreadyServingError, ConfigurationError, InvalidInputError, NotFoundError
from etabli.knowledge.ingestion import EMBED_JOB
from etabli.knowledge.library import READ_JOB, WAITING_STATES
from etabli.knowledge.worker_process import COMMAND, WorkerConfig
from etabli.listening import LOCK_FILE, who_listens
from etabli.messages import language, message_of, tr
from etabli.models.store import ModelStore
from etabli.priority import give_way, take_part
from etabli.processes import read_private_json
from etabli.settings import Settings
from etabli.workspace import SERVER_FILE, Workspace

if TYPE_CHECKING:
    from etabli.server.certification.services import Certification
    from etabli.server.running import TellingServer
    from etabli.server.services import Services
    from etabli.server.training.services import Training
    from etabli.training.running import TrainingRunner

Progress = Callable[[int, int | None], None]
_POLL_S = 0.2
_WATCH_S = 2.0
_LONGEST_STOP_S = 10.0
_WORKER_STOP_S = 2.0
"""It may be in the middle of a long document, or wait for the processor; killed, it loses nothing."""
log = logging.getLogger(__name__)


class Serving:
    """One installation while it serves. Use as a context manager; only one process a workspace can.

    The parts are started by the methods, in this order, each of which returns soon unless it says otherwise:
    `start_engine` when `model_is_here`, `start_database`, `add_documents`, `start_worker`, else `start_engine`
    (blocks while a model is fetched), `wait_documents` and `wait_engine` (block), `run` (blocks until told to stop).

    Args:
        workspace: whose parts are started; it is closed at the end.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.engine: ChatEngine | None = None
        self._settings = workspace.settings
        self._worker = Supervisor(
            COMMAND,
            self._configure_worker,
            log_path=self._settings.logs_dir / "worker.log",
            on_state=self._worker_changed,
        )
        self._gives_way = False
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock: int | None = None
        self._socket: socket.socket | None = None
        self._server: TellingServer | None = None
        self._runner: TrainingRunner | None = None

    def __enter__(self) -> Self:
        """Take the workspace and the port.

        Raises:
            AlreadyServingError: another process serves this workspace.
            ConfigurationError: the port is taken by something else, or the address is not this machine's.
        """
        self._lock = _take(self._settings)
        try:
            self._socket = _bind(self._settings)
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Address of the server, without path."""
        assert self._socket is not None
        port = self._socket.getsockname()[1]
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._settings.host, self._settings.host)
        return f"http://[{host}]:{port}" if ":" in host and "[" not in host else f"http://{host}:{port}"

    @property
    def model_is_here(self) -> bool:
        """Whether starting the engine needs no download."""
        if self._settings.engine_url is not None:
            return True
        store = ModelStore(self._settings.models_dir)
        manifest = store.manifest(self._settings.model)
        return manifest is not None and store.present(manifest)

    def start_engine(self, progress: Progress | None = None) -> None:
        """Connect to the configured engine, or start our own, after fetching its model where it is not here.

        Raises:
            ModelStoreError: the model could not be had.
            InvalidInputError: the file is not a model.
            ConfigurationError: it does not fit in the memory, or the settings are wrong.
        """
        if self.engine is None and self._settings.engine_url is not None:
            self.engine = self.workspace.join_engine()
        if self.engine is None:
            path = self.workspace.model_path(progress)
            self.engine = self.workspace.launch_engine(path)

    def start_database(self) -> None:
        """Open the database, and load in the background what answering needs.

        Raises:
            StorageError: it does not start.
        """
        database = self.workspace.database
        embedder = self.workspace.embedder  # made here: two threads may not make one each
        self._in_background(lambda: _warm(embedder), name="warm")
        if database.embedded is not None:
            self._in_background(self._watch_database, name="database-watch")

    def add_documents(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Bring the folders of `documents/` up to date: one folder a collection. Says how many files changed."""
        changed = 0
        folder = self._settings.documents_dir
        for collection in sorted(folder.iterdir()) if folder.is_dir() else ():
            if collection.is_dir() and not collection.name.startswith("."):
                changes = self.workspace.library.add(
                    collection, collection=collection.name, progress=progress, unasked=True
                )
                changed += len(changes.added) + len(changes.changed) + len(changes.removed)
        return changed

    def start_worker(self) -> None:
        """Start what reads and embeds documents: at full speed while somebody waits for it, else giving way."""
        states = self.workspace.library.states()
        self._gives_way = not any(states.get(state) for state in WAITING_STATES)
        self._worker.start()

    def wait_documents(self, progress: Progress) -> None:
        """Block until every document is searchable by words, or has said why it cannot be.

        Args:
            progress: called with the documents that are done and all of them.
        """
        while True:
            states = self.workspace.library.states()
            waiting = sum(states.get(state, 0) for state in WAITING_STATES)
            total = sum(states.values())
            progress(total - waiting, total)
            if waiting == 0 or self._worker.state.status == "failed":
                return
            time.sleep(_POLL_S)

    def wait_engine(self) -> ChatEngine:
        """Block until the engine can answer.

        Raises:
            EngineUnavailableError: it could not start.
        """
        assert self.engine is not None
        if isinstance(self.engine, SwitchingEngine):
            self.engine.wait_ready()
        return self.engine

    def answers_come_first(self) -> None:
        """From now on reading and embedding documents gives way to everything else."""
        self._gives_way = True  # for a worker that is started again, too
        pid = self._worker.state.pid
        if pid is not None:
            give_way(pid)

    def run(self, on_ready: Callable[[], None], *, on_stop: Callable[[], None] = lambda: None) -> None:
        """Serve until SIGINT, SIGTERM or `stop`; answers in progress get a few seconds to end.

        Args:
            on_ready: called when requests are answered; the server waits for it.
            on_stop: called at SIGINT and SIGTERM, by the handler of the signal, so that it must not wait.
        """
        # With the web framework, half a second that the engine needs anyway to load its model.
        from etabli.server.app import create_app
        from etabli.server.running import TellingServer, server_config

        assert self._socket is not None and self.engine is not None
        workspace = self.workspace
        self.answers_come_first()
        self._start_training()
        app = create_app(services_of(workspace, engine=self.engine, state=self.state))
        config = server_config(app, host=self._settings.host, port=self._settings.port)
        self._server = TellingServer(config, on_ready=on_ready, on_stop=on_stop)
        self._socket.listen(2048)
        workspace.announce_server(self.url, os.getpid())
        try:
            self._server.run(sockets=[self._socket])
        except KeyboardInterrupt:
            log.info("told to stop")

    def stop(self) -> None:
        """Have `run` return soon. From any thread."""
        if self._server is not None:
            self._server.should_exit = True

    def state(self) -> dict[str, Any]:
        """The state of every part, for operators. Holds no secret."""
        return {
            "version": __version__,
            "workspace": str(self._settings.workspace),
            "url": self.url,
            "pid": os.getpid(),
            "engine": self._state_of_engine(),
            "worker": _child(self._worker.state),
            **self._state_of_documents(),
        }

    def close(self) -> None:
        """Stop everything, what depends on others first. Safe to call twice."""
        self._closing.set()
        if self._socket is not None:
            self._socket.close()
        if self._runner is not None:
            self._runner.stop()
        if (pid := self._worker.state.pid) is not None:
            take_part(pid)
        self._worker.stop(_WORKER_STOP_S)
        for thread in self._threads:
            thread.join(_LONGEST_STOP_S)
        self.workspace.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _start_training(self) -> None:
        """Have jobs run, and the engine hold what the database says is approved."""
        workspace, engine = self.workspace, self.engine
        assert engine is not None

        def load() -> None:
            try:
                workspace.adapters.write_approved()
                workspace.load_adapters(engine)
            except Exception:
                log.exception("the approved adapters could not be loaded")

        self._in_background(load, name="adapters")
        self._runner = workspace.training_runner(on_approved=load)
        self._runner.start()

    def _configure_worker(self) -> dict[str, Any]:
        config = WorkerConfig.of(self._settings, parent_pid=os.getpid(), language=language())
        return config.model_dump(mode="json")

    def _worker_changed(self, state: ChildState) -> None:
        """Let a worker give way once it is ready: before, it would not get ready on a busy machine."""
        if state.status == "ready" and self._gives_way and state.pid is not None:
            give_way(state.pid)

    def _in_background(self, work: Callable[[], None], *, name: str) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _watch_database(self) -> None:
        """Start the embedded server again when somebody killed it."""
        database = self.workspace.database
        assert database.embedded is not None
        while not self._closing.wait(_WATCH_S):
            try:
                with psycopg.connect(database.conninfo, connect_timeout=5):
                    continue
            except psycopg.OperationalError as error:
                log.warning("the database does not answer, starting it again: %s", error)
            try:
                database.embedded.start()
            except Exception:
                log.exception("the database could not be started; trying again")

    def _state_of_engine(self) -> dict[str, Any]:
        if self.engine is None:
            return {"status": "stopped"}
        facts: dict[str, Any] = {"model": self.engine.model, "context_tokens": self.engine.context_tokens}
        if isinstance(self.engine, SwitchingEngine):
            return facts | _child(self.engine.state) | {"adapters": [*self.engine.adapters]}
        return facts | {"status": "configured", "url": self._settings.engine_url}

    def _state_of_documents(self) -> dict[str, Any]:
        embedded = self._settings.database_url is None
        try:
            with self.workspace.database.owner() as connection:
                chunks = connection.execute("SELECT chunks FROM lexical_total").fetchone()
                space = connection.execute("SELECT embedder, indexed FROM vector_space WHERE live").fetchone()
            return {
                "database": {"status": "ready", "embedded": embedded},
                "documents": self.workspace.library.states(),
                "waiting": {kind: self.workspace.queue.pending([kind]) for kind in (READ_JOB, EMBED_JOB)},
                "index": {
                    "chunks": int(chunks[0]) if chunks else 0,
                    "embedder": space[0] if space else None,
                    "vector_index": bool(space and space[1]),
                },
            }
        except psycopg.OperationalError as error:
            return {
                "database": {"status": "unavailable", "embedded": embedded, "last_error": str(error).strip()}
            }


def services_of(
    workspace: Workspace, *, engine: ChatEngine, state: Callable[[], dict[str, Any]]
) -> "Services":
    """The parts of a workspace, for the server.

    Args:
        workspace: opens each part; stays the caller's.
        engine: the chat model.
        state: the state of every part.
    """
    from etabli.server.services import Services  # with the web framework: see `Serving.run`

    versions = VersionStore(workspace.database, workspace.settings.assistants_dir)
    return Services(
        settings=workspace.settings,
        database=workspace.database,
        searcher=workspace.searcher,
        embedder=workspace.embedder,
        assistants=workspace.assistants,
        answerer=workspace.answerer,
        engine=engine,
        api_key=workspace.api_key,
        state=state,
        versions=versions,
        certification=_certification_of(workspace, versions, engine),
        training=_training_of(workspace, engine),
    )


def _training_of(workspace: Workspace, engine: ChatEngine) -> "Training":
    """Uploaded files, training jobs and adapters of a workspace."""
    from etabli.models.store import ModelStore
    from etabli.server.training.services import Training
    from etabli.training.checking import FileChecks
    from etabli.training.estimating import estimate_apart
    from etabli.training.extra import need
    from etabli.training.jobs import JobRequest, TrainingJob
    from etabli.training.submitting import plan_of_request, submit

    settings, models = workspace.settings, ModelStore(workspace.settings.models_dir)

    def known(assistant: str | None) -> None:
        try:
            if assistant is not None:
                workspace.assistants.get(assistant)
        except NotFoundError as error:
            raise InvalidInputError(message_of(error), param="etabli.assistant") from None

    def keep(request: JobRequest) -> TrainingJob:
        need()
        known(request.assistant)
        return submit(
            request,
            store=workspace.training_jobs,
            files=workspace.uploads,
            models=models,
            folder=settings.training_dir,
            workspace=settings.workspace.name,
        )

    def preflight(request: JobRequest, calibrate: bool) -> dict[str, Any]:
        need()
        known(request.assistant)
        plan = plan_of_request(request, files=workspace.uploads, models=models, folder=settings.training_dir)
        found = estimate_apart(plan, calibrate=calibrate)
        probes = workspace.estimate_probes(request.assistant, request.probes, seed=request.seed or 0)
        return found | {"probes": probes}

    return Training(
        organisation=settings.workspace.name,
        files=workspace.uploads,
        jobs=workspace.training_jobs,
        adapters=workspace.adapters,
        submit=keep,
        preflight=preflight,
        load=lambda: workspace.load_adapters(engine),
        loaded=lambda: engine.adapters if isinstance(engine, SwitchingEngine) else (),
        checks=FileChecks(settings.questions_dir),
    )


def _certification_of(workspace: Workspace, versions: VersionStore, engine: ChatEngine) -> "Certification":
    """Campaigns, certificates and the gate of a workspace."""
    from etabli.certification.certifying import Certifier
    from etabli.certification.shopper import SecretShopper
    from etabli.server.certification.endpoints import endpoint_targets
    from etabli.server.certification.services import Certification

    certifier = Certifier(workspace.certification_parts(engine))
    issuer = workspace.issuer(certifier.store)
    gate = workspace.gate(engine)
    return Certification(
        database=workspace.database,
        certifier=certifier,
        issuer=issuer,
        publications=workspace.publications,
        gate=gate,
        assistants=workspace.assistants,
        version=lambda name: versions.head(name).number,
        endpoint=endpoint_targets(workspace.settings),
        shopper=SecretShopper(
            workspace.database,
            certifier,
            workspace.publications,
            gate,
            probes_a_day=workspace.settings.service_probes_per_day,
        ),
    )


def _warm(embedder: Embedder) -> None:
    """Load the embedding model, so that the first question does not wait for it."""
    try:
        embedder.embed_queries(["?"])
    except Exception:
        log.exception("the embedding model could not be loaded in advance")


def _take(settings: Settings) -> int:
    """The lock that says who serves; the kernel drops it when that process ends, however it does."""
    settings.run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(settings.run_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        running = read_private_json(settings.run_dir / SERVER_FILE)
        if running is None:
            raise AlreadyServingError(
                tr("Établi is already starting for this workspace."), url=None
            ) from None
        raise AlreadyServingError(
            tr(
                "Établi already serves this workspace at {url} (process {pid}).",
                url=running.get("url"),
                pid=running.get("pid"),
            ),
            url=str(running.get("url")),
        ) from None
    (settings.run_dir / SERVER_FILE).unlink(missing_ok=True)
    return descriptor


def _bind(settings: Settings) -> socket.socket:
    """The server's socket, not yet listening."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((settings.host, settings.port))
        return server
    except OSError as error:
        server.close()
        who = who_listens(settings.port)
        if who is not None or error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                tr(
                    "Port {port} is taken by {who}. Stop it, or choose another port: ETABLI_PORT={other}, or "
                    "`port` in etabli.toml.",
                    port=settings.port,
                    who=tr("another program")
                    if who is None
                    else tr("{name} (process {pid})", name=who[0], pid=who[1]),
                    other=settings.port + 1,
                )
            ) from None
        raise ConfigurationError(
            tr(
                "The server cannot listen on {host}:{port} ({reason}). Mend `host` and `port` in etabli.toml.",
                host=settings.host,
                port=settings.port,
                reason=error.strerror,
            )
        ) from None


def _child(state: ChildState) -> dict[str, Any]:
    """What operators see of a child."""
    facts: dict[str, Any] = {"status": state.status, "pid": state.pid, "starts": state.starts}
    return facts | ({"last_error": state.last_error} if state.last_error else {})

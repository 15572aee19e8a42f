"""A workspace: one installation's folder, and its parts, each opened when first needed and closed together.

Where the parts meet: commands and the server get everything from here. Knows how parts fit, not what they do.
"""

import contextlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from etabli.assistants.answering import Answerer
from etabli.assistants.catalogue import AssistantCatalogue
from etabli.certification.bundle import EngineIdentity, bundle_of
from etabli.certification.certifying import Parts
from etabli.certification.gate import Gate
from etabli.certification.identity import engine_identity
from etabli.certification.issuing import Issuer
from etabli.certification.judges.configured import configured_panel
from etabli.certification.publishing import Publications
from etabli.certification.store import CampaignStore
from etabli.certification.trusting import certified_by
from etabli.engines.base import ChatEngine, Embedder
from etabli.engines.embeddings import create_embedder
from etabli.engines.local import LocalEngine, attach, connect_engine, start_engine
from etabli.engines.sizing import EngineSize, derive_slots
from etabli.engines.supervisor import ChildState
from etabli.engines.switching import SwitchingEngine
from etabli.errors import ConfigurationError
from etabli.jobs.queue import JobQueue
from etabli.knowledge.ingestion import Ingestion
from etabli.knowledge.library import Library
from etabli.knowledge.reading import DocumentReader
from etabli.knowledge.search import Searcher
from etabli.messages import tr
from etabli.models.hashing import Progress
from etabli.models.machine import read_machine
from etabli.models.pull import ensure_model
from etabli.models.store import ModelStore
from etabli.processes import read_private_json, write_private, write_private_json
from etabli.settings import CONFIG_NAME, Settings, load_settings
from etabli.storage.database import Database
from etabli.training.adapters import AdapterRegistry, Loadable, approved_files, loadable
from etabli.training.afterwards import Afterwards, Examination, OnProgress
from etabli.training.base import TrainingPlan
from etabli.training.checking import FileChecks
from etabli.training.child import COMMAND
from etabli.training.files import UploadedFiles
from etabli.training.job_store import JobStore
from etabli.training.jobs import TrainingJob
from etabli.training.running import Running, TrainingRunner

if TYPE_CHECKING:
    from etabli.evaluation.probing import AssistantProbes

SERVER_FILE = "server.json"
_KEY_FILE = "api-key"
_MEMORY_RESERVE = 256 << 20


class Workspace:
    """The parts of one installation. Use as a context manager.

    Args:
        settings: of this installation.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._closing = contextlib.ExitStack()
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # nobody else's, nor what is in it

    @classmethod
    def open(cls, folder: Path | None = None) -> Self:
        """The workspace in a folder.

        Raises:
            ConfigurationError: the folder holds none.
        """
        settings = load_settings(folder)
        if not (settings.workspace / CONFIG_NAME).is_file():
            raise ConfigurationError(
                tr(
                    "{folder} is not a workspace: it has no etabli.toml. Make one there with `etabli init`, or "
                    "name another with --workspace.",
                    folder=settings.workspace,
                )
            )
        return cls(settings)

    @cached_property
    def database(self) -> Database:
        """The database; the embedded server is started when none runs."""
        return self._closing.enter_context(Database.open(self.settings))

    @cached_property
    def library(self) -> Library:
        """The documents."""
        return Library(self.database, self.settings.files_dir)

    @cached_property
    def queue(self) -> JobQueue:
        """The background work."""
        return JobQueue(self.database)

    @cached_property
    def embedder(self) -> Embedder:
        """The embedding model; its weights are loaded at the first text."""
        embedder = create_embedder(self.settings)
        self._closing.callback(embedder.close)
        return embedder

    @cached_property
    def searcher(self) -> Searcher:
        """Search over the documents."""
        searcher = Searcher(self.database, self.embedder)
        self._closing.callback(searcher.close)
        return searcher

    @cached_property
    def ingestion(self) -> Ingestion:
        """What makes documents searchable, when this process does it itself."""
        reader = self._closing.enter_context(DocumentReader(self.settings))
        return Ingestion(self.database, self.settings, reader=reader, embedder=self.embedder)

    @cached_property
    def assistants(self) -> AssistantCatalogue:
        """The assistants."""
        return AssistantCatalogue(self.settings.assistants_dir)

    @cached_property
    def answerer(self) -> Answerer:
        """What answers questions from documents."""
        return Answerer(self.searcher, self.database, embedder=self.embedder)

    @cached_property
    def api_key(self) -> str:
        """The installation's key, made at the first use, in a file that only its owner reads."""
        path = self.settings.run_dir / _KEY_FILE
        if not path.exists():
            write_private(path, f"etabli-{secrets.token_urlsafe(32)}\n")
        return path.read_text(encoding="utf-8").strip()

    def model_path(self, progress: Progress | None = None) -> Path:
        """The file of the chat model, fetched when it is not in the store."""
        return ensure_model(self.settings, self.settings.model, progress)

    def join_engine(self) -> ChatEngine | None:
        """The engine that runs already: the configured one, or the one another process of ours started."""
        if self.settings.engine_url is not None:
            return connect_engine(self.settings)
        return attach(self.settings.run_dir)

    def launch_engine(
        self, model_path: Path, *, on_state: Callable[[ChildState], None] | None = None
    ) -> SwitchingEngine:
        """Start an engine of our own, with the approved adapters; it stops when the workspace is closed."""

        def start(adapters: Mapping[str, Path], size: EngineSize | None) -> LocalEngine:
            return start_engine(
                self.settings, model_path, self.settings.model, on_state, adapters=adapters, size=size
            )

        def has_room(size: EngineSize) -> bool:
            needed = size.memory_bytes - (size.cache_ram_mib << 20) + _MEMORY_RESERVE
            return read_machine(self.settings.models_dir).memory_available > needed

        engine = SwitchingEngine(start, self.loadable().files, has_room=has_room)
        self._closing.callback(engine.stop)
        return engine

    def loadable(self) -> Loadable:
        """The adapters that our own engine may hold, those of assistants first. Reads their files: blocks."""
        manifest = ModelStore(self.settings.models_dir).manifest(self.settings.model)
        if manifest is None or not approved_files(self.settings.adapters_dir, manifest.sha256):
            return Loadable({}, {})
        used = [one.adapter for one in self.assistants.list() if one.adapter is not None]
        return loadable(self.settings.adapters_dir, manifest.sha256, first=used)

    def load_adapters(self, engine: ChatEngine) -> Mapping[str, str]:
        """Have an engine hold what is approved; gives what it leaves out, with the reason. Blocks until it does.

        Raises:
            EngineUnavailableError: it does not start with them; it goes on with what it held.
        """
        if not isinstance(engine, SwitchingEngine):
            reason = tr("the engine is configured elsewhere, and adapters are loaded there")
            return {one.name: reason for one in self.adapters.list() if one.state == "approved"}
        found = self.loadable()
        engine.switch(found.files)
        return found.left_out

    @cached_property
    def uploads(self) -> UploadedFiles:
        """The files that were sent to the API, and those that jobs write."""
        return UploadedFiles(self.database, self.settings.uploads_dir)

    @cached_property
    def training_jobs(self) -> JobStore:
        """The training jobs."""
        return JobStore(self.database)

    @property
    def assistant_probes(self) -> "AssistantProbes":
        """Certification's probes on the assistants, for trainings."""
        from etabli.evaluation.probing import AssistantProbes  # all detectors: not at every start

        return AssistantProbes(
            assistants=self.assistants,
            database=self.database,
            answerer=self.answerer,
            embedder=self.embedder,
            questions_dir=self.settings.questions_dir,
        )

    def estimate_probes(self, assistant: str | None, probes: int, *, seed: int) -> dict[str, object] | None:
        """What certification's probes on an assistant will take after a training; None where none are tried. Blocks.

        Raises:
            NotFoundError: there is no such assistant.
            InvalidInputError: its file of questions cannot be used.
        """
        if assistant is None or not probes:
            return None
        return self.assistant_probes.estimate(assistant, probes, seed=seed).to_json()

    @cached_property
    def adapters(self) -> AdapterRegistry:
        """What came out of training."""
        return AdapterRegistry(self.database, self.settings.adapters_dir)

    def training_runner(
        self,
        *,
        only: str | None = None,
        on_approved: Callable[[], None] = lambda: None,
        command: Sequence[str] = COMMAND,
        gives_way: bool = True,
    ) -> TrainingRunner:
        """What runs training jobs, not yet started.

        Args:
            only: id of the one job to run; all if None.
            on_approved: called when an adapter was approved beforehand, so that engines load it.
            command: of the process that trains.
            gives_way: whether that process and the examination leave the processor to everything else.
        """
        settings = self.settings

        def examine(
            job: TrainingJob,
            plan: TrainingPlan,
            adapter: Path,
            *,
            folder: Path,
            tick: Callable[[], None],
            on_progress: OnProgress,
        ) -> contextlib.AbstractContextManager[Examination]:
            from etabli.evaluation.examining import (
                AdapterExaminer,
            )  # tokenizer, templates: not at every start

            examiner = AdapterExaminer(settings, gives_way=gives_way, probes=self.assistant_probes)
            return examiner(job, plan, adapter, folder=folder, tick=tick, on_progress=on_progress)

        afterwards = Afterwards(
            self.training_jobs,
            self.adapters,
            self.uploads,
            examiner=examine,
            on_approved=on_approved,
        )
        parts = Running(
            store=self.training_jobs,
            files=self.uploads,
            models=ModelStore(settings.models_dir),
            afterwards=afterwards,
            folder=settings.training_dir,
            log_path=settings.logs_dir / "training.log",
            checks=FileChecks(settings.questions_dir),
            command=command,
            gives_way=gives_way,
        )
        return TrainingRunner(parts, only=only)

    @cached_property
    def publications(self) -> Publications:
        """Certificates, and which assistants are published."""
        return Publications(self.database)

    def issuer(self, store: CampaignStore) -> Issuer:
        """Signs what campaigns found."""
        settings = self.settings
        return Issuer(store, self.publications, folder=settings.certificates_dir, keys_dir=settings.keys_dir)

    def gate(self, engine: ChatEngine) -> Gate:
        """Decides which assistants may answer with an engine."""
        return Gate(
            self.database,
            self.publications,
            bundle=lambda assistant: bundle_of(
                assistant,
                database=self.database,
                engine=engine_identity(self.settings, engine),
                embedder=self.embedder.name,
            ),
            verify=certified_by(self.issuer(CampaignStore(self.database))),
        )

    def certification_parts(self, engine: ChatEngine) -> Parts:
        """What examining an assistant needs, over an engine that runs."""

        def identity() -> EngineIdentity:
            return engine_identity(self.settings, engine)

        return Parts(
            database=self.database,
            answerer=self.answerer,
            engine=engine,
            identity=identity,
            judges=lambda: configured_panel(self.settings, engine, identity),
            embedder=self.embedder,
            slots=self.settings.slots or derive_slots(read_machine(self.settings.models_dir).cores),
            questions_dir=self.settings.questions_dir,
        )

    def server(self) -> dict[str, object] | None:
        """What the running server wrote about itself (url, pid), or None."""
        return read_private_json(self.settings.run_dir / SERVER_FILE)

    def announce_server(self, url: str, pid: int) -> None:
        """Note, for commands and scripts, that a server of this workspace runs; undone at closing."""
        path = self.settings.run_dir / SERVER_FILE
        write_private_json(path, {"url": url, "pid": pid})
        self._closing.callback(path.unlink, missing_ok=True)

    def close(self) -> None:
        """Close every part that was opened, the last one first. Safe to call twice."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

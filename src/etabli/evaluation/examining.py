"""An adapter under examination: an engine of its own holds it, the gate and the comparison ask that engine.

Nobody else's requests reach this engine, and it announces itself to no other process, so an adapter that nobody has
approved answers nobody. Beside a server it gives way to the engine that serves people.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from etabli.engines.llama_gguf import read_gguf_header
from etabli.engines.local import LocalEngine, choose_size
from etabli.errors import EngineUnavailableError, EtabliError
from etabli.evaluation.adapters import compare, everyday_tasks, held_out_tasks
from etabli.evaluation.probing import AssistantProbes
from etabli.messages import tr
from etabli.priority import give_way
from etabli.settings import Settings
from etabli.training.afterwards import Examination, Halted, OnProgress, no_progress
from etabli.training.base import TrainingPlan
from etabli.training.data.rows import read_rows
from etabli.training.equivalence import compare as compare_with_trainer
from etabli.training.export import check_adapter
from etabli.training.jobs import TrainingJob

_SLOTS = 8
_CONTEXT_TOKENS = 4096
_ANSWERS_FILE = "answers.jsonl"
_PROBES_FILE = "probes.jsonl"
_POLL_S = 0.2
_Found = TypeVar("_Found")


class AdapterExaminer:
    """Implements `etabli.training.afterwards.Examiner` with the product's engine.

    Args:
        settings: of the installation.
        gives_way: whether its engine uses the processor only while nobody else does.
        probes: of the workspace's assistants; None where there are no assistants.
    """

    def __init__(
        self, settings: Settings, *, gives_way: bool = True, probes: AssistantProbes | None = None
    ) -> None:
        self._settings = settings
        self._gives_way = gives_way
        self._probes = probes

    @contextmanager
    def __call__(
        self,
        job: TrainingJob,
        plan: TrainingPlan,
        adapter: Path,
        *,
        folder: Path,
        tick: Callable[[], None],
        on_progress: OnProgress = no_progress,
    ) -> Iterator[Examination]:
        """An engine that holds the adapter, for as long as the `with` lasts.

        Raises:
            InvalidInputError: the file is no adapter for this base.
            ConfigurationError: the memory does not hold another engine.
            EngineUnavailableError: the engine does not start with it.
        """
        check_adapter(adapter, plan.base_path, plan.base_sha256, name=job.model_name, base_name=plan.base)
        engine = self._engine(job, plan, adapter, folder)
        engine.start()
        try:
            pid = _wait(engine, tick)
            if self._gives_way and pid is not None:
                give_way(pid)
            yield _Examination(job, plan, adapter, engine, self._probes, folder, tick, on_progress)
        finally:
            engine.stop()

    def _engine(self, job: TrainingJob, plan: TrainingPlan, adapter: Path, folder: Path) -> LocalEngine:
        native = read_gguf_header(plan.base_path).context_tokens
        wanted = max(_CONTEXT_TOKENS, 2 * plan.hyperparameters.max_tokens)
        small = self._settings.model_copy(update={"slots": _SLOTS, "context_tokens": min(native, wanted)})
        return LocalEngine(
            plan.base_path,
            job.base,
            size=choose_size(small, plan.base_path, job.base),
            run_dir=folder / "engine",
            log_path=self._settings.logs_dir / "examining.log",
            adapters={job.model_name: adapter},
        )


class _Examination:
    """What the engine is asked."""

    def __init__(
        self,
        job: TrainingJob,
        plan: TrainingPlan,
        adapter: Path,
        engine: LocalEngine,
        probes: AssistantProbes | None,
        folder: Path,
        tick: Callable[[], None],
        on_progress: OnProgress,
    ) -> None:
        self._job = job
        self._plan = plan
        self._adapter = adapter
        self._engine = engine
        self._probes = probes
        self._folder = folder
        self._tick = tick
        self._on_progress = on_progress

    def gate(self) -> Mapping[str, Any]:
        """Whether trainer and engine say the same."""
        found = compare_with_trainer(
            self._plan, self._adapter, self._engine, model=self._job.model_name, tick=self._tick
        )
        return found.to_json()

    def compare(self) -> Mapping[str, Any]:
        """The held-out examples, where there are any, and everyday tasks, before and after."""
        tasks = list(everyday_tasks())
        if self._plan.validation_file is not None:
            tasks = [*held_out_tasks(read_rows(self._plan.validation_file, self._plan.method)), *tasks]
        found = self._run(
            compare(
                self._engine,
                tasks,
                base=self._job.base,
                adapter=self._job.model_name,
                kept=self._folder / _ANSWERS_FILE,
                slots=_SLOTS,
                on_progress=self._progress("answers"),
            )
        )
        return found.to_json()

    def probe(self) -> Mapping[str, Any] | None:
        """Certification's probes on the assistant that the job names, before and after."""
        job = self._job
        if self._probes is None or job.assistant is None or not job.probes:
            return None
        found = self._run(
            self._probes.compare(
                job.assistant,
                job.probes,
                engine=self._engine,
                adapter=job.model_name,
                seed=job.seed,
                kept=self._folder / _PROBES_FILE,
                slots=_SLOTS,
                on_progress=self._progress("probes"),
            )
        )
        return None if found is None else found.to_json()

    def _progress(self, part: str) -> Callable[[int, int], None]:
        def tell(done: int, total: int) -> None:
            self._on_progress(part, done, total)
            self._tick()

        return tell

    def _run(self, work: Coroutine[Any, Any, _Found]) -> _Found:
        async def closing() -> _Found:
            try:
                return await work
            finally:
                await self._engine.aclose()

        try:
            return asyncio.run(closing())
        except BaseExceptionGroup as group:
            raise _first_of(group) from None


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What ended several tasks at once: a wish to stop before a failure."""
    for kind in (Halted, EtabliError):
        found = group.subgroup(kind)
        while isinstance(found, BaseExceptionGroup):
            inner = found.exceptions[0]
            if not isinstance(inner, BaseExceptionGroup):
                return inner
            found = inner
    return group


def _wait(engine: LocalEngine, tick: Callable[[], None]) -> int | None:
    """Until the model is loaded; gives the number of its process."""
    while (state := engine.state).status != "ready":
        if state.status in ("failed", "stopped"):
            raise EngineUnavailableError(
                tr(
                    "The engine does not start with the adapter: {reason}",
                    reason=state.last_error or state.status,
                )
            )
        tick()
        time.sleep(_POLL_S)
    return state.pid

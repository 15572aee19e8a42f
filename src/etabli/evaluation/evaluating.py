"""Evaluating the assistants of a workspace: from their questions to a report. Commands and screens begin here."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from etabli.assistants.answering import Searches
from etabli.assistants.scope import resolve_collections, unknown_terms
from etabli.assistants.specification import AssistantSpecification
from etabli.certification.bundle import bundle_of
from etabli.certification.certifying import Parts
from etabli.certification.material import assistant_material
from etabli.errors import NotFoundError
from etabli.evaluation.asking import TOP, AssistantAsker
from etabli.evaluation.examples import Built, ExampleBuilder
from etabli.evaluation.generated import GeneratedFile
from etabli.evaluation.generating import Generation, Generator
from etabli.evaluation.generating import Progress as GenerationProgress
from etabli.evaluation.questions import QuestionSet, audiences_of, read_question_file
from etabli.evaluation.running import Evaluation, OnProgress
from etabli.evaluation.store import Report, Run, RunStore, new_run
from etabli.messages import tr
from etabli.models.machine import cpu_name
from etabli.settings import Settings
from etabli.storage.database import EVERYONE
from etabli.training.data.leakage import TRAINING_QUESTIONS, question_files


def evaluations_dir(settings: Settings) -> Path:
    """Where a workspace keeps its evaluations."""
    return settings.data_dir / "evaluations"


class Evaluator:
    """Evaluates the assistants of one workspace.

    Args:
        parts: of the workspace, over an engine that runs.
        searcher: over its documents.
        folder: of the runs.
    """

    def __init__(self, parts: Parts, *, searcher: Searches, folder: Path) -> None:
        self._parts = parts
        self._searcher = searcher
        self.store = RunStore(folder)

    def questions(self, assistant: AssistantSpecification, path: Path | None = None) -> QuestionSet:
        """What people wrote for an assistant: the file that is named, else its own. Blocks.

        Raises:
            NotFoundError: it has none.
            InvalidInputError: a line cannot be used.
        """
        return own_questions(self._parts.questions_dir, assistant, path)

    def generated(self, assistant: AssistantSpecification) -> GeneratedFile:
        """What an engine proposed for it."""
        return generated_file(self._parts.questions_dir, assistant.name)

    def plan(
        self,
        assistant: AssistantSpecification,
        questions: QuestionSet,
        *,
        version: int = 0,
        unreviewed: bool = False,
        repeat: int = 1,
        seed: int = 1,
    ) -> Run:
        """A run that asks these questions of the assistant as it is now. Nothing is kept or asked yet. Blocks.

        Args:
            assistant: who is asked.
            questions: what.
            version: of the assistant.
            unreviewed: whether some of them were proposed by a model and read by nobody.
            repeat: how often each.
            seed: of the first try.

        Raises:
            ConfigurationError: a collection of the assistant does not exist.
        """
        parts = self._parts
        embedder = parts.embedder.name if parts.embedder is not None else None
        bundle = bundle_of(assistant, database=parts.database, engine=parts.identity(), embedder=embedder)
        return new_run(
            assistant=assistant.name,
            version=version,
            model=parts.engine.model,
            bundle_root=bundle.root,
            components=bundle.digests(),
            questions=questions,
            unreviewed=unreviewed,
            repeat=repeat,
            seed=seed,
            slots=parts.slots,
            machine=cpu_name(),
        )

    def begin(self, run: Run, *, anew: bool = False) -> Run:
        """The run to go on with: an interrupted one that asks the same of the same, else this one. Blocks.

        Args:
            run: of `plan`.
            anew: leave interrupted ones alone.
        """
        return (None if anew else self.store.resumable(run)) or self.store.create(run)

    async def run(
        self, run: Run, assistant: AssistantSpecification, *, on_progress: OnProgress | None = None
    ) -> Report:
        """Ask what is left of a run. Cancelling keeps what is answered.

        Raises:
            ConflictError: it is finished, or another process runs it.
            EngineUnavailableError: nothing but errors came.
        """
        parts = self._parts
        asker = AssistantAsker(
            assistant, answerer=parts.answerer, engine=parts.engine, database=parts.database
        )
        return await Evaluation(self.store, asker, on_progress=on_progress).run(run.id)

    async def generate(
        self,
        assistant: AssistantSpecification,
        wanted: int,
        *,
        seed: int = 1,
        for_training: bool = False,
        on_progress: Callable[[GenerationProgress], None] | None = None,
    ) -> Generation:
        """Have the assistant's engine propose questions until its file has `wanted` that nobody dropped.

        Args:
            assistant: whose documents.
            wanted: how many.
            seed: of the choice of facts and of the model's sampling.
            for_training: into the file of what examples are made of. Facts and questions of one purpose are not used
                for the other, and the search must find the document.
            on_progress: called after each round.

        Raises:
            EngineUnavailableError: the engine does not answer.
            ConfigurationError: a collection of the assistant does not exist.
        """
        parts = self._parts
        database = parts.database
        principals = (EVERYONE, *assistant.audience)
        ids = await asyncio.to_thread(resolve_collections, database, assistant, principals=principals)
        material = await asyncio.to_thread(assistant_material, database, assistant, None)

        def search(question: str) -> Sequence[str]:
            found = self._searcher.search(question, principals=principals, collection_ids=ids, limit=TOP)
            return [passage.document_name for passage in found.passages]

        own = training_file if for_training else generated_file
        avoid = await asyncio.to_thread(
            _asked_elsewhere, parts.questions_dir, assistant.name, for_training=for_training
        )
        generator = Generator(
            parts.engine,
            own(parts.questions_dir, assistant.name),
            material.documents,
            search=search,
            unknown=lambda text: unknown_terms(database, text),
            slots=parts.slots,
            seed=seed,
            avoid=avoid,
            must_find=for_training,
        )
        return await generator.generate(wanted, on_progress=on_progress)

    async def examples(
        self,
        assistant: AssistantSpecification,
        *,
        unreviewed: bool = False,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Built:
        """Training examples of the questions that were proposed for training and that a person kept.

        Args:
            assistant: whose prompts they have.
            unreviewed: also of those that nobody looked at yet.
            on_progress: called with how many questions are done, of how many.

        Raises:
            InvalidInputError: a line of the file cannot be used.
        """
        parts = self._parts
        rows = await asyncio.to_thread(training_file(parts.questions_dir, assistant.name).rows)
        states = ("kept", "proposed") if unreviewed else ("kept",)
        builder = ExampleBuilder(assistant, answerer=parts.answerer, engine=parts.engine)
        return await builder.build([row for row in rows if row.state in states], on_progress=on_progress)

    async def aclose(self) -> None:
        """Give back the engine's connections."""
        await self._parts.engine.aclose()


def generated_file(questions_dir: Path, assistant: str) -> GeneratedFile:
    """The generated questions of an assistant."""
    return GeneratedFile(questions_dir / f"{assistant}.generated.jsonl")


def training_file(questions_dir: Path, assistant: str) -> GeneratedFile:
    """The questions of which an assistant's training examples are made. Nothing is measured with them."""
    return GeneratedFile(questions_dir / f"{assistant}{TRAINING_QUESTIONS}")


def _asked_elsewhere(questions_dir: Path, assistant: str, *, for_training: bool) -> list[tuple[str, str]]:
    """Questions that serve the other purpose, with the quotes of generated ones. Blocks."""
    other = (generated_file if for_training else training_file)(questions_dir, assistant)
    found = [(row.question, row.quote or "") for row in other.rows() if row.state != "dropped"]
    if for_training:
        files = question_files(questions_dir, without=(TRAINING_QUESTIONS, ".generated.jsonl"))
        found += [(question, "") for file in files for question in file.questions]
    return found


def own_questions(
    questions_dir: Path, assistant: AssistantSpecification, path: Path | None = None
) -> QuestionSet:
    """As `Evaluator.questions`, without an engine."""
    own = questions_dir / f"{assistant.name}.jsonl"
    if path is None and not own.is_file():
        raise NotFoundError(
            tr("There are no questions for {name}. Write them in {path} (see docs/guides/evaluate.md), name a file "
               "with --questions, or have some proposed: etabli eval {name} --generate 40",
               name=assistant.name, path=own)
        )  # fmt: skip
    return read_question_file(path or own, audiences=audiences_of(assistant.audience))

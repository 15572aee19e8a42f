"""Evaluations as folders: `<assistant>-<number>/` with `run.json` (what was asked of what) and `answers.jsonl`.

Every answer is added as it comes, so that whatever ends a run leaves all that was done; only its owner reads the
files. A report is the same in one file, for another machine. Blocks: call it from a thread.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from etabli import __version__
from etabli.certification.probes.reading import QuestionRow
from etabli.errors import ConflictError, InvalidInputError, NotFoundError
from etabli.evaluation.measures import Tried
from etabli.evaluation.questions import Item, QuestionSet, item_of
from etabli.evaluation.summary import Summary, summarise
from etabli.messages import tr
from etabli.processes import write_private

JSON = dict[str, Any]
FORMAT = "etabli-evaluation/1"
State = Literal["running", "stopped", "failed", "finished"]
_FOLDER = re.compile(r"(?P<assistant>[^/\\]+)-(?P<number>[1-9]\d{0,8})")
_HEAD, _ANSWERS, _LOCK = "run.json", "answers.jsonl", "lock"
_MOST_BYTES = 200 << 20


class Run(BaseModel):
    """What one evaluation asks, of what, and how far it came.

    Attributes:
        id: `<assistant>-<number>`.
        assistant: its name.
        version: of the assistant, from 1; 0 where it has no history.
        model: the engine's name of the model.
        bundle_root: SHA-256 over everything that the assistant was made of.
        components: its parts, each by its SHA-256.
        questions: name of their file.
        questions_digest: over the questions and what is expected of them, in order.
        left_out: questions of the file that were not taken.
        unreviewed: whether questions were asked that a model proposed and no person looked at.
        repeat: how often each is asked.
        seed: of the model's sampling; try number t has the seed `seed` + t.
        slots: questions at once.
        machine: processor.
        software: version of the product.
        state: `running`, `stopped` by a person, `failed`, `finished`.
        message: why it failed.
        items: the questions, with their keys.
        created_at: when it began.
        finished_at: when it ended.
        spent_s: seconds that it ran.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    assistant: str
    version: int
    model: str
    bundle_root: str
    components: dict[str, str]
    questions: str
    questions_digest: str
    left_out: int = 0
    unreviewed: bool = False
    repeat: int = 1
    seed: int = 1
    slots: int = 1
    machine: str = ""
    software: str = __version__
    state: State = "running"
    message: str = ""
    items: tuple[QuestionRow, ...] = ()
    created_at: datetime
    finished_at: datetime | None = None
    spent_s: float = 0.0

    @property
    def asked(self) -> tuple[Item, ...]:
        """The questions."""
        return tuple(item_of(row) for row in self.items)

    @property
    def planned(self) -> int:
        """How many answers there are in all."""
        return len(self.items) * self.repeat

    def same_as(self, other: "Run") -> bool:
        """Whether both ask the same of the same, so that one can go on where the other stopped."""
        names = ("assistant", "bundle_root", "questions_digest", "repeat", "seed", "unreviewed")
        return all(getattr(self, name) == getattr(other, name) for name in names)


@dataclass(frozen=True, slots=True)
class Report:
    """A run with its answers."""

    run: Run
    tried: tuple[Tried, ...]

    @property
    def summary(self) -> Summary:
        """Its figures."""
        return summarise(self.run.asked, self.tried)

    def first(self) -> dict[str, Tried]:
        """The first try of each question, by its key."""
        return {one.key: one for one in self.tried if one.trial == 0}

    def to_json(self) -> JSON:
        """For a file or another program: run, figures, every answer."""
        return {
            "format": FORMAT,
            "run": self.run.model_dump(mode="json"),
            "summary": self.summary.to_json(),
            "answers": [asdict(one) for one in self.tried],
        }


class RunStore:
    """The evaluations of a workspace.

    Args:
        folder: where they are; made when needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, run: Run) -> Run:
        """Keep a new run under the next free number of its assistant; its `id` is chosen here."""
        number = 1 + max((_number(one.id) for one in self.list(run.assistant)), default=0)
        while True:
            made = run.model_copy(update={"id": f"{run.assistant}-{number}"})
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                (self._folder / made.id).mkdir(mode=0o700)
            except FileExistsError:
                number += 1
                continue
            self.write(made)
            return made

    def list(self, assistant: str | None = None) -> "list[Run]":
        """All runs, or those of one assistant, the newest first. Folders that hold none are passed over."""
        found = []
        for path in self._folder.glob(f"*/{_HEAD}"):
            match = _FOLDER.fullmatch(path.parent.name)
            if match is not None and assistant in (None, match["assistant"]):
                try:
                    found.append(self.get(path.parent.name))
                except (InvalidInputError, NotFoundError):
                    continue
        return sorted(found, key=lambda run: (run.created_at, _number(run.id)), reverse=True)

    def get(self, run: str) -> Run:
        """One run. One that no process runs any more, though its file says so, is stopped.

        Raises:
            NotFoundError: there is none of that name.
            InvalidInputError: its file is broken.
        """
        path = self._folder / run / _HEAD
        if _FOLDER.fullmatch(run) is None or not path.is_file():
            raise NotFoundError(
                tr("There is no evaluation {id}. `etabli eval list` shows them.", id=run)
            ) from None
        try:
            read = Run.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise InvalidInputError(_broken(path, error)) from None
        if read.state == "running" and not self._is_running(run):
            return read.model_copy(update={"state": "stopped"})
        return read

    def write(self, run: Run) -> None:
        """Write what is known of a run, whole or not at all."""
        write_private(self._folder / run.id / _HEAD, run.model_dump_json(indent=1) + "\n")

    def interrupted(self, assistant: str) -> Run | None:
        """The newest run of an assistant, if it did not come to its end and no process runs it."""
        newest = next(iter(self.list(assistant)), None)
        return newest if newest is not None and newest.state in ("stopped", "failed") else None

    def resumable(self, wanted: Run) -> Run | None:
        """The interrupted run of an assistant, if it asks the same of the same."""
        run = self.interrupted(wanted.assistant)
        return run if run is not None and run.same_as(wanted) else None

    def add(self, run: str, tried: Tried) -> None:
        """Keep one answer."""
        path = self._folder / run / _ANSWERS
        line = json.dumps(asdict(tried), ensure_ascii=False) + "\n"
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def tried(self, run: str) -> tuple[Tried, ...]:
        """The answers of a run, in the order of their questions; a line that a crash cut short is not one."""
        path = self._folder / run / _ANSWERS
        known: dict[tuple[str, int], Tried] = {}
        for line in path.read_bytes().splitlines() if path.is_file() else ():
            try:
                one = tried_of(json.loads(line))
            except (ValueError, TypeError, KeyError):
                continue
            known[one.key, one.trial] = one
        return in_order(self.get(run), known.values())

    def report(self, run: str) -> Report:
        """A run with its answers."""
        return Report(self.get(run), self.tried(run))

    @contextmanager
    def alone(self, run: str) -> Iterator[None]:
        """Be the only process that runs it; ends with the process, however it does.

        Raises:
            ConflictError: another one runs it.
        """
        with (self._folder / run / _LOCK).open("wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConflictError(tr("The evaluation {id} runs already.", id=run)) from None
            yield

    def _is_running(self, run: str) -> bool:
        try:
            with (self._folder / run / _LOCK).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False


def new_run(
    *,
    assistant: str,
    version: int,
    model: str,
    bundle_root: str,
    components: dict[str, str],
    questions: QuestionSet,
    unreviewed: bool,
    repeat: int,
    seed: int,
    slots: int,
    machine: str,
) -> Run:
    """A run that is about to begin; `RunStore.create` gives it its id."""
    return Run(
        id="",
        assistant=assistant,
        version=version,
        model=model,
        bundle_root=bundle_root,
        components=components,
        questions=questions.name,
        questions_digest=questions.digest,
        left_out=questions.left_out,
        unreviewed=unreviewed,
        repeat=repeat,
        seed=seed,
        slots=slots,
        machine=machine,
        items=tuple(row_of(item) for item in questions.items),
        created_at=datetime.now(UTC),
    )


def row_of(item: Item) -> QuestionRow:
    """A question as a line of a file."""
    question = item.question
    return QuestionRow(
        id=item.id,
        question=question.question,
        language=question.language,
        answerable=question.answerable,
        source=question.document or None,
        also=question.also,
        quote=question.quote or None,
        answer=question.answer or None,
        keywords=question.keywords,
    )


def tried_of(value: JSON) -> Tried:
    """What `asdict` gave of a `Tried`.

    Raises:
        TypeError, KeyError: it is none.
    """
    lists = {name: tuple(value[name]) for name in ("citations", "found")}
    return Tried(**{**value, **lists, "measures": dict(value["measures"])})


def in_order(run: Run, tried: Iterable[Tried]) -> tuple[Tried, ...]:
    """Answers in the order of the questions, then of the tries; those of other questions are left out."""
    places = {item.key: place for place, item in enumerate(run.asked)}
    known = [one for one in tried if one.key in places and one.trial < run.repeat]
    return tuple(sorted(known, key=lambda one: (places[one.key], one.trial)))


def read_report(path: Path) -> Report:
    """What `Report.to_json` gave, from a file.

    Raises:
        InvalidInputError: the file is no report.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError("larger than 200 MB")
        value = json.loads(path.read_bytes())
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise ValueError(f"no {FORMAT}")
        run = Run.model_validate(value["run"])
        return Report(run, in_order(run, [tried_of(one) for one in value["answers"]]))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InvalidInputError(_broken(path, error)) from None


def _number(run: str) -> int:
    return int(run.rpartition("-")[2])


def _broken(path: Path, error: Exception) -> str:
    reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
    return tr("{path} is no evaluation as `etabli eval --output` writes it: {reason}.",
              path=path, reason=reason)  # fmt: skip

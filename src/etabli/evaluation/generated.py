"""The file of generated questions: `<assistant>.generated.jsonl`, where a person decides what is kept.

Everything that a model wrote stays in it with its state and, where a program dropped it, the reason: nothing is asked
twice, and nothing disappears. Changes are written whole, one process at a time. Blocks.
"""

import fcntl
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from etabli.certification.probes.reading import QuestionRow
from etabli.errors import NotFoundError
from etabli.evaluation.questions import QuestionSet, checked_row, make_items
from etabli.messages import tr
from etabli.processes import write_private

State = Literal["proposed", "kept", "dropped"]


class GeneratedRow(QuestionRow):
    """One question that a model wrote.

    Attributes:
        id: unique in its file.
        state: `proposed` until a person looks at it; `dropped` by a person, or by a program for a `reason`.
        reason: of `filters.REASONS`, where a program dropped it.
        kind: of the fact that it asks for; `absent` where it has no answer.
        found: whether the search finds its document among the first; None where it has none.
        model: that wrote it.
    """

    id: str = Field(min_length=1)
    state: State = "proposed"
    reason: str = ""
    kind: str = ""
    found: bool | None = None
    model: str = ""


class GeneratedFile:
    """The generated questions of one assistant.

    Args:
        path: of the file; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self) -> tuple[GeneratedRow, ...]:
        """All of them, in the order in which they were made.

        Raises:
            InvalidInputError: a line cannot be used; the message names it.
        """
        return tuple(row for _, row in self._numbered())

    def questions(self, *, unreviewed: bool, audiences: Sequence[str]) -> QuestionSet:
        """What of it is asked: those that a person kept, and with `unreviewed` those that nobody looked at, too.

        Raises:
            NotFoundError: there is none.
        """
        states = ("kept", "proposed") if unreviewed else ("kept",)
        chosen = [(number, row) for number, row in self._numbered() if row.state in states]
        if not chosen:
            raise NotFoundError(
                tr("{path} has no question to ask: {kept} kept, {proposed} proposed, {dropped} dropped. Propose some "
                   "with --generate, and look at them with `etabli eval review`.",
                   path=self.path, **self.counts())
            )  # fmt: skip
        items = make_items(self.path, chosen, audiences=audiences)
        return QuestionSet(self.path.name, items, len(chosen) - len(items))

    def counts(self) -> dict[str, int]:
        """How many are kept, proposed and dropped."""
        states = [row.state for row in self.rows()]
        return {name: states.count(name) for name in ("kept", "proposed", "dropped")}

    def add(self, row: GeneratedRow) -> GeneratedRow:
        """Add one under the next free id, `g1`, `g2`, …; its own id is not used."""
        with self._alone():
            rows = self.rows()
            number = 1 + max((int(one.id[1:]) for one in rows if one.id[1:].isdigit()), default=0)
            made = row.model_copy(update={"id": f"g{number}"})
            self._write([*rows, made])
            return made

    def change(self, id: str, **changes: Any) -> GeneratedRow:
        """Change one: `state`, `question`, `answer`, `keywords`.

        Raises:
            NotFoundError: it is gone.
            InvalidInputError: it cannot be so.
        """
        with self._alone():
            numbered = self._numbered()
            place = next((place for place, (_, row) in enumerate(numbered) if row.id == id), None)
            if place is None:
                raise NotFoundError(tr("{path} has no question {id} any more.", path=self.path, id=id))
            rows = [row for _, row in numbered]
            values = {**rows[place].model_dump(), **changes}
            checked = checked_row(self.path, numbered[place][0], values, GeneratedRow)
            assert isinstance(checked, GeneratedRow)
            rows[place] = checked
            self._write(rows)
            return checked

    def _numbered(self) -> list[tuple[int, GeneratedRow]]:
        if not self.path.is_file():
            return []
        numbered = []
        for number, line in enumerate(self.path.read_text(encoding="utf-8").split("\n"), start=1):
            if line.strip():
                row = checked_row(self.path, number, _value(line), GeneratedRow)
                assert isinstance(row, GeneratedRow)
                numbered.append((number, row))
        return numbered

    def _write(self, rows: Iterable[GeneratedRow]) -> None:
        lines = [json.dumps(row.model_dump(exclude_defaults=True), ensure_ascii=False) for row in rows]
        write_private(self.path, "\n".join(lines) + "\n")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(f".{self.path.name}.lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _value(line: str) -> Any:
    """The JSON of a line; the line itself where it is none, which no row allows."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return line

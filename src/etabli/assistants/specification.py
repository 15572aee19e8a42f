"""What an assistant is: one YAML file, read strictly, with faults a person can mend.

A fault is one sentence: file, line, what was found, what is allowed. Knows nothing of models or documents; that
the collections exist is checked where they are searched.
"""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from etabli.errors import ConfigurationError
from etabli.messages import tr
from etabli.storage.database import EVERYONE

NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,62}$"
LARGEST_FILE_BYTES = 1_000_000

_Place = tuple[str | int, ...]
_Text = Annotated[str, StringConstraints(min_length=1)]


class Example(BaseModel):
    """A question and the answer that the assistant should have given: shown to the model before the first turn."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    question: _Text
    answer: _Text


class AssistantSpecification(BaseModel):
    """What users talk to, as its YAML file says it. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field(pattern=NAME_PATTERN, description="Name of the file, and the model name in the API.")
    title: str = Field(min_length=1, max_length=200, description="Name that people see.")
    description: str = Field("", description="One sentence for those who choose an assistant.")
    language: Literal["fr", "en"] = Field("fr", description="Language of its instructions.")
    model: str | None = Field(None, description="Catalogue name of its model; the workspace's if unset.")
    instructions: str = Field("", description="What it is told before every conversation.")
    collections: list[_Text] = Field([], description="Collections of documents that it answers from.")
    passages: int = Field(8, ge=1, le=30, description="Passages that are read for one question.")
    context_tokens: int | None = Field(
        None, ge=100, description="Tokens of documents sent to the model for one question; derived if unset."
    )
    abstain: bool = Field(
        True, description="Say that the documents do not hold the answer, rather than guess."
    )
    temperature: float = Field(0.2, ge=0, le=2, description="0 repeats itself, 2 wanders.")
    max_tokens: int = Field(512, ge=1, le=32_768, description="Longest answer, in tokens.")
    examples: list[Example] = Field([], description="Questions with the answers that are wanted.")
    first_questions: list[_Text] = Field([], description="Questions proposed to those who begin.")
    audience: list[_Text] = Field([EVERYONE], description="Groups that may use it.")


def read_specification(path: Path) -> AssistantSpecification:
    """Read one assistant's file.

    Raises:
        ConfigurationError: it cannot be used; the message is its first fault.
    """
    specification, faults = examine(path)
    if specification is None:
        raise ConfigurationError(faults[0])
    return specification


def examine(path: Path) -> tuple[AssistantSpecification | None, list[str]]:
    """The specification in a file, or None and all its faults."""
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            return None, [tr("{file} is larger than 1 MB: that is no assistant's file.", file=path.name)]
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return None, [tr("{file} cannot be read: {reason}.", file=path.name, reason=str(error))]
    return examine_text(text, path.name)


def examine_text(text: str, file: str) -> tuple[AssistantSpecification | None, list[str]]:
    """As `examine`, of a text not yet saved.

    Args:
        text: YAML.
        file: the file's name, for the sentences; the name of the assistant must be its stem.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        lines = _lines(root) if root is not None else {}
        values = yaml.safe_load(text)
    except _UnusableError as error:
        return None, [_sentence(file, error.line, error.reason)]
    except yaml.YAMLError as error:
        return None, [_syntax_fault(file, error)]
    if not isinstance(values, dict):
        return None, [_sentence(file, 1, tr("the file must be keys and values, such as `title: Accueil`"))]
    stem = Path(file).stem
    values.setdefault("name", stem)
    try:
        specification = AssistantSpecification.model_validate(values)
    except ValidationError as error:
        faults = [_fault(file, lines, fault) for fault in error.errors()]  # type: ignore[arg-type]
        return None, faults
    if specification.name != stem:
        reason = tr(
            "name is {found}, and the file is called {file}: both must be the same word",
            found=_shown(specification.name),
            file=file,
        )
        return None, [_sentence(file, lines.get(("name",), 1), reason)]
    return specification, []


class _UnusableError(Exception):
    """YAML that is valid and that we refuse."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def _lines(root: yaml.Node) -> dict[_Place, int]:
    """The line, from 1, of every key and list entry."""
    lines: dict[_Place, int] = {}
    seen: set[int] = set()

    def walk(node: yaml.Node, place: _Place) -> None:
        line = node.start_mark.line + 1
        if id(node) in seen:
            raise _UnusableError(line, tr("aliases (`*name`) are not allowed: write the value out"))
        seen.add(id(node))
        lines.setdefault(place, line)
        for key, key_line, value in _children(node):
            if (*place, key) in lines:
                raise _UnusableError(key_line, tr("the key {key} stands twice: keep one", key=_shown(key)))
            lines[(*place, key)] = key_line
            walk(value, (*place, key))

    walk(root, ())
    return lines


def _children(node: yaml.Node) -> Iterator[tuple[str | int, int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield index, value.start_mark.line + 1, value


def _syntax_fault(file: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    line = mark.line + 1 if mark is not None else 1
    reason = tr("this is not YAML ({problem}); look at spaces, quotes and colons", problem=problem)
    return _sentence(file, line, reason)


def _fault(file: str, lines: dict[_Place, int], fault: dict[str, Any]) -> str:
    """One fault of validation as a sentence."""
    place: _Place = fault["loc"]
    line = next((lines[place[:end]] for end in range(len(place), -1, -1) if place[:end] in lines), 1)
    name = _dotted(place)
    if fault["type"] == "extra_forbidden":
        return _sentence(file, line, _unknown_key(place))
    if fault["type"] == "missing":
        return _sentence(
            file, line, tr("{key} is missing; it must be {allowed}", key=name, allowed=_allowed(place))
        )
    reason = tr(
        "{key} is {found}; it must be {allowed}",
        key=name,
        found=_shown(fault["input"]),
        allowed=_allowed(place),
    )
    return _sentence(file, line, reason)


def _unknown_key(place: _Place) -> str:
    model = Example if place[0] == "examples" and len(place) > 1 else AssistantSpecification
    known = list(model.model_fields)
    key = str(place[-1])
    close = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.5)
    names = ", ".join(known)
    if close:
        return tr(
            "the key {key} is unknown; did you mean {close}? Allowed: {names}",
            key=_shown(key),
            close=close[0],
            names=names,
        )
    return tr("the key {key} is unknown. Allowed: {names}", key=_shown(key), names=names)


def _allowed(place: _Place) -> str:
    """What a key may hold, in words."""
    sentences = {
        "name": tr("1 to 63 of a–z, 0–9, '.', '_' and '-', the first one a letter or digit"),
        "title": tr("a text of 1 to 200 characters"),
        "description": tr("a text"),
        "language": tr("fr or en"),
        "model": tr("the name of a model, or nothing"),
        "instructions": tr("a text"),
        "collections": tr("a list of names of collections"),
        "passages": tr("a whole number from 1 to 30"),
        "context_tokens": tr("a whole number of 100 or more, or nothing"),
        "abstain": tr("true or false"),
        "temperature": tr("a number from 0 to 2"),
        "max_tokens": tr("a whole number from 1 to 32768"),
        "examples": tr("a list of question and answer, both texts"),
        "first_questions": tr("a list of texts"),
        "audience": tr("a list of groups, such as group:everyone"),
    }
    return sentences[str(place[0])]


def _sentence(file: str, line: int, reason: str) -> str:
    return tr("{file}, line {line}: {reason}.", file=file, line=line, reason=reason)


def _dotted(place: _Place) -> str:
    """`('examples', 1, 'answer')` as people count: `examples[2].answer`."""
    name = ""
    for step in place:
        name += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if name else step
    return name


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"

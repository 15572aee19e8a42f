"""What an assistant is: one YAML file, read strictly, with faults a person can mend.

A fault is one sentence: file, line, what was found, what is allowed. Knows nothing of models or documents; that
the collections exist is checked where they are searched.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from etabli.assistants.guards.settings import GuardSettings
from etabli.assistants.quality import QualitySettings
from etabli.errors import ConfigurationError
from etabli.messages import tr
from etabli.storage.database import EVERYONE

NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,62}$"
ADAPTER_PATTERN = r"^ft:[a-z0-9._-]{1,80}:[a-z0-9-]{1,64}:[a-z0-9-]{0,64}:[a-z0-9]{1,16}$"
RESERVED_NAMES = frozenset({"new"})
"""No assistant has one: `/assistants/new` is the page that makes them."""
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
    adapter: str | None = Field(
        None, pattern=ADAPTER_PATTERN, description="Adapter of its model: `ft:…`, trained here and approved."
    )
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
    contact: str = Field(
        "", max_length=500, description="How to reach a person: what it says to those who ask for one."
    )
    quality: QualitySettings = Field(
        default_factory=QualitySettings,
        description="Smallest share of good answers, by family, with which it may be certified.",
    )
    guards: GuardSettings = Field(
        default_factory=GuardSettings,
        description="What it does by itself against attacks; all on by default.",
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text is no assistant.

    Attributes:
        file: name of the file, for the sentence.
        line: where, from 1.
        field: the key as programs name it, `examples.0.answer`; None where the text as a whole is wrong.
        reason: for people: what was found and what is allowed, without line and full stop.
    """

    file: str
    line: int
    field: str | None
    reason: str

    @property
    def sentence(self) -> str:
        """The whole of it, for those who see no more than the sentence."""
        return tr("{file}, line {line}: {reason}.", file=self.file, line=self.line, reason=self.reason)


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
    specification, faults = diagnose(text, file, name=Path(file).stem)
    return specification, [fault.sentence for fault in faults]


def diagnose(
    text: str, file: str, *, name: str | None = None
) -> tuple[AssistantSpecification | None, list[Fault]]:
    """As `examine_text`, with each fault told apart by its field.

    Args:
        text: YAML.
        file: for the sentences.
        name: what the assistant must be called, and is where the text does not say; None when the text decides.
    """
    if len(text) > LARGEST_FILE_BYTES:
        return None, [Fault(file, 1, None, tr("it is larger than 1 MB: that is no assistant's file"))]
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        lines = _lines(root) if root is not None else {}
        values = loader.construct_document(root) if root is not None else None
    except _UnusableError as error:
        return None, [Fault(file, error.line, error.field, error.reason)]
    except yaml.YAMLError as error:
        return None, [_syntax_fault(file, error)]
    except (
        ValueError,
        RecursionError,
    ) as error:  # a date that is none, a number without end, a tower of brackets
        problem = "nesting" if isinstance(error, RecursionError) else str(error).split(":")[0]
        return None, [Fault(file, 1, None, _no_yaml(problem))]
    if not isinstance(values, dict):
        return None, [Fault(file, 1, None, tr("the file must be keys and values, such as `title: Accueil`"))]
    if name is not None:
        values.setdefault("name", name)
    try:
        specification = AssistantSpecification.model_validate(values)
    except ValidationError as error:
        return None, [_fault(file, lines, fault) for fault in error.errors()]  # type: ignore[arg-type]
    if name is not None and specification.name != name:
        reason = tr(
            "name is {found}, and the file is called {file}: both must be the same word",
            found=_shown(specification.name),
            file=file,
        )
        return None, [Fault(file, lines.get(("name",), 1), "name", reason)]
    if specification.name in RESERVED_NAMES:
        reason = tr(
            "no assistant can be called {name}: the page that makes assistants has that address. Choose another "
            "name",
            name=specification.name,
        )
        return None, [Fault(file, lines.get(("name",), 1), "name", reason)]
    return specification, []


class _UnusableError(Exception):
    """YAML that is valid and that we refuse."""

    def __init__(self, line: int, place: _Place, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.field = _field(place)
        self.reason = reason


def _lines(root: yaml.Node) -> dict[_Place, int]:
    """The line, from 1, of every key and list entry."""
    lines: dict[_Place, int] = {}
    seen: set[int] = set()

    def walk(node: yaml.Node, place: _Place) -> None:
        line = node.start_mark.line + 1
        if id(node) in seen:
            raise _UnusableError(line, place, tr("aliases (`*name`) are not allowed: write the value out"))
        seen.add(id(node))
        lines.setdefault(place, line)
        for key, key_line, value in _children(node):
            if (*place, key) in lines:
                twice = tr("the key {key} stands twice: keep one", key=_shown(key))
                raise _UnusableError(key_line, (*place, key), twice)
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


def _syntax_fault(file: str, error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return Fault(file, mark.line + 1 if mark is not None else 1, None, _no_yaml(problem))


def _no_yaml(problem: str) -> str:
    return tr("this is not YAML ({problem}); look at spaces, quotes and colons", problem=problem)


def _fault(file: str, lines: dict[_Place, int], fault: dict[str, Any]) -> Fault:
    """One fault of validation."""
    place: _Place = fault["loc"]
    line = next((lines[place[:end]] for end in range(len(place), -1, -1) if place[:end] in lines), 1)
    name = _dotted(place)
    if place[0] not in AssistantSpecification.model_fields or fault["type"] == "extra_forbidden":
        return Fault(file, line, _field(place), _unknown_key(place))
    if fault["type"] == "missing":
        reason = tr("{key} is missing; it must be {allowed}", key=name, allowed=_allowed(place))
    else:
        reason = tr(
            "{key} is {found}; it must be {allowed}",
            key=name,
            found=_shown(fault["input"]),
            allowed=_allowed(place),
        )
    return Fault(file, line, _field(place), reason)


_NESTED: dict[str, type[BaseModel]] = {"guards": GuardSettings, "quality": QualitySettings}


def _unknown_key(place: _Place) -> str:
    model: type[BaseModel] = AssistantSpecification
    if len(place) > 1:
        model = _NESTED.get(str(place[0]), Example)
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
    if place[0] == "guards" and len(place) > 1:
        return tr("strict or marked") if place[1] == "grounded" else tr("true or false")
    if place[0] == "quality" and len(place) > 1:
        return tr("a share from 0.3 to 1, such as 0.5")
    sentences = {
        "name": tr("1 to 63 of a–z, 0–9, '.', '_' and '-', the first one a letter or digit"),
        "title": tr("a text of 1 to 200 characters"),
        "description": tr("a text"),
        "language": tr("fr or en"),
        "model": tr("the name of a model, or nothing"),
        "adapter": tr(
            "the name of an adapter, such as ft:qwen2.5-coder-1.5b:clinic:forms:1a2b3c4d, or nothing"
        ),
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
        "contact": tr("a text of at most 500 characters"),
        "guards": tr("keys such as `crisis: true`"),
        "quality": tr("keys such as `Q2: 0.5`"),
    }
    return sentences[str(place[0])]


def _field(place: _Place) -> str | None:
    """`('examples', 1, 'answer')` as programs name it: `examples.1.answer`."""
    return ".".join(str(step) for step in place) or None


def _dotted(place: _Place) -> str:
    """`('examples', 1, 'answer')` as people count: `examples[2].answer`."""
    name = ""
    for step in place:
        name += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if name else step
    return name


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"

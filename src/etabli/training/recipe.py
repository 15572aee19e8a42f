"""A recipe: one YAML file that says what is trained on what. Read strictly, with faults a person can mend.

data: training/forms-train.jsonl          # beside this file
validation: training/forms-held-out.jsonl # or a share of the data, such as 0.1
examples: 200                             # of the data, for a first try; all if absent
base: qwen2.5-coder-1.5b                  # the workspace's model if absent
method: supervised                        # supervised, dpo, kto; that of the data if absent
suffix: forms
assistant: forms
probes: 24                                # of certification, before and after
seed: 1
hyperparameters: {epochs: 3, learning_rate: 2e-4}
"""

import difflib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from etabli.errors import ConfigurationError
from etabli.messages import tr
from etabli.models.hashing import sha256_of
from etabli.training.base import Hyperparameters, Method
from etabli.training.jobs import MOST_PROBES, MOST_SUFFIX, PROBES

MOST_BYTES = 100_000
_HYPERPARAMETERS = (
    *(name for name in Hyperparameters.model_fields if name != "seed"),
    "learning_rate_multiplier",
)


class Recipe(BaseModel):
    """What is trained on what. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path = Field(description="Examples, one JSON object a line; beside the recipe.")
    validation: Path | float | None = Field(
        None, description="Held-out examples, or the share of the data that is held out, from 0.01 to 0.5."
    )
    examples: int | None = Field(
        None, ge=1, description="Learn only so many of them, drawn by the seed; all if unset."
    )
    validation_examples: int | None = Field(
        None, ge=1, description="Hold only so many out, drawn by the seed; all if unset."
    )
    base: str | None = Field(
        None, min_length=1, description="Catalogue name of the base; the workspace's if unset."
    )
    method: Method | None = Field(None, description="supervised, dpo or kto; that of the data if unset.")
    suffix: str = Field("", max_length=MOST_SUFFIX, description="A word of the adapter's name.")
    assistant: str | None = Field(None, description="The assistant that it is for.")
    probes: int = Field(
        PROBES,
        ge=0,
        le=MOST_PROBES,
        description="Probes of certification tried on the assistant, before and after; 0 for none.",
    )
    seed: int = Field(1, ge=0, le=2**31 - 1, description="Of the adapter's start and of every choice.")
    hyperparameters: dict[str, Any] = Field(
        {}, description="How it is trained; what is not said is what suits. See the table."
    )

    @field_validator("validation")
    @classmethod
    def _is_a_share(cls, value: Path | float | None) -> Path | float | None:
        if isinstance(value, float) and not 0.01 <= value <= 0.5:
            raise ValueError(tr("a share must be from 0.01 to 0.5"))
        return value

    @field_validator("hyperparameters")
    @classmethod
    def _are_known(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if name not in _HYPERPARAMETERS:
                allowed = ", ".join(sorted(_HYPERPARAMETERS))
                close = difflib.get_close_matches(name, _HYPERPARAMETERS, n=1)
                if close:
                    raise ValueError(
                        tr("{name} is unknown; did you mean {close}? Allowed: {allowed}", name=name, close=close[0],
                           allowed=allowed)
                    )  # fmt: skip
                raise ValueError(tr("{name} is unknown. Allowed: {allowed}", name=name, allowed=allowed))
        return value


@dataclass(frozen=True, slots=True)
class Split:
    """Which lines are learnt and which are held out."""

    training: tuple[bytes, ...]
    held_out: tuple[bytes, ...]


def read_recipe(path: Path) -> Recipe:
    """Read a recipe; its paths become absolute.

    Raises:
        ConfigurationError: it cannot be used; the message names every fault with its line.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigurationError(tr("{file} is larger than 100 kB: that is no recipe.", file=path.name))
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(
            tr("{file} cannot be read: {reason}.", file=path.name, reason=reason)
        ) from None
    values, lines = _parsed(text, path.name)
    try:
        recipe = Recipe.model_validate(values)
    except ValidationError as error:
        faults = dict.fromkeys(_fault(path.name, lines, fault) for fault in error.errors())
        raise ConfigurationError("\n".join(faults)) from None
    changes: dict[str, Any] = {"data": _existing(path, lines, "data", recipe.data)}
    if isinstance(recipe.validation, Path):
        changes["validation"] = _existing(path, lines, "validation", recipe.validation)
    return recipe.model_copy(update=changes)


def digest_of(recipe: Recipe, *, base_sha256: str) -> str:
    """SHA-256 over the recipe, its data and its base: what is equal needs no second training.

    How many probes look at the result changes nothing of it.
    """
    held_out = sha256_of(recipe.validation) if isinstance(recipe.validation, Path) else recipe.validation
    content = {
        **recipe.model_dump(mode="json", exclude={"data", "validation", "probes"}),
        "data": sha256_of(recipe.data),
        "validation": held_out,
        "base_sha256": base_sha256,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def split(recipe: Recipe) -> Split:
    """The lines of a recipe's files, drawn by its seed: the same ones wherever they stand in the file."""
    if isinstance(recipe.validation, float):
        found = hold_out(recipe.data, recipe.validation, seed=recipe.seed)
    else:
        found = Split(_lines(recipe.data), _lines(recipe.validation) if recipe.validation is not None else ())
    return Split(
        _drawn(found.training, recipe.examples, seed=recipe.seed),
        _drawn(found.held_out, recipe.validation_examples, seed=recipe.seed),
    )


def hold_out(path: Path, share: float, *, seed: int) -> Split:
    """Hold a share of a file's lines out, the same ones for the same seed, wherever they stand in the file."""
    lines = _lines(path)
    chosen = frozenset(_drawn(lines, max(1, round(share * len(set(lines)))), seed=seed))
    return Split(
        tuple(line for line in lines if line not in chosen), tuple(line for line in lines if line in chosen)
    )


def _lines(path: Path) -> tuple[bytes, ...]:
    return tuple(line.rstrip(b"\r\n") for line in path.read_bytes().split(b"\n") if line.strip())


def _drawn(lines: tuple[bytes, ...], count: int | None, *, seed: int) -> tuple[bytes, ...]:
    """So many different lines of them, in their order; all where there are no more."""
    if count is None or count >= len(lines):
        return lines
    ranked = sorted(set(lines), key=lambda line: hashlib.sha256(f"{seed}\0".encode() + line).digest())
    chosen = frozenset(ranked[:count])
    return tuple(line for line in dict.fromkeys(lines) if line in chosen)


def _existing(recipe: Path, lines: dict[str, int], key: str, path: Path) -> Path:
    found = (recipe.parent / path).absolute()
    if not found.is_file():
        raise ConfigurationError(
            tr("{file}, line {line}: {key} is {found}, and there is no such file.", file=recipe.name,
               line=lines.get(key, 1), key=key, found=str(path))
        )  # fmt: skip
    return found


def _parsed(text: str, file: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The values, and the line of each key."""
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        values = loader.construct_document(root) if root is not None else None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0][:200]
        raise ConfigurationError(
            tr("{file}, line {line}: this is not YAML ({problem}).", file=file,
               line=mark.line + 1 if mark is not None else 1, problem=problem)
        ) from None  # fmt: skip
    if not isinstance(values, dict):
        raise ConfigurationError(
            tr(
                "{file}, line {line}: a recipe is keys and values, such as `data: examples.jsonl`.",
                file=file,
                line=1,
            )
        )
    lines: dict[str, int] = {}
    for key, line in _keys(root):
        if key in lines:
            raise ConfigurationError(
                tr(
                    "{file}, line {line}: the key {key} stands twice: keep one.",
                    file=file,
                    line=line,
                    key=key,
                )
            )
        lines[key] = line
    return values, lines


def _keys(node: yaml.Node, prefix: str = "") -> Iterator[tuple[str, int]]:
    if not isinstance(node, yaml.MappingNode) or prefix.count(".") > 2:
        return
    for key, value in node.value:
        name = f"{prefix}{key.value}"
        yield name, key.start_mark.line + 1
        yield from _keys(value, f"{name}.")


def _fault(file: str, lines: dict[str, int], fault: Any) -> str:
    place = [str(step) for step in fault["loc"] if isinstance(step, (str, int))]
    key = place[0] if place else ""
    line = lines.get(key, 1)
    if fault["type"] == "extra_forbidden":
        known = list(Recipe.model_fields)
        close = difflib.get_close_matches(key, known, n=1)
        if close:
            return tr("{file}, line {line}: the key {key} is unknown; did you mean {close}? Allowed: {names}.",
                      file=file, line=line, key=key, close=close[0], names=", ".join(known))  # fmt: skip
        return tr("{file}, line {line}: the key {key} is unknown. Allowed: {names}.", file=file, line=line, key=key,
                  names=", ".join(known))  # fmt: skip
    if fault["type"] == "missing":
        return tr("{file}, line {line}: {key} is missing.", file=file, line=line, key=key)
    if key == "hyperparameters" and fault["type"] == "value_error":
        named = str(fault["ctx"]["error"])
        line = lines.get(f"hyperparameters.{named.split()[0]}", line)
        return tr("{file}, line {line}: {reason}.", file=file, line=line, reason=named)
    reason = str((fault.get("ctx") or {}).get("error") or fault["msg"])
    return tr("{file}, line {line}: {key} is {found}: {reason}.", file=file, line=line, key=key,
              found=str(fault["input"])[:60], reason=reason)  # fmt: skip
